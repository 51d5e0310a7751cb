#include "copy_tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "escape.h"
#include "keep.h"
#include "link_private.h"
#include "schemas.h"
#include "value.h"
#include "wire.h"

void copy_tell_text(struct link *link, enum record_stream stream, const char *text)
{
	struct record record = {.stream = stream,
				.time_ns = clock_wall_ns(),
				.value = (const uint8_t *)text,
				.len = strlen(text)};

	if (record.len > LIMIT_RECORD_VALUE)
		record.len = LIMIT_RECORD_VALUE;
	link_on_record(link, &record);
}

char *copy_tell_line(bool is_error, const char *name, const char *text)
{
	struct buf line = {0};

	escape_display(&line, name, strlen(name));
	buf_add_str(&line, is_error ? ": " : ": not copied: ");
	escape_display(&line, text, strlen(text));
	return buf_take_str(&line);
}

static void copy_tell_size(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	size_t unit = 0;
	double n = (double)bytes;

	for (; n >= 1000 && unit < ARRAY_LEN(units) - 1; unit++)
		n /= 1000;
	buf_addf(out, unit && n < 10 ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

void copy_tell_progress(struct link *link, const struct copy_tally *tally,
			const struct copy_plan *plan)
{
	struct buf text = {0};

	copy_tell_size(&text, tally->moved);
	if (plan) {
		buf_add_str(&text, " of ");
		copy_tell_size(&text, copy_plan_bytes(plan));
	}
	buf_addf(&text, ", %" PRIu64, tally->files + tally->same + tally->failed);
	if (plan)
		buf_addf(&text, " of %zu", copy_plan_files(plan));
	buf_add_str(&text, " files");
	copy_tell_text(link, STREAM_PROGRESS, buf_cstr(&text));
	buf_done(&text);
	link_on_burst_end(link);
}

static uint64_t copy_tell_schema(struct link *link)
{
	static const char *const columns[] = {"files", "bytes", "skipped", "failed", "seconds"};
	struct task_schema_msg m = {.schema = 1,
				    .name = (char *)(uintptr_t) "copy", /* only read, as below */
				    .columns = (char **)(uintptr_t)columns,
				    .column_count = ARRAY_LEN(columns)};
	uint64_t id = schemas_intern(run_schemas(link->run), m.name, m.columns, m.column_count);

	if (run_store(link->run))
		keep_schema(run_store(link->run), child_job(link->child), link->child, id, &m, 0);
	return id;
}

void copy_tell_row(struct link *link, const struct copy_tally *tally, double seconds)
{
	struct record record = {.stream = STREAM_OUTPUT, .time_ns = clock_wall_ns()};
	struct buf row = {0};

	wire_put_array(&row, 5);
	wire_put_u64(&row, tally->files);
	wire_put_u64(&row, tally->bytes);
	wire_put_u64(&row, tally->same);
	wire_put_u64(&row, tally->failed);
	value_put_float(&row, seconds);
	record.value = row.data;
	record.len = row.len;
	record.is_typed = true;
	record.nodes = 6;
	record.schema = copy_tell_schema(link);
	link_on_record(link, &record);
	buf_done(&row);
}

void copy_tell_outcome(struct outcome *ret, const struct copy_tally *tally)
{
	*ret = (struct outcome){.cause = CAUSE_EXITED, .exit_code = tally->failed ? 1 : 0};
	if (tally->failed)
		(void)snprintf(ret->text, sizeof ret->text, "%" PRIu64 " file%s not copied",
			       tally->failed, tally->failed == 1 ? "" : "s");
}

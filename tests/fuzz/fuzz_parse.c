/*
 * Fuzz target: whatever a command writes, through each parser. The first byte of the input picks
 * the parser, the second how the rest is cut into portions. Every record must go through a message,
 * cuts must not change what comes out, and of lines, nul and raw every byte must come back.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz.h"

#include "limits.h"
#include "parse.h"

#define FUZZ_RECORDS 8u /* so many go through a message: more would only be slow */

struct fuzz_out {
	struct buf all;	  /* of every record all that there is */
	struct buf bytes; /* what a program would write */
	size_t columns;
	size_t sent;
	char separator;
};

static int fuzz_received(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	const struct record *sent = arg;

	(void)child;
	(void)seq;
	must(record->len == sent->len && record->flags == sent->flags);
	must(!record->is_typed || record->nodes == sent->nodes);
	return 0;
}

static void fuzz_send(const struct record *record)
{
	struct record_batch batch = {0};
	struct record sent = *record;
	struct buf body = {0};

	record_batch_add(&batch, record);
	records_put(&body, 1, 1, &batch);
	must(records_get(body.data, body.len, fuzz_received, &sent, NULL) == 0);
	buf_done(&body);
	record_batch_done(&batch);
}

static void fuzz_record(void *arg, const struct record *record)
{
	struct fuzz_out *out = arg;

	must(!record->schema || out->columns);
	must(record->len <= (record->is_typed ? LIMIT_TYPED_VALUE : LIMIT_RECORD_VALUE));
	if (out->sent++ < FUZZ_RECORDS)
		fuzz_send(record);
	buf_add(&out->bytes, record->value, record->len);
	if (!(record->flags & (RECORD_CONTINUES | RECORD_NO_EOL)))
		buf_add_char(&out->bytes, out->separator);
	buf_addf(&out->all, "%u %u %u %u|", (unsigned)record->flags, (unsigned)record->nodes,
		 (unsigned)record->schema, (unsigned)record->len);
	buf_add(&out->all, record->value, record->len);
}

static void fuzz_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	struct fuzz_out *out = arg;

	must(schema == 1 && !out->columns && count >= 1 && count <= LIMIT_COLUMNS);
	out->columns = count;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(columns[i]);

		must(len >= 1 && len <= LIMIT_COLUMN_NAME);
		for (size_t k = 0; k < i; k++)
			must(strcmp(columns[i], columns[k]) != 0);
		buf_add(&out->all, columns[i], len);
	}
}

static void fuzz_run(uint8_t kind, const uint8_t *data, size_t size, size_t step,
		     struct fuzz_out *out)
{
	static const struct parse_events events = {fuzz_record, fuzz_schema};
	struct parse *p = NULL;

	must(parse_new(&p, kind, kind == PARSE_REGEX ? "^(?<a>[^ ]*) ([0-9]*)(x)?" : NULL, &events,
		       out, NULL) == 0);
	out->separator = kind == PARSE_NUL ? '\0' : '\n';
	for (size_t at = 0; at < size; at += step)
		parse_add(p, data + at, step < size - at ? step : size - at);
	parse_end(p);
	parse_free(p);
}

static int fuzz_is_text(uint8_t kind)
{
	return kind == PARSE_LINES || kind == PARSE_RAW || kind == PARSE_NUL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_out whole = {0}, cut = {0};
	uint8_t kind;

	if (size < 2)
		return 0;
	kind = data[0] % PARSE_COUNT;
	fuzz_run(kind, data + 2, size - 2, size, &whole);
	fuzz_run(kind, data + 2, size - 2, 1 + data[1] % 37u, &cut);
	if (kind != PARSE_RAW)
		must(whole.all.len == cut.all.len &&
		     (!cut.all.len || !memcmp(whole.all.data, cut.all.data, cut.all.len)));
	if (fuzz_is_text(kind))
		must(cut.bytes.len == size - 2 &&
		     (size == 2 || !memcmp(cut.bytes.data, data + 2, size - 2)));
	buf_done(&whole.all);
	buf_done(&whole.bytes);
	buf_done(&cut.all);
	buf_done(&cut.bytes);
	return 0;
}

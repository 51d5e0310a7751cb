#include "doctor_report.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "fold.h"
#include "wire.h"

/* Of these each host has something of its own to say. */
static const char changed_key[] = "changed-key";

/* Names of sets for people; others are as the state is called. */
static const struct {
	const char *state, *one, *many;
} report_names[] = {
	{"new-key", "new key", "new keys"},
	{changed_key, "changed key", "changed keys"},
	{"revoked-key", "revoked key", "revoked keys"},
};

struct report_row {
	const struct doctor_host *host;
	size_t index;
};

/* The same state for the same reason: count of them from first on. */
struct report_set {
	const struct report_row *first;
	size_t count;
};

/* Keys differ from host to host, and what is said of them does too. */
static const char *report_why(const struct doctor_host *host)
{
	if (!host->text || strstr(host->state, "-key"))
		return "";
	return host->text;
}

static int report_by_set(const void *va, const void *vb)
{
	const struct report_row *a = va, *b = vb;
	int rc = strcmp(a->host->state, b->host->state);

	if (rc == 0)
		rc = strcmp(report_why(a->host), report_why(b->host));
	return rc ? rc : (a->index > b->index) - (a->index < b->index);
}

static int report_by_size(const void *va, const void *vb)
{
	const struct report_set *a = va, *b = vb;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->first->index > b->first->index) - (a->first->index < b->first->index);
}

static bool report_is_same(const struct report_row *a, const struct report_row *b)
{
	return strcmp(a->host->state, b->host->state) == 0 &&
	       strcmp(report_why(a->host), report_why(b->host)) == 0;
}

static const char *report_name(const char *state, size_t count)
{
	for (size_t i = 0; i < ARRAY_LEN(report_names); i++)
		if (strcmp(report_names[i].state, state) == 0)
			return count == 1 ? report_names[i].one : report_names[i].many;
	return state;
}

/* 1912: "1,912" */
static void report_number(struct buf *out, size_t n)
{
	if (n >= 1000) {
		report_number(out, n / 1000);
		buf_addf(out, ",%03zu", n % 1000);
	} else {
		buf_addf(out, "%zu", n);
	}
}

static void report_escaped(struct buf *out, const char *text)
{
	escape_display(out, text, strlen(text));
}

/* The host as ssh-keygen -R wants it. */
static void report_cure(struct buf *out, const struct doctor_host *host)
{
	char *name = doctor_field(host, "name"), *port = doctor_field(host, "port");
	char *alias = doctor_field(host, "alias"), *file = doctor_field(host, "where");

	buf_add_str(out, "; if that is right: ssh-keygen -R '");
	if (name && port && strcmp(port, "22") != 0 && alias && strcmp(alias, "0") == 0) {
		buf_add_char(out, '[');
		report_escaped(out, name);
		buf_addf(out, "]:%s", port);
	} else {
		report_escaped(out, name ? name : host->label);
	}
	buf_add_char(out, '\'');
	if (file) {
		buf_add_str(out, " -f '");
		report_escaped(out, file);
		buf_add_char(out, '\'');
	}
	free(name);
	free(port);
	free(alias);
	free(file);
}

static void report_changed(struct buf *out, const struct report_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct doctor_host *host = set->first[i].host;
		char *print = doctor_field(host, "fingerprint");
		char *known = doctor_field(host, "known");

		buf_add_str(out, "  ");
		report_escaped(out, host->label);
		buf_add_str(out, ": ");
		report_escaped(out, host->text ? host->text : "changed");
		buf_addf(out, "; it shows %s", print ? print : "?");
		if (known)
			buf_addf(out, ", known is %s", known);
		report_cure(out, host);
		buf_add_char(out, '\n');
		free(print);
		free(known);
	}
}

static void report_set(struct buf *out, const struct report_set *set, const char **names)
{
	const struct doctor_host *host = set->first->host;
	char *folded;

	report_number(out, set->count);
	buf_addf(out, " %s", report_name(host->state, set->count));
	for (size_t i = 0; i < set->count; i++)
		names[i] = set->first[i].host->label;
	folded = fold_names(names, set->count);
	buf_add_str(out, ": ");
	report_escaped(out, folded);
	free(folded);
	if (*report_why(host)) {
		buf_add_str(out, " (");
		report_escaped(out, report_why(host));
		buf_add_char(out, ')');
	}
	buf_add_char(out, '\n');
	if (strcmp(host->state, changed_key) == 0)
		report_changed(out, set);
}

void doctor_report_sets(struct buf *out, const struct doctor *doctor)
{
	struct report_row *rows = xcalloc(doctor->count + 1, sizeof *rows);
	struct report_set *sets = xcalloc(doctor->count + 1, sizeof *sets);
	const char **names = xcalloc(doctor->count + 1, sizeof *names);
	size_t count = 0, n = 0;

	for (size_t i = 0; i < doctor->count; i++)
		if (doctor->hosts[i].state)
			rows[count++] = (struct report_row){&doctor->hosts[i], i};
	qsort(rows, count, sizeof *rows, report_by_set);
	for (size_t i = 0; i < count; i++) {
		if (n && report_is_same(sets[n - 1].first, &rows[i]))
			sets[n - 1].count++;
		else
			sets[n++] = (struct report_set){&rows[i], 1};
	}
	qsort(sets, n, sizeof *sets, report_by_size);
	for (size_t i = 0; i < n; i++)
		report_set(out, &sets[i], names);
	free(rows);
	free(sets);
	free(names);
}

void doctor_report_keys(struct buf *out, const struct doctor *doctor, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_host *host = &doctor->hosts[i];
		char *type, *print;

		if (!doctor_is_new_key(host) || ++count > max)
			continue;
		type = doctor_field(host, "key_type");
		print = doctor_field(host, "fingerprint");
		buf_add_str(out, "  ");
		report_escaped(out, host->label);
		buf_add_str(out, ": ");
		report_escaped(out, type ? type : "?");
		buf_addf(out, " %s\n", print ? print : "?");
		free(type);
		free(print);
	}
	if (count > max)
		buf_addf(out, "  and %zu more: --list-keys shows all of them\n", count - max);
}

static void report_put(struct buf *row, const char *text)
{
	if (text)
		wire_put_str(row, text);
	else
		wire_put_nil(row);
}

static void report_put_field(struct buf *row, const struct doctor_host *host, const char *name)
{
	char *text = doctor_field(host, name);

	report_put(row, text);
	free(text);
}

static void report_row(struct buf *row, const struct doctor_host *host, size_t columns)
{
	char *ms = doctor_field(host, "ms");

	wire_put_array(row, columns);
	report_put(row, host->state);
	report_put(row, host->step);
	report_put(row, host->text);
	report_put_field(row, host, "key_type");
	report_put_field(row, host, "fingerprint");
	report_put_field(row, host, "agent");
	report_put_field(row, host, "durable");
	report_put_field(row, host, "program");
	report_put_field(row, host, "note");
	if (ms)
		wire_put_u64(row, strtoull(ms, NULL, 10));
	else
		wire_put_nil(row);
	free(ms);
}

void doctor_report_rows(struct buf *out, const struct doctor *doctor, const struct format *format,
			const struct render_style *style)
{
	static const char *const columns[] = {
		"State", "Step",    "Text",	    "KeyType", "Fingerprint",
		"Agent", "Durable", "AgentVersion", "Note",    "Milliseconds"};
	struct format_state state = {0};

	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_host *host = &doctor->hosts[i];
		struct format_record r = {.host = host->label,
					  .stream = "output",
					  .seq = i + 1,
					  .is_typed = true,
					  .columns = columns,
					  .column_count = ARRAY_LEN(columns)};
		struct buf row = {0};

		if (!host->state)
			continue;
		report_row(&row, host, ARRAY_LEN(columns));
		format->begin(out, style, &state, &r);
		format->piece(out, style, &state, &r, row.data, row.len);
		format->end(out, style, &state, &r);
		buf_done(&row);
	}
	format->close(out, style, &state);
	format_state_done(&state);
}

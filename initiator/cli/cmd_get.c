/* muster get: the jobs that the daemon holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "control.h"
#include "control_msg.h"
#include "duration.h"
#include "exit.h"
#include "fold.h"
#include "json.h"
#include "table.h"

#define GET_LOCATION_MAX 40u /* bytes of this column on a terminal */

struct get_values {
	struct cmd_globals globals;
	bool all;
	bool children;
};

enum get_shape { GET_TABLE, GET_JSON, GET_JSONL };

struct get {
	struct loop *loop;
	enum get_shape shape;
	struct table *table;
	struct buf text; /* JSON so far */
	int status;
};

static const struct table_column get_columns[] = {
	{"Id", true},		{"Name", false},     {"Type", false},	 {"State", false},
	{"HasMoreData", false}, {"Location", false}, {"Command", false},
};

static void get_json_number(struct buf *out, const char *key, uint64_t v, bool present)
{
	json_key(out, key);
	if (present)
		buf_addf(out, "%llu", (unsigned long long)v);
	else
		buf_add_str(out, "null");
}

static void get_json_text(struct buf *out, const char *key, const char *text)
{
	json_key(out, key);
	json_str(out, text);
}

/* Of the terminal; 0: it is none. */
static size_t get_width(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 0;
}

/* "unreachable: connection refused": the cause with what belongs to it. */
static void get_json_cause(struct buf *out, const struct get_row_msg *m)
{
	char *cause = m->cause && m->text ? xasprintf("%s: %s", m->cause, m->text) : NULL;

	get_json_text(out, "cause", cause ? cause : m->cause);
	free(cause);
}

/* The keys and their order are DESIGN's: scripts rely on them. */
static void get_json(struct buf *out, const struct get_row_msg *m)
{
	buf_add_char(out, '{');
	get_json_number(out, "id", m->id, true);
	get_json_number(out, "parent_id", m->parent_id, m->parent_id != 0);
	get_json_text(out, "name", m->name);
	get_json_text(out, "type", m->type);
	get_json_text(out, "state", m->state);
	json_key(out, "has_more_data");
	buf_add_str(out, m->has_more_data ? "true" : "false");
	get_json_text(out, "location", m->location);
	get_json_text(out, "command", m->command);
	json_key(out, "begin");
	json_time(out, m->begin_ns);
	json_key(out, "end");
	json_time(out, m->end_ns);
	get_json_cause(out, m);
	get_json_number(out, "exit_code", (uint64_t)m->exit_code, m->exit_code >= 0);
	get_json_text(out, "signal", m->signal);
	get_json_text(out, "instance_id", m->instance_id);
	json_key(out, "children");
	buf_add_char(out, '[');
	for (size_t i = 0; i < m->child_count; i++)
		buf_addf(out, "%s%llu", i ? "," : "", (unsigned long long)m->children[i]);
	buf_add_str(out, "]}");
}

/* "web1,web2,web3" as "web[1-3]", and on a terminal no longer than a column should be. */
static char *get_fold(const char *location, bool on_terminal)
{
	char *copy = xstrdup(location), *folded;
	const char **names = xcalloc(strlen(copy) / 2 + 1, sizeof *names);
	size_t count = 0, cut = GET_LOCATION_MAX - 3;

	for (char *at = copy; *at; at += strspn(at, ",")) {
		names[count++] = at;
		at += strcspn(at, ",");
		if (*at)
			*at++ = '\0';
	}
	folded = fold_names(names, count);
	free(names);
	free(copy);
	if (!on_terminal || strlen(folded) <= GET_LOCATION_MAX)
		return folded;
	while (cut && ((unsigned char)folded[cut] & 0xc0) == 0x80)
		cut--;
	memcpy(folded + cut, "...", sizeof "...");
	return folded;
}

static void get_table_row(struct get *get, const struct get_row_msg *m)
{
	char *location = get_fold(m->location ? m->location : "", get_width() > 0);
	char id[24];
	const char *cells[] = {
		id,	  m->name,   m->type, m->state, m->has_more_data ? "True" : "False",
		location, m->command};

	(void)snprintf(id, sizeof id, "%llu", (unsigned long long)m->id);
	table_row(get->table, cells);
	free(location);
}

static void get_row(struct get *get, const struct get_row_msg *m)
{
	if (get->shape == GET_TABLE) {
		get_table_row(get, m);
		return;
	}
	if (get->shape == GET_JSON)
		buf_add_str(&get->text, get->text.len ? ",\n" : "[");
	get_json(&get->text, m);
	if (get->shape == GET_JSONL)
		buf_add_char(&get->text, '\n');
}

static void get_on_row(struct get *get, const void *body, size_t len)
{
	struct get_row_msg m;
	struct errmsg msg;

	if (get_row_get(&m, body, len, &msg) != 0) {
		get->status = cmd_error(EXIT_NO_DAEMON, "%s", msg.text);
		loop_stop(get->loop);
		return;
	}
	get_row(get, &m);
	get_row_done(&m);
}

static void get_on_end(struct get *get, const void *body, size_t len)
{
	struct get_end_msg m;
	struct errmsg msg;

	if (get_end_get(&m, body, len, &msg) != 0) {
		get->status = cmd_error(EXIT_NO_DAEMON, "%s", msg.text);
	} else {
		for (size_t i = 0; i < m.missing_count; i++)
			get->status = cmd_error(EXIT_USAGE, "there is no job %llu",
						(unsigned long long)m.missing[i]);
		get_end_done(&m);
	}
	loop_stop(get->loop);
}

static void get_on_message(void *arg, uint8_t type, const void *body, size_t len)
{
	struct get *get = arg;
	struct error_msg error;

	if (type == MSG_GET_ROW) {
		get_on_row(get, body, len);
	} else if (type == MSG_GET_END) {
		get_on_end(get, body, len);
	} else {
		get->status = EXIT_NO_DAEMON;
		if (type == MSG_ERROR && error_get(&error, body, len, NULL) == 0) {
			(void)cmd_error(EXIT_NO_DAEMON, "%s", error.text ? error.text : "?");
			error_done(&error);
		}
		loop_stop(get->loop);
	}
}

static void get_on_closed(void *arg, const char *why)
{
	struct get *get = arg;

	get->status = cmd_error(EXIT_NO_DAEMON, "%s", why);
	loop_stop(get->loop);
}

static int get_print(struct get *get)
{
	if (get->shape == GET_TABLE)
		table_render(&get->text, get->table, get_width());
	else if (get->shape == GET_JSON)
		buf_add_str(&get->text, get->text.len ? "]\n" : "[]\n");
	return cmd_print(&get->text);
}

static int get_talk(struct get *get, const struct get_values *v, const struct get_msg *m)
{
	static const struct control_events events = {get_on_message, get_on_closed};
	struct control *control = NULL;
	struct buf body = {0};
	struct paths paths;
	struct errmsg msg;
	int rc;

	if (paths_find(&paths, cmd_daemon_name(&v->globals), &msg) != 0)
		return cmd_usage(&cmd_get, "%s", msg.text);
	rc = control_open(&control, get->loop, &paths, CONTROL_START, &events, get, &msg);
	paths_done(&paths);
	if (rc)
		return cmd_control_error(rc, msg.text);
	get_put(&body, m);
	control_send(control, MSG_GET, &body);
	loop_run(get->loop);
	control_free(control);
	rc = get_print(get);
	return rc == EXIT_OK ? get->status : rc;
}

static int get_shape_find(const char *name, enum get_shape *ret)
{
	static const char *const names[] = {"table", "json", "jsonl"};

	*ret = GET_TABLE;
	for (size_t i = 0; name && i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum get_shape)i;
			return 0;
		}
	return name ? ERR_SYNTAX : 0;
}

static int get_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	const struct get_values *v = arg;
	struct get_msg m = {.all = v->all, .children = v->children};
	struct get get = {0};
	struct errmsg msg;
	int status = EXIT_OK;

	if (get_shape_find(v->globals.output, &get.shape) != 0)
		return cmd_usage(cmd, "--output: '%s' is none of table, json, jsonl",
				 v->globals.output);
	if (argc > (int)CONTROL_IDS_MAX)
		return cmd_usage(cmd, "more than %u ids", CONTROL_IDS_MAX);
	m.ids = xcalloc((size_t)argc, sizeof *m.ids);
	for (; status == EXIT_OK && m.id_count < (size_t)argc; m.id_count++)
		if (count_parse(&m.ids[m.id_count], argv[m.id_count], 1, INT64_MAX, "ID", &msg) !=
		    0)
			status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK) {
		get.loop = loop_new();
		get.table = table_new(get_columns, ARRAY_LEN(get_columns));
		status = get_talk(&get, v, &m);
		table_free(get.table);
		buf_done(&get.text);
		loop_free(get.loop);
	}
	free(m.ids);
	return status;
}

#define VALUE(field) offsetof(struct get_values, field)
static const struct option_row get_rows[] = {
	{"all", 'a', OPTION_FLAG, VALUE(all), NULL,
	 "synchronous invokes too, of which the last 100 are kept"},
	{"include-child-jobs", 'c', OPTION_FLAG, VALUE(children), NULL,
	 "the child jobs, one for each host, beside their parents"},
};

const struct cmd cmd_get = {
	.name = "get",
	.synopsis = "[OPTION...] [ID...]",
	.summary = "List jobs",
	.text = "Without ID: all jobs. --output: table, json or jsonl.\n",
	.options = get_rows,
	.option_count = ARRAY_LEN(get_rows),
	.values_size = sizeof(struct get_values),
	.run = get_cmd_run,
};

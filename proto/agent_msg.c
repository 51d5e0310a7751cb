#include "agent_msg.h"

#include <string.h>

#include "control_msg.h"
#include "fields.h"
#include "limits.h"

/* A task of which every part is as large as it may be fits into a frame. */
_Static_assert(LIMIT_SCRIPT + 2 * LIMIT_COMMAND + 5 * (LIMIT_ARGS + LIMIT_ENV) +
			       3 * LIMIT_OPTION_TEXT + LIMIT_PATTERN + 1024 <=
		       LIMIT_FRAME_BODY,
	       "TASK_OPEN fits into a frame");

/* --- 12.1. connection ---------------------------------------------------------------------- */

static const struct layout_field agent_hello_msg_fields[] = {
	NEED_U64(agent_hello_msg, version_min),
	NEED_U64(agent_hello_msg, version_max),
	TEXT(agent_hello_msg, program, CONTROL_USER_MAX),
	U64(agent_hello_msg, pid, UINT64_MAX),
	TEXT(agent_hello_msg, arch, CONTROL_WORD_MAX),
	TEXT(agent_hello_msg, machine_id, CONTROL_WORD_MAX),
	TEXT(agent_hello_msg, boot_id, CONTROL_WORD_MAX),
	U64(agent_hello_msg, uid, UINT64_MAX),
	U64(agent_hello_msg, capabilities, UINT64_MAX),
	TEXT(agent_hello_msg, durable_note, LIMIT_OPTION_TEXT),
};

static void agent_hello_verify(struct wire_in *in, const void *body)
{
	const struct agent_hello_msg *m = body;

	fields_versions(in, m->version_min, m->version_max);
}

MESSAGE_DEFINE(agent_hello, "HELLO", agent_hello_verify)

/* --- what the initiator sends -------------------------------------------------------------- */

/* Every message of a task begins with it. */
static void agent_verify_task(struct wire_in *in, uint64_t task)
{
	if (!task)
		wire_fault(in, ERR_PROTO, "task", "is 0, which is no task");
}

/* A UUID, as its text becomes the name of a directory (RFC 9562, section 4). */
static void agent_verify_instance(struct wire_in *in, const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	bool good = text && strlen(text) == sizeof form - 1;

	for (size_t i = 0; good && i < sizeof form - 1; i++)
		good = form[i] == '-' ? text[i] == '-'
				      : text[i] && strchr("0123456789abcdef", text[i]);
	if (!good)
		wire_fault(in, ERR_PROTO, "instance", "is no UUID in lower case");
}

static const struct layout_field task_open_msg_fields[] = {
	NEED_U64(task_open_msg, task),
	STR(task_open_msg, instance, CONTROL_WORD_MAX),
	LIST(task_open_msg, STRS, argv, argc, LIMIT_ARGS),
	LIST(task_open_msg, STRS, env, env_count, LIMIT_ENV),
	STR(task_open_msg, directory, LIMIT_OPTION_TEXT),
	LIST(task_open_msg, BIN, script, script_len, LIMIT_SCRIPT),
	STR(task_open_msg, script_name, LIMIT_OPTION_TEXT),
	BOOL(task_open_msg, stdin_follows),
	BOOL(task_open_msg, pty),
	I64(task_open_msg, nice, 0),
	U64(task_open_msg, parse, PARSE_COUNT - 1),
	STR(task_open_msg, parse_argument, LIMIT_PATTERN),
	U64(task_open_msg, run_timeout_ms, CONTROL_MS_MAX),
	U64(task_open_msg, idle_timeout_ms, CONTROL_MS_MAX),
	U64(task_open_msg, grace_ms, CONTROL_MS_MAX),
	U64(task_open_msg, credit, UINT64_MAX),
	U64(task_open_msg, output_limit, UINT64_MAX),
	BOOL(task_open_msg, durable),
	U64(task_open_msg, epoch, UINT64_MAX),
	U64(task_open_msg, spool_limit, UINT64_MAX),
	BOOL(task_open_msg, spool_drop),
	BOOL(task_open_msg, session),
};

static void task_open_verify(struct wire_in *in, const void *body)
{
	const struct task_open_msg *m = body;

	agent_verify_task(in, m->task);
	if (!m->script && !m->argc)
		wire_fault(in, ERR_PROTO, "argv", "is empty: there is nothing to run");
	if (!m->script && m->argc && !m->argv[0][0])
		wire_fault(in, ERR_PROTO, "argv", "begins with an empty word: there is no command");
	fields_argv(in, m->argv, m->argc);
	fields_env(in, m->env, m->env_count);
	fields_nice(in, m->nice);
	if (m->durable)
		agent_verify_instance(in, m->instance);
	if (m->durable && m->session)
		wire_fault(in, ERR_PROTO, "session", "does not go with durable");
}

MESSAGE_DEFINE(task_open, "TASK_OPEN", task_open_verify)

static const struct layout_field task_stdin_msg_fields[] = {
	NEED_U64(task_stdin_msg, task),
	LIST(task_stdin_msg, BIN, data, len, LIMIT_STDIN_PIECE),
	BOOL(task_stdin_msg, end),
};

static void task_stdin_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_stdin_msg *)body)->task);
}

MESSAGE_DEFINE(task_stdin, "TASK_STDIN", task_stdin_verify)

static const struct layout_field task_signal_msg_fields[] = {
	NEED_U64(task_signal_msg, task),
	NEED_U64(task_signal_msg, signal),
};

static void task_signal_verify(struct wire_in *in, const void *body)
{
	const struct task_signal_msg *m = body;

	agent_verify_task(in, m->task);
	if (!m->signal || m->signal >= TASK_SIGNAL_COUNT)
		wire_fault(in, ERR_PROTO, "signal", "is none");
}

MESSAGE_DEFINE(task_signal, "TASK_SIGNAL", task_signal_verify)

static const struct layout_field task_credit_msg_fields[] = {
	NEED_U64(task_credit_msg, task),
	NEED_U64(task_credit_msg, bytes),
};

static void task_credit_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_credit_msg *)body)->task);
}

MESSAGE_DEFINE(task_credit, "TASK_CREDIT", task_credit_verify)

static const struct layout_field task_attach_msg_fields[] = {
	NEED_U64(task_attach_msg, task),	  STR(task_attach_msg, instance, CONTROL_WORD_MAX),
	U64(task_attach_msg, epoch, UINT64_MAX),  NEED_U64(task_attach_msg, next_seq),
	U64(task_attach_msg, credit, UINT64_MAX),
};

static void task_attach_verify(struct wire_in *in, const void *body)
{
	const struct task_attach_msg *m = body;

	agent_verify_task(in, m->task);
	agent_verify_instance(in, m->instance);
	if (!m->next_seq || m->next_seq == UINT64_MAX)
		wire_fault(in, ERR_PROTO, "next_seq", "is no number of a frame");
}

MESSAGE_DEFINE(task_attach, "TASK_ATTACH", task_attach_verify)

static const struct layout_field task_ack_msg_fields[] = {
	NEED_U64(task_ack_msg, task),
	NEED_U64(task_ack_msg, seq),
};

static void task_ack_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_ack_msg *)body)->task);
}

MESSAGE_DEFINE(task_ack, "TASK_ACK", task_ack_verify)

/* --- what both send ------------------------------------------------------------------------ */

static const struct layout_field task_detach_msg_fields[] = {
	NEED_U64(task_detach_msg, task),
};

static void task_detach_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_detach_msg *)body)->task);
}

MESSAGE_DEFINE(task_detach, "TASK_DETACH", task_detach_verify)

static const struct layout_field ping_msg_fields[] = {
	U64(ping_msg, number, UINT64_MAX),
};

MESSAGE_DEFINE(ping, "PING", NULL)

/* --- what the agent sends ------------------------------------------------------------------ */

static const struct layout_field task_running_msg_fields[] = {
	NEED_U64(task_running_msg, task),
	U64(task_running_msg, pid, INT32_MAX),
};

static void task_running_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_running_msg *)body)->task);
}

MESSAGE_DEFINE(task_running, "TASK_RUNNING", task_running_verify)

static const struct layout_field task_schema_msg_fields[] = {
	NEED_U64(task_schema_msg, task),
	NEED_U64(task_schema_msg, schema),
	STR(task_schema_msg, name, LIMIT_COLUMN_NAME),
	LIST(task_schema_msg, STRS, columns, column_count, LIMIT_COLUMNS),
};

static void task_schema_verify(struct wire_in *in, const void *body)
{
	const struct task_schema_msg *m = body;

	agent_verify_task(in, m->task);
	if (m->schema > LIMIT_SCHEMAS)
		wire_fault(in, ERR_LIMIT, "schema", "is above 64: a task has no more of them");
	fields_schema(in, m->schema, m->columns, m->column_count);
}

MESSAGE_DEFINE(task_schema, "TASK_SCHEMA", task_schema_verify)

static const struct layout_field task_state_msg_fields[] = {
	NEED_U64(task_state_msg, task),
	BOOL(task_state_msg, suspended),
	BOOL(task_state_msg, stalled),
};

static void task_state_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_state_msg *)body)->task);
}

MESSAGE_DEFINE(task_state, "TASK_STATE", task_state_verify)

static const struct layout_field task_stdin_room_msg_fields[] = {
	NEED_U64(task_stdin_room_msg, task),
	NEED_U64(task_stdin_room_msg, taken),
};

static void task_stdin_room_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_stdin_room_msg *)body)->task);
}

MESSAGE_DEFINE(task_stdin_room, "TASK_STDIN_ROOM", task_stdin_room_verify)

static const struct layout_field task_end_msg_fields[] = {
	NEED_U64(task_end_msg, task),
	NEED_U64(task_end_msg, kind),
	I64(task_end_msg, exit_code, -1),
	TEXT(task_end_msg, signal, CONTROL_WORD_MAX),
	TEXT(task_end_msg, text, LIMIT_OPTION_TEXT),
	BOOL(task_end_msg, began),
	BOOL(task_end_msg, pipes_open),
	U64(task_end_msg, survivors, UINT64_MAX),
	U64(task_end_msg, user_us, UINT64_MAX),
	U64(task_end_msg, system_us, UINT64_MAX),
	U64(task_end_msg, max_rss, UINT64_MAX),
	U64(task_end_msg, begin_ns, UINT64_MAX),
	U64(task_end_msg, end_ns, UINT64_MAX),
};

static void task_end_verify(struct wire_in *in, const void *body)
{
	const struct task_end_msg *m = body;

	agent_verify_task(in, m->task);
	if (!m->kind || m->kind >= TASK_END_KIND_COUNT)
		wire_fault(in, ERR_PROTO, "kind", "is none");
	if (m->exit_code < -1 || m->exit_code > UINT8_MAX)
		wire_fault(in, ERR_PROTO, "exit_code", "is not between -1 and 255");
	if (m->kind == TASK_EXITED && m->exit_code < 0)
		wire_fault(in, ERR_PROTO, "exit_code", "is missing, though the command exited");
	if (m->kind == TASK_SIGNALLED && (!m->signal || !m->signal[0]))
		wire_fault(in, ERR_PROTO, "signal", "is missing, though one ended the command");
}

MESSAGE_DEFINE(task_end, "TASK_END", task_end_verify)

static const struct layout_field task_attached_msg_fields[] = {
	NEED_U64(task_attached_msg, task),	   U64(task_attached_msg, last, UINT64_MAX - 1),
	U64(task_attached_msg, taken, UINT64_MAX), BOOL(task_attached_msg, resumed),
	BOOL(task_attached_msg, input_ended),
};

static void task_attached_verify(struct wire_in *in, const void *body)
{
	agent_verify_task(in, ((const struct task_attached_msg *)body)->task);
}

MESSAGE_DEFINE(task_attached, "TASK_ATTACHED", task_attached_verify)

static const struct layout_field task_gap_msg_fields[] = {
	NEED_U64(task_gap_msg, task),
	NEED_U64(task_gap_msg, from),
	U64(task_gap_msg, first_record, UINT64_MAX),
	U64(task_gap_msg, records, UINT64_MAX),
	U64(task_gap_msg, bytes, UINT64_MAX),
};

static void task_gap_verify(struct wire_in *in, const void *body)
{
	const struct task_gap_msg *m = body;

	agent_verify_task(in, m->task);
	if (!m->from)
		wire_fault(in, ERR_PROTO, "from", "is 0, which is no number of a frame");
}

MESSAGE_DEFINE(task_gap, "TASK_GAP", task_gap_verify)

static const struct layout_field task_session_msg_fields[] = {
	NEED_U64(task_session_msg, task),
	STR(task_session_msg, directory, LIMIT_OPTION_TEXT),
	LIST(task_session_msg, STRS, env, env_count, LIMIT_ENV),
};

static void task_session_verify(struct wire_in *in, const void *body)
{
	const struct task_session_msg *m = body;

	agent_verify_task(in, m->task);
	fields_env(in, m->env, m->env_count);
}

MESSAGE_DEFINE(task_session, "TASK_SESSION", task_session_verify)

/* --- the names of parsers ------------------------------------------------------------------ */

static const char *const agent_parse_names[PARSE_COUNT] = {
	[PARSE_LINES] = "lines", [PARSE_RAW] = "raw",	  [PARSE_NUL] = "nul",
	[PARSE_JSON] = "json",	 [PARSE_JSONL] = "jsonl", [PARSE_CSV] = "csv",
	[PARSE_TSV] = "tsv",	 [PARSE_KV] = "kv",	  [PARSE_BLOCKS] = "blocks",
	[PARSE_TABLE] = "table", [PARSE_REGEX] = "regex", [PARSE_AUTO] = "auto",
};

const char *agent_parse_name(uint64_t parse)
{
	return parse < PARSE_COUNT ? agent_parse_names[parse] : NULL;
}

int agent_parse_find(const char *name, uint64_t *ret, struct errmsg *msg)
{
	struct buf names = {0};
	int r;

	for (uint64_t i = 0; i < PARSE_COUNT; i++) {
		if (strcmp(name, agent_parse_names[i]) == 0) {
			*ret = i;
			buf_done(&names);
			return 0;
		}
		buf_addf(&names, "%s%s", i ? ", " : "", agent_parse_names[i]);
	}
	r = err_set(msg, ERR_SYNTAX, "\"%.64s\" is no way to parse output; use one of %s", name,
		    buf_cstr(&names));
	buf_done(&names);
	return r;
}

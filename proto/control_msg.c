#include "control_msg.h"

#include <string.h>

#include "fields.h"
#include "limits.h"

/* --- 5. connection ------------------------------------------------------------------------ */

static const struct layout_field hello_msg_fields[] = {
	NEED_U64(hello_msg, version_min),
	NEED_U64(hello_msg, version_max),
	TEXT(hello_msg, program, CONTROL_USER_MAX),
	U64(hello_msg, pid, UINT64_MAX),
};

static void hello_verify(struct wire_in *in, const void *body)
{
	const struct hello_msg *m = body;

	fields_versions(in, m->version_min, m->version_max);
}

MESSAGE_DEFINE(hello, "HELLO", hello_verify)

static const struct layout_field error_msg_fields[] = {
	FIELD(error_msg, I64, code, .need = true),
	TEXT(error_msg, text, LIMIT_OPTION_TEXT),
};

static void error_verify(struct wire_in *in, const void *body)
{
	const struct error_msg *m = body;

	if (m->code >= 0 || m->code <= ERR_FIRST_)
		wire_fault(in, ERR_PROTO, "code", "is not the number of an error");
}

MESSAGE_DEFINE(error, "ERROR", error_verify)

static const struct layout_field warning_msg_fields[] = {
	TEXT(warning_msg, text, LIMIT_OPTION_TEXT),
};

MESSAGE_DEFINE(warning, "WARNING", NULL)

/* --- 6. jobs ------------------------------------------------------------------------------ */

static const struct layout_field job_target_fields[] = {
	NEED_STR(job_target, host, CONTROL_LABEL_MAX),
	NEED_STR(job_target, hostname, LIMIT_HOST_NAME),
	STR(job_target, user, CONTROL_USER_MAX),
	U64(job_target, port, UINT16_MAX),
	U64(job_target, rank, LIMIT_HOSTS),
};

LAYOUT(job_target, "target", NULL)

static const struct layout_field job_targets_msg_fields[] = {
	FIELD(job_targets_msg, ROWS, targets, .count_at = offsetof(struct job_targets_msg, count),
	      .max = CONTROL_TARGETS_MAX, .row = &job_target_layout, .need = true),
};

MESSAGE_DEFINE(job_targets, "JOB_TARGETS", NULL)

static const struct layout_field job_stop_msg_fields[] = {
	NEED_U64(job_stop_msg, job),
};

MESSAGE_DEFINE(job_stop, "JOB_STOP", NULL)

static const struct layout_field job_children_msg_fields[] = {
	NEED_U64(job_children_msg, verb),
	LIST(job_children_msg, RUNS, children, count, CONTROL_IDS_MAX),
};

static void job_children_verify(struct wire_in *in, const void *body)
{
	const struct job_children_msg *m = body;

	if (m->verb < 1 || m->verb >= JOB_CHILDREN_VERB_COUNT)
		wire_fault(in, ERR_PROTO, "verb", "is none of those that there are");
}

MESSAGE_DEFINE(job_children, "JOB_CHILDREN", job_children_verify)

static const struct layout_field job_stdin_msg_fields[] = {
	LIST(job_stdin_msg, BIN, data, len, LIMIT_STDIN_PIECE),
	BOOL(job_stdin_msg, end),
};

MESSAGE_DEFINE(job_stdin, "JOB_STDIN", NULL)

static const struct layout_field job_secret_msg_fields[] = {
	SECRET(job_secret_msg, password, CONTROL_PASSWORD_MAX),
	SECRET(job_secret_msg, login, CONTROL_PASSWORD_MAX),
};

/* It is written as a line: a newline would make what follows it input of something else. */
static void job_secret_verify(struct wire_in *in, const void *body)
{
	const struct job_secret_msg *m = body;

	if (!m->password && !m->login)
		wire_fault(in, ERR_PROTO, "password", "is missing");
	if (m->password && strpbrk(m->password, "\r\n"))
		wire_fault(in, ERR_PROTO, "password", "is more than one line");
	if (m->login && strpbrk(m->login, "\r\n"))
		wire_fault(in, ERR_PROTO, "login", "is more than one line");
}

MESSAGE_DEFINE(job_secret, "JOB_SECRET", job_secret_verify)

static const struct layout_field job_ask_msg_fields[] = {
	NEED_U64(job_ask_msg, number),
	NEED_U64(job_ask_msg, kind),
	TEXT(job_ask_msg, text, LIMIT_OPTION_TEXT),
	BOOL(job_ask_msg, echo),
};

static void job_ask_verify(struct wire_in *in, const void *body)
{
	const struct job_ask_msg *m = body;

	if (m->kind < 1 || m->kind >= JOB_ASK_KIND_COUNT)
		wire_fault(in, ERR_PROTO, "kind", "is none of those that there are");
	if (!m->text)
		wire_fault(in, ERR_PROTO, "text", "is missing");
}

MESSAGE_DEFINE(job_ask, "JOB_ASK", job_ask_verify)

static const struct layout_field job_answer_msg_fields[] = {
	NEED_U64(job_answer_msg, number),
	BOOL(job_answer_msg, given),
	SECRET(job_answer_msg, text, CONTROL_PASSWORD_MAX),
};

static void job_answer_verify(struct wire_in *in, const void *body)
{
	const struct job_answer_msg *m = body;

	if (m->given && !m->text)
		wire_fault(in, ERR_PROTO, "text", "is missing");
}

MESSAGE_DEFINE(job_answer, "JOB_ANSWER", job_answer_verify)

static const struct layout_field schema_msg_fields[] = {
	NEED_U64(schema_msg, schema),
	STR(schema_msg, name, LIMIT_COLUMN_NAME),
	LIST(schema_msg, STRS, columns, column_count, LIMIT_COLUMNS),
};

static void schema_verify(struct wire_in *in, const void *body)
{
	const struct schema_msg *m = body;

	fields_schema(in, m->schema, m->columns, m->column_count);
}

MESSAGE_DEFINE(schema, "SCHEMA", schema_verify)

static const struct layout_field job_accepted_msg_fields[] = {
	NEED_U64(job_accepted_msg, job),
	NEED_U64(job_accepted_msg, first_child),
	TEXT(job_accepted_msg, name, LIMIT_JOB_NAME),
};

MESSAGE_DEFINE(job_accepted, "JOB_ACCEPTED", NULL)

static const struct layout_field child_state_msg_fields[] = {
	NEED_U64(child_state_msg, child),
	NEED_STR(child_state_msg, state, CONTROL_WORD_MAX),
	BOOL(child_state_msg, finished),
	STR(child_state_msg, cause, CONTROL_WORD_MAX),
	I64(child_state_msg, exit_code, -1),
	STR(child_state_msg, signal, CONTROL_WORD_MAX),
	TEXT(child_state_msg, text, LIMIT_OPTION_TEXT),
	U64(child_state_msg, exit_status, UINT8_MAX),
	U64(child_state_msg, begin_ns, UINT64_MAX),
	U64(child_state_msg, end_ns, UINT64_MAX),
	BOOL(child_state_msg, starting),
};

MESSAGE_DEFINE(child_state, "CHILD_STATE", NULL)

static const struct layout_field job_end_msg_fields[] = {
	NEED_U64(job_end_msg, job),
	NEED_STR(job_end_msg, state, CONTROL_WORD_MAX),
};

MESSAGE_DEFINE(job_end, "JOB_END", NULL)

/* --- 7. get ------------------------------------------------------------------------------- */

#define FILTER(type)                                                                               \
	LIST(type, STRS, filter.selectors, filter.selector_count, CONTROL_IDS_MAX),                \
		STR(type, filter.state, CONTROL_WORD_MAX), U64(type, filter.more, FILTER_MORE_NO), \
		STR(type, filter.command, LIMIT_COMMAND), U64(type, filter.before_ns, UINT64_MAX), \
		U64(type, filter.after_ns, UINT64_MAX), U64(type, filter.newest, UINT64_MAX),      \
		BOOL(type, filter.all), BOOL(type, filter.children),                               \
		STR(type, filter.child_state, CONTROL_WORD_MAX)

/* What fits into a frame whatever else the message holds. */
static void filter_verify(struct wire_in *in, const struct filter_msg *m)
{
	if (fields_total(m->selectors, m->selector_count) > CONTROL_IDS_BYTES)
		wire_fault(in, ERR_LIMIT, "filter.selectors",
			   "are longer than 256 KiB in all; use a wildcard");
}

static const struct layout_field get_msg_fields[] = {
	FILTER(get_msg),
};

static void get_verify(struct wire_in *in, const void *body)
{
	const struct get_msg *m = body;

	filter_verify(in, &m->filter);
}

MESSAGE_DEFINE(get, "GET", get_verify)

static const struct layout_field get_row_msg_fields[] = {
	NEED_U64(get_row_msg, id),
	U64(get_row_msg, parent_id, UINT64_MAX),
	TEXT(get_row_msg, name, LIMIT_OPTION_TEXT),
	STR(get_row_msg, type, CONTROL_WORD_MAX),
	NEED_STR(get_row_msg, state, CONTROL_WORD_MAX),
	BOOL(get_row_msg, has_more_data),
	TEXT(get_row_msg, location, CONTROL_LOCATION_MAX),
	TEXT(get_row_msg, command, LIMIT_COMMAND),
	U64(get_row_msg, begin_ns, UINT64_MAX),
	U64(get_row_msg, end_ns, UINT64_MAX),
	STR(get_row_msg, cause, CONTROL_WORD_MAX),
	I64(get_row_msg, exit_code, -1),
	STR(get_row_msg, signal, CONTROL_WORD_MAX),
	TEXT(get_row_msg, text, LIMIT_OPTION_TEXT),
	STR(get_row_msg, instance_id, CONTROL_WORD_MAX),
	LIST(get_row_msg, RUNS, children, child_count, LIMIT_HOSTS),
	TEXT(get_row_msg, progress, CONTROL_LOCATION_MAX / 4),
	U64(get_row_msg, exit_status, UINT8_MAX),
};

MESSAGE_DEFINE(get_row, "GET_ROW", NULL)

static const struct layout_field get_end_msg_fields[] = {
	BOOL(get_end_msg, timed_out),
};

MESSAGE_DEFINE(get_end, "GET_END", NULL)

static const struct layout_field problem_msg_fields[] = {
	U64(problem_msg, exit_status, UINT8_MAX),
	TEXT(problem_msg, text, LIMIT_OPTION_TEXT),
};

MESSAGE_DEFINE(problem, "PROBLEM", NULL)

static const struct layout_field doing_msg_fields[] = {
	FILTER(doing_msg),
	NEED_U64(doing_msg, verb),
	BOOL(doing_msg, force),
	BOOL(doing_msg, any),
	BOOL(doing_msg, once),
	U64(doing_msg, timeout_ms, CONTROL_MS_MAX),
	STR(doing_msg, until, CONTROL_WORD_MAX),
	U64(doing_msg, throttle, LIMIT_HOSTS),
};

static void doing_verify(struct wire_in *in, const void *body)
{
	const struct doing_msg *m = body;

	filter_verify(in, &m->filter);
	if (!m->verb || m->verb >= DO_VERB_COUNT)
		wire_fault(in, ERR_PROTO, "verb", "is none");
	else if ((m->verb == DO_SET) != (m->throttle != 0))
		wire_fault(in, ERR_PROTO, "throttle", "goes with verb 6, which needs it");
}

MESSAGE_DEFINE(doing, "DO", doing_verify)

static const struct layout_field receive_msg_fields[] = {
	FILTER(receive_msg),
	BOOL(receive_msg, keep),
	BOOL(receive_msg, wait),
	BOOL(receive_msg, force),
	U64(receive_msg, timeout_ms, CONTROL_MS_MAX),
	BOOL(receive_msg, remove),
	BOOL(receive_msg, events),
	BOOL(receive_msg, job_rows),
	BOOL(receive_msg, no_recurse),
	LIST(receive_msg, STRS, locations, location_count, CONTROL_IDS_MAX),
	U64(receive_msg, streams, (1u << STREAM_COUNT) - 1),
	BOOL(receive_msg, by_time),
};

static void receive_verify(struct wire_in *in, const void *body)
{
	const struct receive_msg *m = body;

	filter_verify(in, &m->filter);
	if (fields_total(m->locations, m->location_count) > CONTROL_IDS_BYTES)
		wire_fault(in, ERR_LIMIT, "locations", "are longer than 256 KiB in all");
	if (m->keep && m->wait)
		wire_fault(in, ERR_PROTO, "keep", "does not go with wait");
	if (m->remove && !m->wait)
		wire_fault(in, ERR_PROTO, "remove", "needs wait");
	if (m->events && !m->wait)
		wire_fault(in, ERR_PROTO, "events", "needs wait");
}

MESSAGE_DEFINE(receive, "RECEIVE", receive_verify)

static const struct layout_field source_msg_fields[] = {
	NEED_U64(source_msg, child),
	NEED_U64(source_msg, job),
	NEED_STR(source_msg, host, CONTROL_LABEL_MAX),
	STR(source_msg, instance_id, CONTROL_WORD_MAX),
};

MESSAGE_DEFINE(source, "SOURCE", NULL)

static const struct layout_field received_msg_fields[] = {
	NEED_U64(received_msg, child),
	NEED_U64(received_msg, seq),
};

MESSAGE_DEFINE(received, "RECEIVED", NULL)

static const struct layout_field receive_end_msg_fields[] = {
	BOOL(receive_end_msg, timed_out),
};

MESSAGE_DEFINE(receive_end, "RECEIVE_END", NULL)

/* --- 8. daemon ---------------------------------------------------------------------------- */

static const struct layout_field shutdown_msg_fields[] = {
	BOOL(shutdown_msg, force),
};

MESSAGE_DEFINE(shutdown, "SHUTDOWN", NULL)

static const struct layout_field status_reply_msg_fields[] = {
	NEED_U64(status_reply_msg, pid),
	TEXT(status_reply_msg, version, CONTROL_USER_MAX),
	STR(status_reply_msg, socket, LIMIT_OPTION_TEXT),
	U64(status_reply_msg, jobs, UINT64_MAX),
	U64(status_reply_msg, sessions, UINT64_MAX),
	U64(status_reply_msg, clients, UINT64_MAX),
	U64(status_reply_msg, started_ns, UINT64_MAX),
	U64(status_reply_msg, fd_limit, UINT64_MAX),
	STR(status_reply_msg, store_path, LIMIT_OPTION_TEXT),
	STR(status_reply_msg, store_state, CONTROL_WORD_MAX),
	U64(status_reply_msg, store_bytes, UINT64_MAX),
	U64(status_reply_msg, store_pending, UINT64_MAX),
	TEXT(status_reply_msg, store_note, LIMIT_OPTION_TEXT),
	U64(status_reply_msg, named_sessions, UINT64_MAX),
	U64(status_reply_msg, io_threads, UINT64_MAX),
	TEXT(status_reply_msg, settings, LIMIT_OPTION_TEXT * 4),
};

MESSAGE_DEFINE(status_reply, "STATUS_REPLY", NULL)

static const struct layout_field shutdown_reply_msg_fields[] = {
	NEED_U64(shutdown_reply_msg, jobs),
};

MESSAGE_DEFINE(shutdown_reply, "SHUTDOWN_REPLY", NULL)

/* --- 8. sessions -------------------------------------------------------------------------- */

static void session_verify_names(struct wire_in *in, char *const *names, size_t count)
{
	if (fields_total(names, count) > CONTROL_IDS_BYTES)
		wire_fault(in, ERR_LIMIT, "names",
			   "are longer than 256 KiB in all; use a wildcard");
}

static const struct layout_field session_get_msg_fields[] = {
	LIST(session_get_msg, STRS, names, name_count, CONTROL_IDS_MAX),
};

static void session_get_verify(struct wire_in *in, const void *body)
{
	const struct session_get_msg *m = body;

	session_verify_names(in, m->names, m->name_count);
}

MESSAGE_DEFINE(session_get, "SESSION_GET", session_get_verify)

static const struct layout_field session_do_msg_fields[] = {
	LIST(session_do_msg, STRS, names, name_count, CONTROL_IDS_MAX),
	NEED_U64(session_do_msg, verb),
};

static void session_do_verify(struct wire_in *in, const void *body)
{
	const struct session_do_msg *m = body;

	session_verify_names(in, m->names, m->name_count);
	if (!m->name_count)
		wire_fault(in, ERR_PROTO, "names", "is empty: which sessions?");
	if (!m->verb || m->verb >= SESSION_VERB_COUNT)
		wire_fault(in, ERR_PROTO, "verb", "is none");
}

MESSAGE_DEFINE(session_do, "SESSION_DO", session_do_verify)

static const struct layout_field session_row_msg_fields[] = {
	NEED_U64(session_row_msg, id),
	TEXT(session_row_msg, name, LIMIT_JOB_NAME),
	NEED_STR(session_row_msg, host, CONTROL_LABEL_MAX),
	NEED_STR(session_row_msg, state, CONTROL_WORD_MAX),
	STR(session_row_msg, availability, CONTROL_WORD_MAX),
	U64(session_row_msg, commands, UINT64_MAX),
	U64(session_row_msg, idle_since_ns, UINT64_MAX),
	U64(session_row_msg, idle_timeout_ms, UINT64_MAX),
	TEXT(session_row_msg, text, LIMIT_OPTION_TEXT),
	U64(session_row_msg, exit_status, UINT8_MAX),
	BOOL(session_row_msg, is_job),
};

MESSAGE_DEFINE(session_row, "SESSION_ROW", NULL)

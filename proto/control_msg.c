#include "control_msg.h"

#include <string.h>

#include "layout.h"
#include "limits.h"

/* A field that is a member of the same name in the struct of the layout. */
#define FIELD(type, k, member, ...)                                                       \
	{                                                                                 \
		.name = #member, .kind = LAYOUT_##k, .at = offsetof(struct type, member), \
		__VA_ARGS__                                                               \
	}
#define U64(type, member, cap)	    FIELD(type, U64, member, .max = (cap))
#define NEED_U64(type, member)	    FIELD(type, U64, member, .max = UINT64_MAX, .need = true)
#define I64(type, member, none)	    FIELD(type, I64, member, .absent = (none))
#define BOOL(type, member)	    FIELD(type, BOOL, member, .max = 1)
#define STR(type, member, cap)	    FIELD(type, STR, member, .max = (cap))
#define NEED_STR(type, member, cap) FIELD(type, STR, member, .max = (cap), .need = true)
#define TEXT(type, member, cap)	    FIELD(type, TEXT, member, .max = (cap))
#define LIST(type, k, member, counter, cap) \
	FIELD(type, k, member, .count_at = offsetof(struct type, counter), .max = (cap))

#define LAYOUT(struct_name, title, check)                                              \
	static const struct layout struct_name##_layout = {                            \
		.name = title,                                                         \
		.size = sizeof(struct struct_name),                                    \
		.fields = struct_name##_fields,                                        \
		.count = sizeof struct_name##_fields / sizeof struct_name##_fields[0], \
		.verify = check,                                                       \
	};

/* The three functions of control_msg.h. */
#define CONTROL_MSG_DEFINE(message, title, check)                                  \
	LAYOUT(message##_msg, title, check)                                        \
	void message##_put(struct buf *out, const struct message##_msg *m)         \
	{                                                                          \
		layout_put(out, &message##_msg_layout, m);                         \
	}                                                                          \
	int message##_get(struct message##_msg *ret, const void *data, size_t len, \
			  struct errmsg *msg)                                      \
	{                                                                          \
		return layout_get(&message##_msg_layout, ret, data, len, msg);     \
	}                                                                          \
	void message##_done(struct message##_msg *m)                               \
	{                                                                          \
		layout_done(&message##_msg_layout, m);                             \
	}

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

	if (!m->version_min || m->version_min > m->version_max)
		wire_fault(in, ERR_PROTO, "version_min", "is 0 or above version_max");
}

CONTROL_MSG_DEFINE(hello, "HELLO", hello_verify)

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

CONTROL_MSG_DEFINE(error, "ERROR", error_verify)

static const struct layout_field warning_msg_fields[] = {
	TEXT(warning_msg, text, LIMIT_OPTION_TEXT),
};

CONTROL_MSG_DEFINE(warning, "WARNING", NULL)

/* --- 6. jobs ------------------------------------------------------------------------------ */

static const struct layout_field job_open_msg_fields[] = {
	STR(job_open_msg, name, LIMIT_JOB_NAME),
	TEXT(job_open_msg, display, LIMIT_COMMAND),
	LIST(job_open_msg, STRS, argv, argc, LIMIT_ARGS),
	BOOL(job_open_msg, shell),
	U64(job_open_msg, throttle, LIMIT_HOSTS),
	U64(job_open_msg, run_timeout_ms, CONTROL_MS_MAX),
	U64(job_open_msg, connect_timeout_ms, CONTROL_MS_MAX),
	U64(job_open_msg, stop_grace_ms, CONTROL_MS_MAX),
	STR(job_open_msg, ssh_config, LIMIT_OPTION_TEXT),
	STR(job_open_msg, agent_socket, LIMIT_OPTION_TEXT),
	STR(job_open_msg, home, LIMIT_OPTION_TEXT),
};

static void job_open_verify(struct wire_in *in, const void *body)
{
	const struct job_open_msg *m = body;
	size_t total = 0;

	for (size_t i = 0; i < m->argc; i++)
		total += strlen(m->argv[i]) + 1;
	if (!m->argc)
		wire_fault(in, ERR_PROTO, "argv", "is empty: there is nothing to run");
	if (m->shell && m->argc != 1)
		wire_fault(in, ERR_PROTO, "argv",
			   "has more than the script text, though shell is set");
	if (total > LIMIT_COMMAND)
		wire_fault(in, ERR_LIMIT, "argv",
			   "the command is longer than 120 KiB in all; ship a script instead");
	if (m->ssh_config && m->ssh_config[0] != '/' && strcmp(m->ssh_config, "none") != 0)
		wire_fault(in, ERR_PROTO, "ssh_config", "is neither an absolute path nor \"none\"");
}

CONTROL_MSG_DEFINE(job_open, "JOB_OPEN", job_open_verify)

static const struct layout_field job_target_fields[] = {
	NEED_STR(job_target, host, CONTROL_LABEL_MAX),
	NEED_STR(job_target, hostname, LIMIT_HOST_NAME),
	STR(job_target, user, CONTROL_USER_MAX),
	U64(job_target, port, UINT16_MAX),
};

LAYOUT(job_target, "target", NULL)

static const struct layout_field job_targets_msg_fields[] = {
	FIELD(job_targets_msg, ROWS, targets, .count_at = offsetof(struct job_targets_msg, count),
	      .max = CONTROL_TARGETS_MAX, .row = &job_target_layout, .need = true),
};

CONTROL_MSG_DEFINE(job_targets, "JOB_TARGETS", NULL)

static const struct layout_field job_stop_msg_fields[] = {
	NEED_U64(job_stop_msg, job),
};

CONTROL_MSG_DEFINE(job_stop, "JOB_STOP", NULL)

static const struct layout_field job_accepted_msg_fields[] = {
	NEED_U64(job_accepted_msg, job),
	NEED_U64(job_accepted_msg, first_child),
	TEXT(job_accepted_msg, name, LIMIT_JOB_NAME),
};

CONTROL_MSG_DEFINE(job_accepted, "JOB_ACCEPTED", NULL)

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
};

CONTROL_MSG_DEFINE(child_state, "CHILD_STATE", NULL)

static const struct layout_field job_end_msg_fields[] = {
	NEED_U64(job_end_msg, job),
	NEED_STR(job_end_msg, state, CONTROL_WORD_MAX),
};

CONTROL_MSG_DEFINE(job_end, "JOB_END", NULL)

/* --- 7. get ------------------------------------------------------------------------------- */

static const struct layout_field get_msg_fields[] = {
	BOOL(get_msg, all),
	BOOL(get_msg, children),
	LIST(get_msg, IDS, ids, id_count, CONTROL_IDS_MAX),
};

CONTROL_MSG_DEFINE(get, "GET", NULL)

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
};

CONTROL_MSG_DEFINE(get_row, "GET_ROW", NULL)

static const struct layout_field get_end_msg_fields[] = {
	LIST(get_end_msg, IDS, missing, missing_count, CONTROL_IDS_MAX),
};

CONTROL_MSG_DEFINE(get_end, "GET_END", NULL)

/* --- 8. daemon ---------------------------------------------------------------------------- */

static const struct layout_field shutdown_msg_fields[] = {
	BOOL(shutdown_msg, force),
};

CONTROL_MSG_DEFINE(shutdown, "SHUTDOWN", NULL)

static const struct layout_field status_reply_msg_fields[] = {
	NEED_U64(status_reply_msg, pid),
	TEXT(status_reply_msg, version, CONTROL_USER_MAX),
	STR(status_reply_msg, socket, LIMIT_OPTION_TEXT),
	U64(status_reply_msg, jobs, UINT64_MAX),
	U64(status_reply_msg, sessions, UINT64_MAX),
	U64(status_reply_msg, clients, UINT64_MAX),
	U64(status_reply_msg, started_ns, UINT64_MAX),
	U64(status_reply_msg, fd_limit, UINT64_MAX),
};

CONTROL_MSG_DEFINE(status_reply, "STATUS_REPLY", NULL)

static const struct layout_field shutdown_reply_msg_fields[] = {
	NEED_U64(shutdown_reply_msg, jobs),
};

CONTROL_MSG_DEFINE(shutdown_reply, "SHUTDOWN_REPLY", NULL)

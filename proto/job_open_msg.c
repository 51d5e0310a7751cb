/* JOB_OPEN, the request for a job: docs/protocol.md, section 6.1. */
#include <string.h>

#include "agent_msg.h"
#include "control_msg.h"
#include "fields.h"
#include "limits.h"

static const struct layout_field job_route_fields[] = {
	LIST(job_route, STRS, gateways, gateway_count, LIMIT_GATEWAYS),
	LIST(job_route, RUNS, targets, target_count, LIMIT_HOSTS),
};

LAYOUT(job_route, "route", NULL)

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
	BOOL(job_open_msg, background),
	BOOL(job_open_msg, local),
	STR(job_open_msg, directory, LIMIT_OPTION_TEXT),
	STR(job_open_msg, init_script, LIMIT_COMMAND),
	STR(job_open_msg, path, LIMIT_COMMAND),
	U64(job_open_msg, agent, JOB_AGENT_COUNT - 1),
	U64(job_open_msg, builtin, JOB_BUILTIN_COUNT - 1),
	LIST(job_open_msg, STRS, env, env_count, LIMIT_ENV),
	LIST(job_open_msg, BIN, script, script_len, LIMIT_SCRIPT),
	STR(job_open_msg, script_name, LIMIT_OPTION_TEXT),
	BOOL(job_open_msg, stdin_follows),
	BOOL(job_open_msg, pty),
	I64(job_open_msg, nice, 0),
	U64(job_open_msg, parse, PARSE_COUNT - 1),
	STR(job_open_msg, parse_argument, LIMIT_PATTERN),
	U64(job_open_msg, idle_timeout_ms, CONTROL_MS_MAX),
	U64(job_open_msg, start_timeout_ms, CONTROL_MS_MAX),
	U64(job_open_msg, output_limit, UINT64_MAX),
	U64(job_open_msg, become, JOB_BECOME_COUNT - 1),
	STR(job_open_msg, become_user, CONTROL_USER_MAX),
	BOOL(job_open_msg, expand),
	U64(job_open_msg, durable, JOB_DURABLE_COUNT - 1),
	U64(job_open_msg, reconnect_timeout_ms, CONTROL_MS_MAX),
	U64(job_open_msg, spool_limit, UINT64_MAX),
	BOOL(job_open_msg, spool_drop),
	BOOL(job_open_msg, detached),
	LIST(job_open_msg, STRS, sessions, session_count, CONTROL_IDS_MAX),
	U64(job_open_msg, session_idle_ms, CONTROL_MS_MAX),
	U64(job_open_msg, retries, LIMIT_RETRIES + 1),
	STR(job_open_msg, kex, LIMIT_OPTION_TEXT),
	STR(job_open_msg, ciphers, LIMIT_OPTION_TEXT),
	STR(job_open_msg, macs, LIMIT_OPTION_TEXT),
	FIELD(job_open_msg, ROWS, routes, .count_at = offsetof(struct job_open_msg, route_count),
	      .max = LIMIT_GATEWAYS, .row = &job_route_layout),
	STR(job_open_msg, topology, LIMIT_TOPOLOGY),
	U64(job_open_msg, hops, LIMIT_HOPS),
	U64(job_open_msg, whole, LIMIT_HOSTS),
	LIST(job_open_msg, STRS, options, option_count, LIMIT_SSH_OPTIONS),
	U64(job_open_msg, host_key, JOB_HOST_KEY_COUNT - 1),
	U64(job_open_msg, transport, JOB_BY_COUNT - 1),
	U64(job_open_msg, batch, LIMIT_HOSTS),
	BOOL(job_open_msg, batch_percent),
	U64(job_open_msg, pause_ms, CONTROL_MS_MAX),
	U64(job_open_msg, failures, LIMIT_HOSTS + 1),
	BOOL(job_open_msg, failures_percent),
	BOOL(job_open_msg, fail_fast),
	U64(job_open_msg, canary, LIMIT_HOSTS),
	U64(job_open_msg, until_reachable_ms, CONTROL_MS_MAX),
	LIST(job_open_msg, STRS, copy_from, copy_from_count, LIMIT_COPY_SOURCES),
	STR(job_open_msg, copy_to, LIMIT_OPTION_TEXT),
	U64(job_open_msg, copy_flags, JOB_COPY_FLAGS),
};

/* What is run: exactly one of a command, a script text, a script file and a built-in action. */
static void job_open_verify_command(struct wire_in *in, const struct job_open_msg *m)
{
	if (m->builtin && (m->argc || m->script || m->shell))
		wire_fault(in, ERR_PROTO, "builtin", "does not go with a command");
	if (m->builtin && m->session_count)
		wire_fault(in, ERR_PROTO, "sessions", "does not go with builtin");
	if (m->local && m->session_count)
		wire_fault(in, ERR_PROTO, "sessions", "does not go with local");
	if (m->builtin && m->local)
		wire_fault(in, ERR_PROTO, "builtin", "does not go with local");
	if (!m->builtin && !m->argc && !m->script)
		wire_fault(in, ERR_PROTO, "argv", "is empty: there is nothing to run");
	if (m->shell && m->script)
		wire_fault(in, ERR_PROTO, "script", "does not go with shell");
	if (m->shell && m->argc != 1)
		wire_fault(in, ERR_PROTO, "argv",
			   "has more than the script text, though shell is set");
	fields_argv(in, m->argv, m->argc);
}

static void job_open_verify_copy(struct wire_in *in, const struct job_open_msg *m)
{
	bool copy = m->builtin == JOB_COPY;

	if (copy != (m->copy_from_count > 0))
		wire_fault(in, ERR_PROTO, "copy_from",
			   "goes with the built-in copy, and only that");
	if (copy != (m->copy_to != NULL))
		wire_fault(in, ERR_PROTO, "copy_to", "goes with the built-in copy, and only that");
	if (m->copy_flags && !copy)
		wire_fault(in, ERR_PROTO, "copy_flags", "needs the built-in copy");
}

static void job_open_verify_rollout(struct wire_in *in, const struct job_open_msg *m)
{
	if (m->batch_percent && (m->batch < 1 || m->batch > 100))
		wire_fault(in, ERR_PROTO, "batch",
			   "is not from 1 to 100, though batch_percent is set");
	if (m->failures_percent && (m->failures < 1 || m->failures > 101))
		wire_fault(in, ERR_PROTO, "failures",
			   "is not from 1 to 101, though failures_percent is set");
}

static void job_open_verify(struct wire_in *in, const void *body)
{
	const struct job_open_msg *m = body;

	job_open_verify_command(in, m);
	job_open_verify_copy(in, m);
	job_open_verify_rollout(in, m);
	fields_env(in, m->env, m->env_count);
	fields_nice(in, m->nice);
	if (fields_total(m->sessions, m->session_count) > CONTROL_IDS_BYTES)
		wire_fault(in, ERR_LIMIT, "sessions", "are longer than 256 KiB in all");
	if (m->ssh_config && m->ssh_config[0] != '/' && strcmp(m->ssh_config, "none") != 0)
		wire_fault(in, ERR_PROTO, "ssh_config", "is neither an absolute path nor \"none\"");
	if (m->become_user && !m->become)
		wire_fault(in, ERR_PROTO, "become_user", "needs become");
}

MESSAGE_DEFINE(job_open, "JOB_OPEN", job_open_verify)

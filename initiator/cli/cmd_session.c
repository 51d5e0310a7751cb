/* muster session: kept connections that jobs reuse. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "connect.h"
#include "control_msg.h"
#include "exit.h"
#include "job_options.h"
#include "limits.h"
#include "login.h"
#include "secret.h"
#include "session_rows.h"
#include "submit_job.h"
#include "targets.h"

#define SESSION_IDLE_MS (2u * 60u * 60u * 1000u)

struct session_values {
	struct cmd_globals globals;
	struct option_texts hosts;
	struct option_texts exclude;
	const char *name;
	struct option_wait idle;
	uint64_t throttle;
	uint64_t connect_timeout_ms;
	struct job_values job;
	struct connect_values connect;
	struct login_values login;
};

/* A request and what answers it. */
struct session_request {
	const struct session_values *values;
	const struct submit *submit; /* new */
	char **names;		     /* the others */
	size_t name_count;
	uint64_t verb; /* enum session_verb; 0: new, get */
	struct session_rows *rows;
	uint64_t id; /* of the last row */
	bool opened; /* a host is connected */
	bool complete;
};

static void session_by_control(void *arg, enum message_type type, struct buf *body)
{
	control_send(arg, type, body);
}

static void session_send(void *arg, struct control *control)
{
	struct session_request *r = arg;
	struct session_get_msg get = {.names = r->names, .name_count = r->name_count};
	struct session_do_msg act = {
		.names = r->names, .name_count = r->name_count, .verb = r->verb};
	struct buf body = {0};

	if (r->submit) {
		submit_send(r->submit, session_by_control, control);
		submit_run(session_by_control, control);
	} else if (r->verb) {
		session_do_put(&body, &act);
		control_send(control, MSG_SESSION_DO, &body);
	} else {
		session_get_put(&body, &get);
		control_send(control, MSG_SESSION_GET, &body);
	}
}

static int session_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			      struct errmsg *msg)
{
	struct session_request *r = arg;
	struct session_row_msg row;
	int rc;

	if (type == MSG_GET_END) {
		r->complete = true;
		return ASK_DONE;
	}
	if (type != MSG_SESSION_ROW)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = session_row_get(&row, body, len, msg);
	if (rc)
		return rc;
	r->id = row.id;
	r->opened = r->opened || strcmp(row.state, "Opened") == 0;
	session_rows_add(r->rows, &row, clock_wall_ns());
	/* Of what is asked for, not of what is looked at. */
	if (r->submit || r->verb == SESSION_CONNECT)
		*status = exit_worse(*status, (int)row.exit_status);
	session_row_done(&row);
	return ASK_MORE;
}

static int session_ask(const struct cmd *cmd, struct session_request *r)
{
	const struct cmd_globals *globals = &r->values->globals;
	struct errmsg msg;
	int status;

	if (session_rows_new(&r->rows, globals->output, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	status = ask(cmd, globals, CONTROL_START, session_send, session_on_message, r);
	if (r->complete && r->submit && globals->quiet) {
		struct buf text = {0};

		/* Without a host there is none. */
		if (r->opened)
			buf_addf(&text, "%llu\n", (unsigned long long)r->id);
		status = exit_worse(status, cmd_print(&text));
	} else if (r->complete && r->verb != SESSION_REMOVE) {
		status = exit_worse(status, session_rows_print(r->rows));
	}
	session_rows_free(r->rows);
	return status;
}

/* --- new ------------------------------------------------------------------------------------- */

static int session_check_new(const struct cmd *cmd, const struct session_values *v, int argc)
{
	if (argc)
		return cmd_usage(cmd, "new: hosts are given by -H, not as words");
	if (!v->hosts.count)
		return cmd_usage(cmd, "new: no hosts: -H EXPR");
	if (v->name && (!*v->name || strlen(v->name) > LIMIT_JOB_NAME))
		return cmd_usage(cmd, "--name: empty, or more than %u bytes", LIMIT_JOB_NAME);
	return EXIT_OK;
}

static int session_with_password(const struct cmd *cmd, const struct session_values *v,
				 struct submit *submit)
{
	struct session_request r = {.values = v, .submit = submit};
	struct errmsg msg;
	char *password = NULL, *login = NULL;
	int status;

	if (login_password(&login, &v->login, &msg) != 0 ||
	    job_options_password(&password, &v->job, &msg) != 0) {
		secret_free(login);
		return cmd_usage(cmd, "%s", msg.text);
	}
	submit->password = password;
	submit->login = login;
	submit->user = v->login.user;
	status = session_ask(cmd, &r);
	secret_free(login);
	secret_free(password);
	return status;
}

static int session_new(const struct cmd *cmd, const struct session_values *v, int argc)
{
	const struct config *config = v->globals.config;
	struct job_open_msg open = {
		.builtin = JOB_SESSION,
		.name = (char *)(uintptr_t)v->name,
		.agent = config_get(config, CONFIG_AGENT, JOB_AGENT_AUTO),
		.throttle =
			v->throttle ? v->throttle : config_get(config, CONFIG_THROTTLE_LIMIT, 0),
		.connect_timeout_ms = v->connect_timeout_ms
					      ? v->connect_timeout_ms
					      : config_get(config, CONFIG_CONNECT_TIMEOUT, 0),
		.session_idle_ms = v->idle.given ? v->idle.ms
						 : config_get(config, CONFIG_SESSION_IDLE_TIMEOUT,
							      SESSION_IDLE_MS)};
	struct submit submit = {.open = &open, .stdin_fd = -1};
	struct hostlist *hosts = NULL;
	struct job_made made = {0};
	struct errmsg msg;
	bool taken = false;
	int status = session_check_new(cmd, v, argc);

	if (status == EXIT_OK && (job_options_stdin(&taken, &v->job, &msg) != 0 ||
				  login_check(&v->login, &taken, &msg) != 0 ||
				  job_options_fill(&open, &made, &v->job, 0, NULL, &msg) != 0 ||
				  connect_fill(&open, &v->connect, config, &msg) != 0))
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK && open.agent == JOB_AGENT_NEVER)
		status = cmd_usage(cmd, "a session is a connection to the agent: not with %s",
				   v->job.agent ? "--agent never" : "agent = never; --agent auto");
	if (status == EXIT_OK &&
	    targets_find(&hosts, &v->globals, &v->hosts, &v->exclude, false, taken, &msg))
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK)
		status = cmd_ssh_config(cmd, v->globals.ssh_config, &open.ssh_config);
	submit.hosts = hosts;
	if (status == EXIT_OK)
		status = session_with_password(cmd, v, &submit);
	free(open.ssh_config);
	connect_done(&open);
	job_made_done(&made);
	hostlist_free(hosts);
	return status;
}

/* --- the others ------------------------------------------------------------------------------ */

/* What says something of a new one alone; NULL: nothing does. */
static const char *session_misplaced(const struct session_values *v)
{
	return v->hosts.count		? "-H"
	       : v->exclude.count	? "-x"
	       : v->name		? "--name"
	       : v->idle.given		? "--idle-timeout"
	       : v->throttle		? "--throttle-limit"
	       : v->job.env.count	? "--env"
	       : v->job.directory	? "--working-directory"
	       : v->job.become.given	? "--become"
	       : v->job.agent		? "--agent"
	       : v->connect_timeout_ms	? "--connect-timeout"
	       : login_given(&v->login) ? login_given(&v->login)
					: connect_given(&v->connect);
}

static const struct {
	const char *name;
	uint64_t verb;
} session_verbs[] = {
	{"get", 0},
	{"connect", SESSION_CONNECT},
	{"disconnect", SESSION_DISCONNECT},
	{"remove", SESSION_REMOVE},
};

static int session_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	const struct session_values *v = arg;
	struct session_request r = {.values = v};
	size_t i = 0;

	if (!argc)
		return cmd_usage(cmd, "a word is needed: new, get, connect, disconnect or remove");
	if (strcmp(argv[0], "new") == 0)
		return session_new(cmd, v, argc - 1);
	while (i < ARRAY_LEN(session_verbs) && strcmp(session_verbs[i].name, argv[0]) != 0)
		i++;
	if (i == ARRAY_LEN(session_verbs))
		return cmd_usage(cmd, "'%s' is none of new, get, connect, disconnect, remove",
				 argv[0]);
	if (session_misplaced(v))
		return cmd_usage(cmd, "%s is for new, not for %s", session_misplaced(v), argv[0]);
	r.verb = session_verbs[i].verb;
	r.names = argv + 1;
	r.name_count = (size_t)argc - 1;
	if (r.verb && !r.name_count)
		return cmd_usage(cmd, "%s: which sessions? (ID, NAME, wildcard; '*' for all)",
				 argv[0]);
	if (r.name_count > CONTROL_IDS_MAX)
		return cmd_usage(cmd, "more than %u names: use a wildcard", CONTROL_IDS_MAX);
	return session_ask(cmd, &r);
}

#define VALUE(field) offsetof(struct session_values, field)
static const struct option_row session_options[] = {
	TARGETS_ROWS(hosts, exclude),
	{"name", 'n', OPTION_TEXT, VALUE(name), "NAME", "the name of the session (Session<Id>)"},
	{"idle-timeout", 0, OPTION_WAIT, VALUE(idle), "TIME",
	 "let go of the hosts when no command has run on them\nfor so long (2h; 0: never)"},
	{"throttle-limit", 'f', OPTION_COUNT, VALUE(throttle), "N",
	 "connect to so many hosts at once (64)"},
	{"connect-timeout", 't', OPTION_DURATION, VALUE(connect_timeout_ms), "TIME",
	 "name lookup, connect and key exchange together"},
	CONNECT_ROWS(connect),
	CONNECT_SSH_ROWS(connect),
	LOGIN_ROWS(login),
	{"start-timeout", 0, OPTION_DURATION, VALUE(job.start_timeout_ms), "TIME",
	 "from the login to the start of the agent (30s)"},
	{"working-directory", 'C', OPTION_TEXT, VALUE(job.directory), "DIR",
	 "where the first command runs (the home there)"},
	{"env", 0, OPTION_TEXTS, VALUE(job.env), "K=V",
	 "a variable for the commands; may be repeated"},
	{"become", 0, OPTION_MAYBE, VALUE(job.become), "USER", "run the agent as USER (root)"},
	{"become-method", 0, OPTION_TEXT, VALUE(job.become_method), "HOW",
	 "with sudo (the default), su or doas"},
	{"ask-become-pass", 'K', OPTION_FLAG, VALUE(job.ask_become_pass), NULL,
	 "ask for the password of that, once"},
	{"become-password-file", 0, OPTION_TEXT, VALUE(job.become_password_file), "FILE",
	 "read it from the first line of FILE; '-': standard\ninput"},
	{"agent", 0, OPTION_TEXT, VALUE(job.agent), "WHEN",
	 "auto, always: brought to the host; subsystem: the one\nthat sshd there has"},
};

const struct cmd cmd_session = {
	.name = "session",
	.synopsis = "new -H EXPR [OPTION...] | get [NAME...] | connect|disconnect|remove NAME...",
	.summary = "Keep connections to hosts, for the commands to come",
	.text = "new: connects, and keeps that. get: the sessions, a line for each host, and the "
		"jobs\nof invoke --in-disconnected-session. disconnect: lets go of the hosts. "
		"connect:\ncomes back to them. remove: forgets the session.\n"
		"NAME: a name, an id, or a wildcard such as 'web*'.\n"
		"Commands use one by 'muster invoke --session NAME'.\n"
		"--output: " ROWS_NAMES "\n",
	.options = session_options,
	.option_count = ARRAY_LEN(session_options),
	.values_size = sizeof(struct session_values),
	.run = session_cmd_run,
};

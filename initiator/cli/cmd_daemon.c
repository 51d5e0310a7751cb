/* muster daemon status|stop|run */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "ask.h"
#include "cmd.h"
#include "config_daemon.h"
#include "control.h"
#include "control_msg.h"
#include "daemon.h"
#include "daemon_status.h"
#include "durable.h"
#include "duration.h"
#include "exit.h"
#include "log.h"
#include "refuse.h"
#include "start.h"

#define DAEMON_IDLE_MS	      600000u
#define DAEMON_LINGER_MS      60000u
#define DAEMON_RESULTS_STORED (UINT64_C(256) << 20)
#define DAEMON_RETAIN_SIZE    (UINT64_C(4) << 30)
#define DAEMON_STORE_SIZE     (UINT64_C(8) << 30)
#define DAEMON_RETAIN_AGE_MS  (UINT64_C(30) * 24 * 3600 * 1000)
#define DAEMON_RETAIN_COUNT   1000u
#define DAEMON_KEEPALIVE_MS   15000u
#define DAEMON_RECONNECT_MS   1800000u

struct daemon_values {
	struct cmd_globals globals;
	bool force;
	uint64_t idle_ms;
	uint64_t results_budget;
	uint64_t results_share;
	/* How the CLI starts one. */
	const char *listen_fd;
	const char *control_fd;
	const char *socket_path;
	const char *lock_path;
};

/* One request to the daemon and its answer. */
struct daemon_answer {
	const struct daemon_values *values;
	bool stop;
};

static int daemon_print_status(const struct daemon_answer *answer, const struct status_reply_msg *m)
{
	const char *format = answer->values->globals.output;
	struct buf text = {0};

	if (format && strcmp(format, "text") != 0)
		daemon_status_json(&text, m);
	else
		daemon_status_text(&text, m);
	return cmd_print(&text);
}

static int daemon_on_status(struct daemon_answer *answer, const void *body, size_t len, int *status,
			    struct errmsg *msg)
{
	struct status_reply_msg m;
	int rc = status_reply_get(&m, body, len, msg);

	if (rc)
		return rc;
	*status = daemon_print_status(answer, &m);
	status_reply_done(&m);
	return ASK_DONE;
}

static int daemon_on_shutdown(const void *body, size_t len, int *status, struct errmsg *msg)
{
	struct shutdown_reply_msg m;
	int rc = shutdown_reply_get(&m, body, len, msg);

	if (rc)
		return rc;
	if (!m.jobs)
		return ASK_LEAVE;
	*status = m.jobs == 1 ? cmd_error(EXIT_INTERNAL,
					  "a job is still running that would end with the daemon: "
					  "--force stops it")
			      : cmd_error(EXIT_INTERNAL,
					  "%llu jobs are still running that would end with the "
					  "daemon: --force stops them",
					  (unsigned long long)m.jobs);
	return ASK_DONE;
}

static int daemon_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			     struct errmsg *msg)
{
	if (type == MSG_STATUS_REPLY)
		return daemon_on_status(arg, body, len, status, msg);
	if (type == MSG_SHUTDOWN_REPLY)
		return daemon_on_shutdown(body, len, status, msg);
	return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
}

static void daemon_send(void *arg, struct control *control)
{
	struct daemon_answer *answer = arg;
	struct shutdown_msg shutdown = {.force = answer->values->force};
	struct buf body = {0};

	if (answer->stop)
		shutdown_put(&body, &shutdown);
	control_send(control, answer->stop ? MSG_SHUTDOWN : MSG_STATUS, &body);
}

static int daemon_ask(const struct cmd *cmd, const struct daemon_values *values, bool stop)
{
	struct daemon_answer answer = {.values = values, .stop = stop};

	/* No daemon, and so nothing to stop: what was asked for is so. */
	return ask(cmd, &values->globals, stop ? CONTROL_IF_RUNNING : CONTROL_CONNECT, daemon_send,
		   daemon_on_message, &answer);
}

static int daemon_fd(const char *text)
{
	uint64_t fd;

	return text && count_parse(&fd, text, 0, 1u << 20, "fd", NULL) == 0 ? (int)fd : -1;
}

/* The option, else the variable, else the files, else ten minutes. */
static uint64_t daemon_idle_ms(const struct daemon_values *values)
{
	const char *env = getenv("MUSTER_IDLE_TIMEOUT");
	struct errmsg msg;
	uint64_t ms;

	if (values->idle_ms)
		return values->idle_ms;
	if (env && duration_parse(&ms, env, "MUSTER_IDLE_TIMEOUT", &msg) == 0)
		return ms;
	if (env)
		log_warn("%s", msg.text);
	return config_get(values->globals.config, CONFIG_IDLE_TIMEOUT, DAEMON_IDLE_MS);
}

/* The directory of the store, NULL for memory; the caller frees it. */
static int daemon_store(char **ret, const struct daemon_values *values, const struct paths *paths,
			struct errmsg *msg)
{
	const char *store = config_store(values->globals.config);

	*ret = NULL;
	/* It ends with the one command that it is for. */
	if (values->control_fd || (store && strcmp(store, "memory") == 0))
		return 0;
	if (store)
		return config_store_path(ret, store, paths->name, getenv("HOME"), msg);
	if (paths->store)
		*ret = xstrdup(paths->store);
	else
		log_warn("jobs are in memory only: neither XDG_STATE_HOME nor HOME is an absolute "
			 "path, and muster.conf sets no store");
	return 0;
}

/* What an option sets or the files do. */
static void daemon_settle(struct daemon_options *options, const struct daemon_values *values)
{
	const struct config *config = values->globals.config;

	options->idle_ms = daemon_idle_ms(values);
	options->linger_ms = config_get(config, CONFIG_SESSION_LINGER, DAEMON_LINGER_MS);
	options->results_budget = values->results_budget
					  ? values->results_budget
					  : config_get(config, CONFIG_RESULTS_BUDGET, 0);
	options->results_share = values->results_share
					 ? values->results_share
					 : config_get(config, CONFIG_RESULTS_SHARE, 0);
	options->store_size = config_get(config, CONFIG_STORE_SIZE, DAEMON_STORE_SIZE);
	options->results_stored = config_get(config, CONFIG_RESULTS_STORED, DAEMON_RESULTS_STORED);
	options->retain_age_ms = config_get(config, CONFIG_RETAIN_AGE, DAEMON_RETAIN_AGE_MS);
	options->retain_size = config_get(config, CONFIG_RETAIN_SIZE, DAEMON_RETAIN_SIZE);
	options->retain_count = config_get(config, CONFIG_RETAIN_COUNT, DAEMON_RETAIN_COUNT);
	options->io_threads = config_get(config, CONFIG_IO_THREADS, 0);
	options->bastion_opening = config_get(config, CONFIG_BASTION_OPENING, 0);
	options->bastion_channels = config_get(config, CONFIG_BASTION_CHANNELS, 0);
	options->bastion_memory = config_get(config, CONFIG_BASTION_MEMORY, 0);
	options->keepalive_ms = config_get(config, CONFIG_KEEPALIVE, DAEMON_KEEPALIVE_MS);
	options->reconnect_delay_ms = config_get(config, CONFIG_RECONNECT_DELAY, 0);
	options->reconnect_timeout_ms = durable_reconnect_ms(
		config_get(config, CONFIG_RECONNECT_TIMEOUT, DAEMON_RECONNECT_MS));
}

static int daemon_run(const struct daemon_values *values, const struct paths *paths)
{
	struct daemon_options options = {.listen_fd = daemon_fd(values->listen_fd),
					 .control_fd = daemon_fd(values->control_fd),
					 .socket_path = values->socket_path,
					 .lock_path = values->lock_path,
					 .version = MUSTER_VERSION};
	const char *env = getenv("MUSTER_LOG");
	int level = env ? log_level_parse(env) : -1, status;
	struct errmsg msg;
	struct buf settings = {0};
	char *store, *stage;

	/* Behind a socket pair its stderr is the user's; else it is the log file or a journal. */
	if (options.control_fd < 0)
		log_open(STDERR_FILENO, level >= 0 ? (enum log_level)level : LOG_INFO, true);
	daemon_settle(&options, values);
	if (options.listen_fd < 0 && options.control_fd < 0) {
		options.listen_fd = start_listen(paths, &msg);
		if (options.listen_fd < 0)
			return cmd_error(EXIT_INTERNAL, "%s", msg.text);
		options.socket_path = paths->socket;
		options.lock_path = paths->lock;
	}
	if (daemon_store(&store, values, paths, &msg) != 0) {
		refuse_clients(&options, ERR_NOTFOUND, msg.text);
		return cmd_error(EXIT_INTERNAL, "%s", msg.text);
	}
	config_daemon_settings(&settings, values->globals.config);
	options.settings = buf_cstr(&settings);
	options.store_path = store;
	options.stage_path = stage = paths->store ? xasprintf("%s.copies", paths->store) : NULL;
	status = daemon_main(&options);
	buf_done(&settings);
	free(stage);
	free(store);
	return status;
}

static int daemon_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	const struct daemon_values *values = arg;
	const char *verb = argc ? argv[0] : "";
	const char *format = values->globals.output;
	struct paths paths;
	struct errmsg msg;
	int status;

	if (argc != 1)
		return cmd_usage(cmd, argc ? "one of status, stop, run, and nothing else"
					   : "one of status, stop, run is missing");
	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "jsonl") != 0)
		return cmd_usage(cmd, "--output: '%s' is none of text, json", format);
	if (paths_find(&paths, cmd_daemon_name(&values->globals), &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	if (strcmp(verb, "run") == 0)
		status = daemon_run(values, &paths);
	else if (strcmp(verb, "status") == 0)
		status = daemon_ask(cmd, values, false);
	else if (strcmp(verb, "stop") == 0)
		status = daemon_ask(cmd, values, true);
	else
		status = cmd_usage(cmd, "'%s' is none of status, stop, run", verb);
	paths_done(&paths);
	return status;
}

#define VALUE(field) offsetof(struct daemon_values, field)
static const struct option_row daemon_rows[] = {
	{"force", 'f', OPTION_FLAG, VALUE(force), NULL, "stop: end jobs that are still running"},
	{"idle-timeout", 0, OPTION_DURATION, VALUE(idle_ms), "TIME",
	 "run: leave after so long without work (10m)"},
	{"results-budget", 0, OPTION_SIZE, VALUE(results_budget), "SIZE",
	 "run: memory for unread results of all jobs (256M);\nwhere it is full, commands wait"},
	{"results-share", 0, OPTION_SIZE, VALUE(results_share), "SIZE",
	 "run: the same for the results of one host (1M)"},
	{"listen-fd", 0, OPTION_TEXT, VALUE(listen_fd), "FD", NULL},
	{"control-fd", 0, OPTION_TEXT, VALUE(control_fd), "FD", NULL},
	{"socket-path", 0, OPTION_TEXT, VALUE(socket_path), "PATH", NULL},
	{"lock-path", 0, OPTION_TEXT, VALUE(lock_path), "PATH", NULL},
};

const struct cmd cmd_daemon = {
	.name = "daemon",
	.synopsis = "[OPTION...] status | stop | run",
	.summary = "Tell about, end, or be the daemon that holds the jobs",
	.text = "The first command that needs the daemon starts it; it leaves by itself when it\n"
		"is idle. 'run' is for service managers: it stays in the foreground.\n"
		"--output: text or json (status).\n",
	.options = daemon_rows,
	.option_count = ARRAY_LEN(daemon_rows),
	.values_size = sizeof(struct daemon_values),
	.run = daemon_cmd_run,
};

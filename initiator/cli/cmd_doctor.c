/* muster doctor: can commands be run on these hosts? */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd.h"
#include "connect.h"
#include "doctor.h"
#include "exit.h"
#include "format.h"
#include "job_options.h"
#include "login.h"
#include "secret.h"
#include "targets.h"

struct doctor_values {
	struct cmd_globals globals;
	struct option_texts hosts;
	struct option_texts exclude;
	uint64_t throttle;
	uint64_t connect_timeout_ms;
	bool allow_empty;
	bool accept_new;
	bool list_keys;
	struct job_values job;
	struct login_values login;
	struct connect_values connect;
};

static int doctor_on_hosts(const struct cmd *cmd, const struct doctor_values *v,
			   const struct hostlist *hosts)
{
	static const char display[] = "muster doctor";
	const struct config *config = v->globals.config;
	struct job_open_msg open = {
		.builtin = JOB_CHECK,
		.display = (char *)(uintptr_t)display,
		.agent = config_get(config, CONFIG_AGENT, JOB_AGENT_AUTO),
		.throttle =
			v->throttle ? v->throttle : config_get(config, CONFIG_THROTTLE_LIMIT, 0),
		.connect_timeout_ms = v->connect_timeout_ms
					      ? v->connect_timeout_ms
					      : config_get(config, CONFIG_CONNECT_TIMEOUT, 0)};
	struct submit submit = {
		.open = &open, .hosts = hosts, .stdin_fd = -1, .user = v->login.user};
	struct doctor_options options = {
		.accept_new = v->accept_new, .may_ask = true, .list_keys = v->list_keys};
	struct job_made made = {0};
	struct errmsg msg;
	char *login = NULL;
	int status = cmd_ssh_config(cmd, v->globals.ssh_config, &open.ssh_config);

	if (status == EXIT_OK && (connect_fill(&open, &v->connect, config, &msg) != 0 ||
				  job_options_fill(&open, &made, &v->job, 0, NULL, &msg) != 0 ||
				  login_password(&login, &v->login, &msg) != 0))
		status = cmd_usage(cmd, "%s", msg.text);
	/* On the command line that is a decision about the keys that this check finds. */
	if (v->connect.host_key && open.host_key == JOB_HOST_KEY_NEW)
		options.accept_new = true;
	submit.login = login;
	if (status == EXIT_OK)
		status = doctor_run(cmd, &v->globals, &options, &submit);
	secret_free(login);
	free(open.ssh_config);
	connect_done(&open);
	job_made_done(&made);
	return status;
}

static int doctor_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct doctor_values *v = arg;
	struct hostlist *hosts = NULL;
	int status;

	if (argc)
		return cmd_usage(cmd, "'%s': nothing is run, so there is no command", argv[0]);
	status = targets_begin(&hosts, cmd, &v->globals, &v->hosts, &v->exclude, v->allow_empty,
			       &v->login);
	if (status == EXIT_OK && hostlist_count(hosts))
		status = doctor_on_hosts(cmd, v, hosts);
	hostlist_free(hosts);
	return status;
}

#define VALUE(field) offsetof(struct doctor_values, field)
static const struct option_row doctor_options[] = {
	TARGETS_ROWS(hosts, exclude),
	{"throttle-limit", 'f', OPTION_COUNT, VALUE(throttle), "N", "so many hosts at once (64)"},
	{"connect-timeout", 't', OPTION_DURATION, VALUE(connect_timeout_ms), "TIME",
	 "name lookup, connect and key exchange together"},
	{"accept-new-keys", 0, OPTION_FLAG, VALUE(accept_new), NULL,
	 "write the new keys to known_hosts, as one set: the\nsame as --host-key accept-new"},
	{"list-keys", 0, OPTION_FLAG, VALUE(list_keys), NULL,
	 "show each new key with its fingerprint"},
	{"agent", 0, OPTION_TEXT, VALUE(job.agent), "WHEN",
	 "auto, always, subsystem: find the agent, or bring it;\nnever: only that a command could "
	 "be run"},
	{"allow-empty", 0, OPTION_FLAG, VALUE(allow_empty), NULL, "no host at all is no error"},
	CONNECT_ROWS(connect),
	CONNECT_SSH_ROWS(connect),
	LOGIN_ROWS(login),
};

const struct cmd cmd_doctor = {
	.name = "doctor",
	.synopsis = "-H EXPR [OPTION...]",
	.summary = "See whether commands could be run on many hosts; nothing is run",
	.text = "Each host is resolved, connected to, its key compared with known_hosts, logged in "
		"to,\nand given the agent; then hosts are shown in sets. A host whose key is not "
		"known is\nnot logged in to. Keys that have changed are never written.\n"
		"--output: " FORMAT_NAMES "\n",
	.options = doctor_options,
	.option_count = ARRAY_LEN(doctor_options),
	.values_size = sizeof(struct doctor_values),
	.run = doctor_cmd_run,
};

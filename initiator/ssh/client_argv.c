#include "client_argv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "plan_private.h"

/* As over libssh a dead peer is found within 45 s (dial.h). */
#define CLIENT_ALIVE_S	   15u
#define CLIENT_ALIVE_COUNT 3u

void client_mark(char mark[static CLIENT_MARK_SIZE])
{
	uint64_t bits = 0;

	/* 8 bytes come whole, but for a signal; then the clock has to do: the mark keeps nobody
	 * out, it tells our line from those of others. */
	if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
		bits = clock_mono_ns();
	(void)snprintf(mark, CLIENT_MARK_SIZE, "muster-%016llx\n", (unsigned long long)bits);
}

static void client_add(char ***list, size_t *count, char *text)
{
	*list = xrealloc(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = text;
}

static void client_arg(struct client_argv *args, const char *text)
{
	client_add(&args->argv, &args->argc, xstrdup(text));
}

static void client_option(struct client_argv *args, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void client_option(struct client_argv *args, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	client_arg(args, "-o");
	client_arg(args, text);
}

static void client_list_option(struct client_argv *args, const char *name, const char *value)
{
	if (!value)
		return;
	client_arg(args, "-o");
	client_add(&args->argv, &args->argc, xasprintf("%s=%s", name, value));
}

/* Whatever the files say: of each keyword ssh takes the first value, ssh_config(5). */
static void client_settle(struct client_argv *args, const struct conn_spec *spec,
			  unsigned connect_timeout_s)
{
	static const char *const always[] = {
		"BatchMode=yes", /* nobody is there to be asked */
		"ForwardAgent=no",	   "ForwardX11=no",
		"ClearAllForwardings=yes", "Tunnel=no",
		"ControlMaster=no", /* each job has its own connections */
		"ControlPath=none",	   "PermitLocalCommand=no",
		"RemoteCommand=none",	   "EscapeChar=none",
		"UpdateHostKeys=no",	   "ConnectionAttempts=1", /* we try again ourselves */
		"LogLevel=INFO",				   /* its words say why it failed */
	};
	const struct plan_target *t = spec->target;

	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		client_arg(args, "-o");
		client_arg(args, always[i]);
	}
	client_option(args, "StrictHostKeyChecking=%s", t->accept_new ? "accept-new" : "yes");
	client_option(args, "ConnectTimeout=%u", connect_timeout_s);
	client_option(args, "ServerAliveInterval=%u",
		      t->alive_interval_s ? t->alive_interval_s : CLIENT_ALIVE_S);
	client_option(args, "ServerAliveCountMax=%u",
		      t->alive_interval_s && t->alive_count ? t->alive_count : CLIENT_ALIVE_COUNT);
	client_list_option(args, "KexAlgorithms", spec->kex);
	client_list_option(args, "Ciphers", spec->ciphers);
	client_list_option(args, "MACs", spec->macs);
}

/* What the user has said: ssh reads the same files, and has its own ideas of what is in them. */
static void client_user(struct client_argv *args, const struct plan_request *request,
			const struct plan_host *host)
{
	char port[16];

	for (size_t i = 0; i < request->option_count; i++) {
		client_arg(args, "-o");
		client_arg(args, request->options[i]);
	}
	if (host->user) {
		client_arg(args, "-l");
		client_arg(args, host->user);
	}
	if (host->port) {
		(void)snprintf(port, sizeof port, "%u", host->port);
		client_arg(args, "-p");
		client_arg(args, port);
	}
}

/*
 * The mark on both streams: what came before it is of the login and of ssh, what comes after it is
 * the command's. The words of the command pass through the shell that says it unread. Of a command
 * of the user's that shell stays: ssh tells nobody of a signal, the shell makes a status of it, and
 * what it would say about that is no output of the command.
 */
static char *client_marked(const char *command, const char *mark, bool stays)
{
	static const char exec[] = "exec ";
	static const char stay[] = "exec 3>&2 2>/dev/null;\"$0\" \"$@\" 2>&3 3>&-;exit $?";
	bool execs = strncmp(command, exec, sizeof exec - 1) == 0;
	int len = (int)strcspn(mark, "\n");

	return xasprintf("%ssh -c 'echo %.*s;echo %.*s >&2;%s' %s", execs ? exec : "", len, mark,
			 len, mark, stays ? stay : "exec \"$0\" \"$@\"",
			 execs ? command + sizeof exec - 1 : command);
}

/* Ours, without what would let it ask; the ssh-agent is that of the job. */
static void client_environment(struct client_argv *args, const char *agent_socket)
{
	static const char *const without[] = {
		"SSH_AUTH_SOCK=", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=", "DISPLAY=",
		"WAYLAND_DISPLAY="};

	for (char **e = environ; e && *e; e++) {
		size_t i = 0;

		while (i < ARRAY_LEN(without) && strncmp(*e, without[i], strlen(without[i])) != 0)
			i++;
		if (i == ARRAY_LEN(without))
			client_add(&args->envp, &args->envc, xstrdup(*e));
	}
	if (agent_socket)
		client_add(&args->envp, &args->envc, xasprintf("SSH_AUTH_SOCK=%s", agent_socket));
	client_add(&args->envp, &args->envc, NULL);
}

void client_argv_make(struct client_argv *ret, const char *program, const struct conn_spec *spec,
		      const char *command, const char *mark, unsigned connect_timeout_s)
{
	const struct plan *plan = spec->target->plan;
	const struct plan_host *host = &plan->request.hosts[spec->target - plan->targets];

	*ret = (struct client_argv){0};
	client_arg(ret, program);
	client_arg(ret, "-T");
	if (plan->request.config_path) {
		client_arg(ret, "-F");
		client_arg(ret, plan->request.config_path);
	}
	client_settle(ret, spec, connect_timeout_s);
	client_user(ret, &plan->request, host);
	if (!command)
		client_arg(ret, "-s");
	client_arg(ret, "--");
	client_arg(ret, host->hostname);
	if (!command)
		client_arg(ret, spec->subsystem);
	else if (mark)
		client_add(&ret->argv, &ret->argc, client_marked(command, mark, !spec->stream));
	else
		client_arg(ret, command);
	client_add(&ret->argv, &ret->argc, NULL);
	client_environment(ret, plan->request.agent_socket);
}

void client_argv_done(struct client_argv *args)
{
	for (size_t i = 0; i < args->argc; i++)
		free(args->argv[i]);
	for (size_t i = 0; i < args->envc; i++)
		free(args->envp[i]);
	free(args->argv);
	free(args->envp);
	*args = (struct client_argv){0};
}

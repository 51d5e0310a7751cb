/*
 * askd: an SSH server that asks (keyboard-interactive, RFC 4256), for tests:
 *
 *     askd [-k] [-r] [-g SECONDS] [-i TEXT] HOSTKEY PORTFILE LOG QUESTION=ANSWER...
 *
 * -k: any key first, then the questions. -r: each question in a round of its own. -g: who is not
 * logged in by then is dropped. -i: what stands above the questions. A QUESTION that begins with
 * '+' shows its answer; an empty ANSWER wants an empty one. Who has answered all may run one
 * command, as us. Listens on 127.0.0.1; PORTFILE gets the port. LOG gets a line for each login:
 * ok, wrong, or left. Ends with its parent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUESTIONS_MAX 64

struct askd {
	bool key_first, rounds;
	unsigned grace;
	const char *instruction, *host_key, *port_file, *log;
	const char *prompts[QUESTIONS_MAX], *answers[QUESTIONS_MAX];
	char echo[QUESTIONS_MAX];
	unsigned count;
	/* Of one connection. */
	unsigned next; /* question of this round */
	bool in;
	ssh_channel channel;
};

static const char *askd_log_path;

/* Also from a signal's handler. */
static void askd_log(const char *line)
{
	int fd = open(askd_log_path, O_WRONLY | O_APPEND | O_CREAT, 0600);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		_exit(1);
	(void)close(fd);
}

static void askd_on_grace(int sig)
{
	(void)sig;
	askd_log("left\n");
	_exit(0);
}

static void askd_ask(struct askd *a, ssh_message msg)
{
	unsigned n = a->rounds ? 1 : a->count;

	(void)ssh_message_auth_interactive_request(msg, "", a->instruction, n, &a->prompts[a->next],
						   &a->echo[a->next]);
}

static void askd_judge(struct askd *a, ssh_session s, ssh_message msg)
{
	unsigned n = a->rounds ? 1 : a->count;
	bool right = ssh_userauth_kbdint_getnanswers(s) == (int)n;

	for (unsigned i = 0; right && i < n; i++)
		right = strcmp(ssh_userauth_kbdint_getanswer(s, i), a->answers[a->next + i]) == 0;
	if (!right) {
		askd_log("wrong\n");
		a->next = 0;
		(void)ssh_message_auth_set_methods(msg, SSH_AUTH_METHOD_INTERACTIVE);
		(void)ssh_message_reply_default(msg);
		return;
	}
	a->next += n;
	if (a->next < a->count) {
		askd_ask(a, msg);
		return;
	}
	a->in = true;
	(void)alarm(0);
	askd_log("ok\n");
	(void)ssh_message_auth_reply_success(msg, 0);
}

static void askd_auth(struct askd *a, ssh_session s, ssh_message msg, bool *keyed)
{
	bool questions = !a->key_first || *keyed;

	if (ssh_message_subtype(msg) == SSH_AUTH_METHOD_PUBLICKEY && a->key_first && !*keyed) {
		if (ssh_message_auth_publickey_state(msg) == SSH_PUBLICKEY_STATE_NONE) {
			(void)ssh_message_auth_reply_pk_ok_simple(msg);
			return;
		}
		*keyed = true;
		(void)ssh_message_auth_set_methods(msg, SSH_AUTH_METHOD_INTERACTIVE);
		(void)ssh_message_auth_reply_success(msg, 1);
		return;
	}
	if (ssh_message_subtype(msg) == SSH_AUTH_METHOD_INTERACTIVE && questions) {
		if (ssh_message_auth_kbdint_is_response(msg))
			askd_judge(a, s, msg);
		else
			askd_ask(a, msg);
		return;
	}
	(void)ssh_message_auth_set_methods(msg, questions ? SSH_AUTH_METHOD_INTERACTIVE
							  : SSH_AUTH_METHOD_PUBLICKEY);
	(void)ssh_message_reply_default(msg);
}

static void askd_run(ssh_channel channel, const char *command)
{
	char piece[4096];
	size_t n;
	int status;
	FILE *out = popen(command, "r");

	while (out && (n = fread(piece, 1, sizeof piece, out)) > 0)
		(void)ssh_channel_write(channel, piece, (uint32_t)n);
	status = out ? pclose(out) : -1;
	(void)ssh_channel_send_eof(channel);
	(void)ssh_channel_request_send_exit_status(channel,
						   WIFEXITED(status) ? WEXITSTATUS(status) : 255);
	(void)ssh_channel_close(channel);
}

static void askd_serve(struct askd *a, ssh_session s)
{
	bool keyed = false;
	ssh_message msg;

	(void)signal(SIGALRM, askd_on_grace);
	(void)alarm(a->grace);
	if (ssh_handle_key_exchange(s) != SSH_OK)
		return;
	while ((msg = ssh_message_get(s))) {
		int type = ssh_message_type(msg);

		if (type == SSH_REQUEST_AUTH) {
			askd_auth(a, s, msg, &keyed);
		} else if (type == SSH_REQUEST_CHANNEL_OPEN && a->in) {
			a->channel = ssh_message_channel_request_open_reply_accept(msg);
		} else if (type == SSH_REQUEST_CHANNEL && a->channel &&
			   ssh_message_subtype(msg) == SSH_CHANNEL_REQUEST_EXEC) {
			(void)ssh_message_channel_request_reply_success(msg);
			askd_run(a->channel, ssh_message_channel_request_command(msg));
		} else {
			(void)ssh_message_reply_default(msg);
		}
		ssh_message_free(msg);
	}
	if (!a->in)
		askd_log("left\n");
}

static int askd_listen(const struct askd *a)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char part[4096];
	FILE *f;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	(void)snprintf(part, sizeof part, "%s.part", a->port_file);
	f = fopen(part, "w");
	if (!f || fprintf(f, "%d\n", ntohs(at.sin_port)) < 0 || fclose(f) != 0 ||
	    rename(part, a->port_file) != 0)
		return -1;
	return fd;
}

static void askd_child(struct askd *a, int fd)
{
	ssh_bind bind = ssh_bind_new();
	ssh_session s = ssh_new();
	bool no = false;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	(void)ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, a->host_key);
	ssh_set_auth_methods(s, SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_INTERACTIVE);
	if (ssh_bind_accept_fd(bind, s, fd) == SSH_OK)
		askd_serve(a, s);
	_exit(0);
}

static void askd_loop(struct askd *a, int listening)
{
	for (;;) {
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return;
		if (fd >= 0 && fork() == 0)
			askd_child(a, fd);
		if (fd >= 0)
			(void)close(fd);
	}
}

static bool askd_questions(struct askd *a, char **words, int count)
{
	for (int i = 0; i < count && a->count < QUESTIONS_MAX; i++) {
		char *equals = strrchr(words[i], '=');

		if (!equals)
			return false;
		*equals = '\0';
		a->echo[a->count] = words[i][0] == '+';
		a->prompts[a->count] = words[i] + a->echo[a->count];
		a->answers[a->count++] = equals + 1;
	}
	return a->count > 0;
}

int main(int argc, char **argv)
{
	struct askd a = {.instruction = ""};
	int opt, fd;

	while ((opt = getopt(argc, argv, "krg:i:")) != -1) {
		if (opt == 'k')
			a.key_first = true;
		else if (opt == 'r')
			a.rounds = true;
		else if (opt == 'g')
			a.grace = (unsigned)atoi(optarg);
		else if (opt == 'i')
			a.instruction = optarg;
		else
			return 2;
	}
	if (argc - optind < 4 || !askd_questions(&a, argv + optind + 3, argc - optind - 3))
		return 2;
	a.host_key = argv[optind];
	a.port_file = argv[optind + 1];
	askd_log_path = argv[optind + 2];
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Nobody waits for the children: they are let go. */
	(void)signal(SIGCHLD, SIG_DFL);
	fd = askd_listen(&a);
	if (fd < 0 || ssh_init() != 0)
		return 1;
	askd_loop(&a, fd);
	return 1;
}

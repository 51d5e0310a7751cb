/*
 * bare KNOWN_HOSTS KEY COUNT IN_FLIGHT KEX: logs in to the first hosts of a known_hosts file of
 * plain lines ([ADDRESS]:PORT), so many at a time, has each run `true` over libssh, and prints how
 * much CPU time one of them cost, in microseconds. No host key is checked, nothing is configured,
 * resolved, kept or stored: what remains is what libssh and the kernel cost on this machine, to
 * measure muster by.
 */
#include <fcntl.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SESSIONS_MAX = 1024 };
enum stage { STAGE_CONNECT, STAGE_LOGIN, STAGE_OPEN, STAGE_EXEC, STAGE_READ, STAGE_OVER };

struct bare {
	ssh_session session;
	ssh_channel channel;
	enum stage stage;
};

static const char *kex;
static ssh_key key;

static _Noreturn void give_up(const char *what, const char *why)
{
	(void)fprintf(stderr, "bare: %s: %s\n", what, why);
	exit(1);
}

/* The next host of the file; false at its end. */
static int next_host(FILE *hosts, char host[static 64], unsigned *port)
{
	char line[4096];

	return fgets(line, sizeof line, hosts) && sscanf(line, "[%63[^]]]:%u", host, port) == 2;
}

static void bare_begin(struct bare *b, FILE *hosts)
{
	int no = 0, nodelay = 1;
	unsigned port;
	char host[64];

	if (!next_host(hosts, host, &port))
		give_up("known_hosts", "it has too few lines of the form [ADDRESS]:PORT");
	*b = (struct bare){.session = ssh_new()};
	(void)ssh_options_set(b->session, SSH_OPTIONS_PROCESS_CONFIG, &no);
	(void)ssh_options_set(b->session, SSH_OPTIONS_SSH_DIR, "/nonexistent");
	(void)ssh_options_set(b->session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
	(void)ssh_options_set(b->session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
	(void)ssh_options_set(b->session, SSH_OPTIONS_USER,
			      getenv("USER") ? getenv("USER") : "root");
	(void)ssh_options_set(b->session, SSH_OPTIONS_NODELAY, &nodelay);
	(void)ssh_options_set(b->session, SSH_OPTIONS_KEY_EXCHANGE, kex);
	(void)ssh_options_set(b->session, SSH_OPTIONS_CIPHERS_C_S, "aes128-gcm@openssh.com");
	(void)ssh_options_set(b->session, SSH_OPTIONS_CIPHERS_S_C, "aes128-gcm@openssh.com");
	(void)ssh_options_set(b->session, SSH_OPTIONS_HOST, host);
	(void)ssh_options_set(b->session, SSH_OPTIONS_PORT, &port);
	ssh_set_blocking(b->session, 0);
}

static int bare_read(struct bare *b)
{
	char data[4096];
	int n;

	while ((n = ssh_channel_read_nonblocking(b->channel, data, sizeof data, 0)) > 0) {
	}
	return n == SSH_ERROR || n == SSH_EOF || ssh_channel_is_eof(b->channel) ? SSH_OK
										: SSH_AGAIN;
}

static int bare_step(struct bare *b)
{
	switch (b->stage) {
	case STAGE_CONNECT:
		return ssh_connect(b->session);
	case STAGE_LOGIN:
		return ssh_userauth_publickey(b->session, NULL, key);
	case STAGE_OPEN:
		if (!b->channel)
			b->channel = ssh_channel_new(b->session);
		return ssh_channel_open_session(b->channel);
	case STAGE_EXEC:
		return ssh_channel_request_exec(b->channel, "true");
	case STAGE_READ:
		return bare_read(b);
	case STAGE_OVER:
		break;
	}
	return SSH_AGAIN;
}

static void bare_advance(struct bare *b)
{
	int rc = SSH_OK;

	while (b->stage != STAGE_OVER && rc == SSH_OK) {
		rc = bare_step(b);
		if (rc != SSH_OK && rc != SSH_AGAIN && rc != SSH_AUTH_AGAIN)
			give_up("a session", ssh_get_error(b->session));
		if (rc == SSH_OK)
			b->stage++;
	}
	/* libssh puts it back to blocking (socket.c of 0.10.6). */
	(void)fcntl(ssh_get_fd(b->session), F_SETFL, O_NONBLOCK);
}

static void bare_wait(const struct bare *b, size_t n)
{
	struct pollfd fds[SESSIONS_MAX];

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = ssh_get_fd(b[i].session),
					 .events = ssh_get_poll_flags(b[i].session) &
								   SSH_WRITE_PENDING
							   ? POLLIN | POLLOUT
							   : POLLIN};
	if (poll(fds, n, 30000) <= 0)
		give_up("poll", "nothing came for 30 s");
}

static void bare_run(FILE *hosts, size_t count, size_t flight)
{
	struct bare b[SESSIONS_MAX];
	size_t begun = 0, live = 0, over = 0;

	while (over < count) {
		while (live < flight && begun < count) {
			bare_begin(&b[live++], hosts);
			bare_advance(&b[live - 1]);
			begun++;
		}
		bare_wait(b, live);
		for (size_t i = 0; i < live;) {
			bare_advance(&b[i]);
			if (b[i].stage != STAGE_OVER) {
				i++;
				continue;
			}
			ssh_free(b[i].session);
			b[i] = b[--live];
			over++;
		}
	}
}

static double cpu_us(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
	FILE *hosts = argc == 6 ? fopen(argv[1], "r") : NULL;
	size_t count = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;
	size_t flight = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;
	double begin;

	if (!hosts || !count || !flight || flight > SESSIONS_MAX) {
		(void)fprintf(stderr, "usage: bare KNOWN_HOSTS KEY COUNT IN_FLIGHT KEX\n");
		return 2;
	}
	kex = argv[5];
	if (ssh_pki_import_privkey_file(argv[2], NULL, NULL, NULL, &key) != SSH_OK)
		give_up(argv[2], "no private key without a passphrase");
	begin = cpu_us();
	bare_run(hosts, count, flight);
	(void)printf("%.1f\n", (cpu_us() - begin) / (double)count);
	ssh_key_free(key);
	return fclose(hosts) != 0;
}

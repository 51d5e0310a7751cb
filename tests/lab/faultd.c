/*
 * Misbehaving servers for tests: faultd [--with-parent] ADDR:PORT=MODE ...
 * docs/lab.md lists the modes. One poll loop; every connection has a fixed amount of memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "faultd.h"

#define LISTENERS_MAX 128
#define CONNS_MAX     400
#define GARBAGE_SIZE  16384

static const char http_error[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
				 "Connection: close\r\n\r\n";
static const char banner[] = "SSH-2.0-x\r\n";
/* A packet that begins like KEXINIT and claims to be 2 GiB long, RFC 4253 section 6. */
static const char halfkex[] = "SSH-2.0-x\r\n\x7f\xff\xff\xf0\x0a\x14"
			      "0123456789abcdef\0\0\1\0curve25519";

static const char *const limit_names[] = {"count", "drop", "delay", "stall"};

struct faultd {
	struct listener listener[LISTENERS_MAX];
	size_t listeners;
	struct conn *conn[CONNS_MAX];
	size_t conns;
	struct pollfd poll[2 + LISTENERS_MAX + 2 * CONNS_MAX];
	size_t polls;
	int signals;
	bool with_parent;
	char slow[256];
	char garbage[GARBAGE_SIZE];
};

static void die(const char *input, const char *problem)
{
	fprintf(stderr, "faultd: '%s': %s\n", input, problem);
	exit(2);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void parse_address(const char *text, struct tcp_address *ret)
{
	const char *problem = tcp_parse(text, ret);

	if (problem)
		die(text, problem);
}

/* proxy:HOST:PORT:count or :drop=N, :delay=N, :stall=N */
static void parse_proxy(struct listener *l, const char *mode)
{
	char *text = strdup(mode + strlen("proxy:"));
	char *what = text ? strrchr(text, ':') : NULL;
	char *value, *end;

	if (!what)
		die(mode, "want proxy:HOST:PORT:count, :drop=BYTES, :delay=MS or :stall=BYTES");
	*what++ = '\0';
	value = strchr(what, '=');
	if (value)
		*value++ = '\0';
	for (l->limit = LIMIT_COUNT; strcmp(what, limit_names[l->limit]) != 0; l->limit++)
		if (l->limit == LIMIT_STALL)
			die(mode, "the last part must be count, drop=, delay= or stall=");
	if ((l->limit == LIMIT_COUNT) != !value)
		die(mode, "count takes no number; drop, delay and stall need one");
	if (value) {
		errno = 0;
		l->value = strtoull(value, &end, 10);
		if (errno || *end || *value < '0' || *value > '9' ||
		    (l->limit == LIMIT_DELAY && l->value > 3600000))
			die(mode, "the number is malformed or too large");
	}
	parse_address(text, &l->target);
	free(text);
}

static void parse_mode(struct faultd *f, struct listener *l, const char *mode)
{
	const struct script scripts[] = {
		{.name = "silent"},
		{.name = "close", .closes = true},
		{"banner", http_error, sizeof(http_error) - 1, .closes = true},
		{"garbage", f->garbage, sizeof(f->garbage), .repeats = true},
		{"slowbanner", f->slow, sizeof(f->slow) - 1, .step_ms = 200},
		{"hangkex", banner, sizeof(banner) - 1, .step_ms = 0},
		{"halfkex", halfkex, sizeof(halfkex) - 1, .step_ms = 0},
		{"closekex", banner, sizeof(banner) - 1, .closes = true},
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		if (strcmp(mode, scripts[i].name) == 0) {
			l->script = scripts[i];
			return;
		}
	}
	if (strncmp(mode, "proxy:", strlen("proxy:")) != 0)
		die(mode, "no such mode; docs/lab.md lists them");
	parse_proxy(l, mode);
}

static void make_texts(struct faultd *f)
{
	uint32_t x = 2463534242U;

	memset(f->slow, 's', sizeof(f->slow));
	memcpy(f->slow, "SSH-2.0-", strlen("SSH-2.0-"));
	memcpy(f->slow + sizeof(f->slow) - 3, "\r\n", sizeof("\r\n"));
	for (size_t i = 0; i < sizeof(f->garbage); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		f->garbage[i] = (char)(x >> 11);
		if (f->garbage[i] == '\n' || f->garbage[i] == '\r')
			f->garbage[i] = '\a';
	}
}

static void add_listener(struct faultd *f, char *argument)
{
	struct listener *l = &f->listener[f->listeners];
	struct tcp_address address;
	char *mode = strchr(argument, '=');

	if (!mode)
		die(argument, "want ADDR:PORT=MODE");
	if (f->listeners == LISTENERS_MAX)
		die(argument, "too many servers: at most 128");
	*mode++ = '\0';
	l->mode = mode;
	parse_mode(f, l, mode);
	parse_address(argument, &address);
	l->chosen = strcmp(strrchr(argument, ':'), ":0") == 0;
	l->fd = tcp_listen(&address);
	if (l->fd < 0 || !tcp_name(l->fd, l->name, sizeof(l->name)))
		die(argument, strerror(errno));
	f->listeners++;
}

/* Takes one waiting connection. Returns false when there is none. */
static bool accept_one(struct faultd *f, struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		/* Out of descriptors: the listener stays readable, so do not spin. */
		if (errno == EMFILE || errno == ENFILE)
			poll(NULL, 0, 10);
		return errno == ECONNABORTED;
	}
	l->count++;
	f->conn[f->conns] = conn_new(fd, l);
	if (f->conn[f->conns])
		f->conns++;
	return true;
}

/* Fills f->poll: signals, stdin, listeners, two of each connection. Returns the time to wait. */
static int arm(struct faultd *f, uint64_t now)
{
	uint64_t wake = NEVER;

	f->poll[0] = (struct pollfd){.fd = f->signals, .events = POLLIN};
	f->poll[1] = (struct pollfd){.fd = f->with_parent ? 0 : -1, .events = POLLIN};
	for (size_t i = 0; i < f->listeners; i++)
		f->poll[2 + i] = (struct pollfd){
			.fd = f->conns < CONNS_MAX ? f->listener[i].fd : -1, .events = POLLIN};
	for (size_t i = 0; i < f->conns; i++) {
		uint64_t t = conn_arm(f->conn[i], &f->poll[2 + f->listeners + 2 * i], now);

		wake = t < wake ? t : wake;
	}
	if (wake == NEVER)
		return -1;
	if (wake <= now)
		return 0;
	return wake - now < 60000 ? (int)(wake - now) : 60000;
}

static void run(struct faultd *f, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->conns; i++) {
		if (conn_run(f->conn[i], &f->poll[2 + f->listeners + 2 * i], now))
			f->conn[kept++] = f->conn[i];
		else
			conn_free(f->conn[i]);
	}
	f->conns = kept;
	for (size_t i = 0; i < f->listeners; i++) {
		if (!(f->poll[2 + i].revents & POLLIN))
			continue;
		while (f->conns < CONNS_MAX && accept_one(f, &f->listener[i]))
			;
	}
}

/* Returns false when it is time to end. */
static bool handle_signal(const struct faultd *f)
{
	struct signalfd_siginfo info;

	if (read(f->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return true;
	if (info.ssi_signo != SIGUSR1)
		return false;
	for (size_t i = 0; i < f->listeners; i++)
		if (!f->listener[i].script.name && f->listener[i].limit == LIMIT_COUNT)
			printf("%s count %" PRIu64 "\n", f->listener[i].name, f->listener[i].count);
	fflush(stdout);
	return true;
}

/* Is the other end of stdin, and so our parent, still there? */
static bool has_parent(const struct faultd *f)
{
	char data[256];

	return !f->poll[1].revents || read(0, data, sizeof(data)) > 0;
}

static void serve(struct faultd *f)
{
	for (;;) {
		int timeout = arm(f, now_ms());
		nfds_t n = 2 + f->listeners + 2 * f->conns;

		if (poll(f->poll, n, timeout) < 0) {
			if (errno == EINTR)
				continue;
			die("poll", strerror(errno));
		}
		if (!has_parent(f) || (f->poll[0].revents && !handle_signal(f)))
			return;
		run(f, now_ms());
	}
}

int main(int argc, char **argv)
{
	struct faultd *f = calloc(1, sizeof(*f));
	int first = 1;

	if (!f)
		die("memory", strerror(errno));
	if (argc > 1 && strcmp(argv[1], "--with-parent") == 0) {
		f->with_parent = true;
		first = 2;
	}
	if (first >= argc) {
		fprintf(stderr, "usage: faultd [--with-parent] ADDR:PORT=MODE ...\n");
		exit(2);
	}
	make_texts(f);
	f->signals = tcp_signals();
	if (f->signals < 0)
		die("signalfd", strerror(errno));
	for (int i = first; i < argc; i++)
		add_listener(f, argv[i]);
	for (size_t i = 0; i < f->listeners; i++)
		if (f->listener[i].chosen)
			printf("%s %s\n", f->listener[i].name, f->listener[i].mode);
	printf("ready\n");
	fflush(stdout);
	serve(f);
	for (size_t i = 0; i < f->conns; i++)
		conn_free(f->conn[i]);
	for (size_t i = 0; i < f->listeners; i++)
		close(f->listener[i].fd);
	close(f->signals);
	free(f);
	return 0;
}

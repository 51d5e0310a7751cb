/* Addresses and listening sockets of the lab's servers. */
#ifndef MUSTER_LAB_TCP_H
#define MUSTER_LAB_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct tcp_address {
	struct sockaddr_storage at;
	socklen_t size;
};

/* HOST:PORT or [HOST]:PORT, both numeric. Returns NULL, or what is wrong with the text. */
const char *tcp_parse(const char *text, struct tcp_address *ret);

/* A listening socket that does not block. Returns -1 with errno. */
int tcp_listen(const struct tcp_address *address);

/* Writes HOST:PORT of a socket's own end. Returns false with errno. */
bool tcp_name(int fd, char *out, size_t size);

/* SIGTERM, SIGINT and SIGUSR1 as a descriptor. Returns -1 with errno. */
int tcp_signals(void);

#endif

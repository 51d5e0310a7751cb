/* File descriptors. */
#ifndef MUSTER_FD_H
#define MUSTER_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

/* Closes *fd if it is one and sets it to -1. Keeps errno. */
void fd_close(int *fd);

/* Sets O_NONBLOCK, or FD_CLOEXEC. Returns 0 or ERR_SYS. */
int fd_nonblock(int fd);
int fd_cloexec(int fd);

/* Writes all, through EINTR and short writes, and waits as long as it takes: also where somebody
 * who shares a terminal or pipe with us has made it non-blocking. Returns 0 or ERR_SYS. */
int fd_write_all(int fd, const void *data, size_t n);

/*
 * Reads until in holds n bytes, and no byte more, waiting until deadline_ns (clock_mono_ns) at
 * most. Returns 0, ERR_TIMEOUT, ERR_CLOSED (the other side has closed), or ERR_SYS.
 */
int fd_read_until(int fd, struct buf *in, size_t n, uint64_t deadline_ns);

/* Opens for reading with O_CLOEXEC and O_NONBLOCK, so that a FIFO in place of a file cannot hang
 * us. Returns the descriptor, or ERR_SYS with errno. */
int fd_open_file(const char *path);

/* Appends what is left of fd to out. Returns 0; ERR_SYS with errno; ERR_LIMIT above max bytes; out
 * then has what it had before. */
int fd_read_rest(int fd, struct buf *out, size_t max);

/* The two in one: the whole file. Returns as they do. */
int fd_read_file(struct buf *out, const char *path, size_t max);

/* Raises the soft limit of open files to the hard one, setrlimit(2). Returns the limit in force. */
size_t fd_limit_raise(void);

#endif

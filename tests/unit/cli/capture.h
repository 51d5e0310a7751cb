/* The standard output and error of a test, redirected to a pipe or a file and put back. */
#ifndef MUSTER_TEST_CAPTURE_H
#define MUSTER_TEST_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "buf.h"
#include "fd.h"

struct capture {
	int saved[2]; /* stdout, stderr as they were; -1: not redirected */
	int file[2];  /* what they are redirected to */
};

/* Both into unnamed files. */
static inline void capture_begin(struct capture *c)
{
	(void)fflush(stdout);
	(void)fflush(stderr);
	for (int i = 0; i < 2; i++) {
		c->file[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		c->saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
		assert_true(c->file[i] >= 0 && c->saved[i] >= 0);
		assert_true(dup2(c->file[i], i + 1) >= 0);
	}
}

/* stdout into fd instead, which is closed: only stdout keeps what it names open. */
static inline void capture_stdout(int fd)
{
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	fd_close(&fd);
}

/* Also after a failed assertion, from the tear-down. */
static inline void capture_end(struct capture *c)
{
	for (int i = 0; i < 2; i++) {
		if (c->saved[i] >= 0)
			(void)dup2(c->saved[i], i + 1);
		fd_close(&c->saved[i]);
		fd_close(&c->file[i]);
	}
}

/* What was written to stdout (0) or stderr (1) so far. */
static inline void capture_read(struct capture *c, int which, struct buf *ret)
{
	ssize_t n;

	buf_clear(ret);
	while ((n = pread(c->file[which], buf_room(ret, 65536), 65536, (off_t)ret->len)) > 0)
		ret->len += (size_t)n;
}

#endif

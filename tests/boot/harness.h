/*
 * The bootstrap with real shells: a target is a directory with a home, and a login is a shell that
 * is given the text on socketpairs, as sshd does it, while struct boot is fed what it prints.
 *
 * The agent is a script, so that what it does is seen without a protocol: it says "AGENT umask" and
 * answers "got LINE" to each line, and notes in ~/tried that it was executed.
 */
#ifndef MUSTER_TEST_HARNESS_H
#define MUSTER_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "boot.h"
#include "buf.h"

struct target {
	char root[64]; /* a temporary directory; home, bin and so on are in it */
	char home[96];
	char bin[96]; /* first in PATH */
	char *path;   /* PATH, bin included */
	char arch[65];
	char sha256[65];
	struct buf agent;
	struct payload payload;
	const char *env[8];			/* more of the environment */
	void (*isolate)(const struct target *); /* in the child before exec; root only */
	uid_t uid;				/* who logs in; 0: as we are */
};

struct login {
	struct target *target;
	struct boot_spec spec;
	unsigned damage; /* bit N: the Nth push comes damaged */
	bool hold;	 /* what is to be sent waits */

	struct boot *boot;
	pid_t pid;
	int fd, error_fd;
	struct buf queue;
	size_t written;
	struct buf sent;  /* everything that was to be sent */
	struct buf agent; /* what the agent said */
	unsigned sends, pushes;
	bool ready, failed;
	enum boot_end end;
	char *text;
	int status; /* as waitpid(2) */
};

void target_make(struct target *target);
void target_remove(struct target *target);
/* Replaces the bytes of the agent, and its hash. */
void target_agent(struct target *target, const void *data, size_t len);
/* A file below the root. */
void target_write(const struct target *target, const char *name, const char *text, mode_t mode);
/* True if there is one; with its content, if text is not NULL. The caller frees. */
bool target_read(const struct target *target, const char *name, char **ret_text);
/* Files in a directory below the root; -1: there is none. */
int target_count(const struct target *target, const char *name);
/* The path of the agent in a cache directory below the root, relative to the root. Static. */
const char *target_cached(const struct target *target, const char *directory);

/* All zero but target and, if wished, spec. argv: the shell up to "-c"; the text is appended. */
void login_start(struct login *login, const char *const *argv);
/* Until each of them is ready, has failed, or is held with something to send. */
void login_wait(struct login *logins, size_t count);
/* After ready: it answers, and ends by itself. */
void login_talk(struct login *login);
void login_end(struct login *login);

/*
 * login_start, login_wait and, if ready, login_talk, and login_end. A test that fails says what
 * came.
 */
void login_expect_ready(struct login *login, const char *const *argv, unsigned pushes);
void login_expect_failed(struct login *login, const char *const *argv, enum boot_end end,
			 const char *text_has);

/* Runs a text with a shell on the target and returns what it prints. The caller frees. */
char *target_run(const struct target *target, const char *const *argv, const char *text);

/* The path of a program, or NULL. Static. */
const char *tool_find(const char *name);

#endif

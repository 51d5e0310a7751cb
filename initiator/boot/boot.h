/*
 * How an agent comes to run on a computer of which nothing is known but that it has sshd and a
 * POSIX sh: the text that is executed there, and the short talk with it until the agent speaks.
 * Pure: bytes in, actions out.
 *
 * The text looks for the agent in the caches of the user there, checks what it finds against the
 * hash, asks for the bytes if there is none, and becomes the agent. Every line of it that is for us
 * begins with a nonce that does not stand in the text itself. Nothing is sent before it asks.
 *
 *   NONCE RUN <path>          the next byte is the agent's
 *   NONCE NEED <arch> <len> <dir>   send exactly the agent of this architecture
 *   NONCE BAD                 what came was damaged in flight
 *   NONCE NODIR <directory> (<why>), ... | NONCE ARCH <arch>   it cannot be
 *
 * To become another user comes before that, and is told apart by BECOME (sudo, su or doas is next)
 * and THROUGH (the text runs as the other user), on both streams. sudo asks with "NONCE ASK:"; su
 * has no prompt of ours, so that an unfinished line between the two that ends in a colon is taken
 * for one. The password is written once, and never where nothing asks for it.
 *
 * A subsystem also runs below the login shell, and there is no nonce: its agent begins at the first
 * bytes that look like the header of a HELLO (docs/protocol.md, section 2). Noise that has the same
 * five bytes, two of them NUL, would be taken for it, and the peer would then refuse the frame.
 */
#ifndef MUSTER_BOOT_H
#define MUSTER_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "payload.h"

#define BOOT_NONCE_SIZE 17 /* 16 hex digits and a NUL */

enum boot_become { BOOT_AS_SELF, BOOT_SUDO, BOOT_SU, BOOT_DOAS };

struct boot_spec {
	char nonce[BOOT_NONCE_SIZE];
	const struct payload *payloads; /* borrowed until boot_free */
	size_t payload_count;
	bool subsystem; /* started by sshd: no text, no become, HELLO after noise */
	bool no_exec;	/* without "exec" before sh: for restricted shells */
	enum boot_become become;
	const char *become_user; /* NULL: root. [A-Za-z0-9_.-]+ */
	const char *password; /* for become; NULL: there is none. Borrowed until the last event */
};

/* 64 bits from the kernel. */
void boot_nonce(char out[static BOOT_NONCE_SIZE]);

/*
 * The text to execute, at most 8 KiB: works under any login shell (no newline, no '!', no
 * backslash). 0, or with msg ERR_SYNTAX for a bad user, ERR_UNSUPPORTED for a subsystem. The caller
 * frees it. Holds no secret. It wants "AGENT --version" to print "muster-agent" and end: a file
 * that does not is never started.
 */
int boot_command(char **ret_text, const struct boot_spec *spec, struct errmsg *msg);

enum boot_end {
	BOOT_NO_AGENT, /* it ended without the marker; text has what came instead, cut and escaped
			*/
	BOOT_ARCH,     /* no agent for that architecture */
	BOOT_NODIR,    /* nowhere to put it, or nowhere to run it */
	BOOT_DAMAGED,  /* what was pushed came damaged, twice */
	BOOT_BECOME    /* another user could not be become: password wrong, missing, not allowed */
};

struct boot_events {
	/* To be written to the channel, in this order. data is valid until the last event. */
	void (*send)(void *arg, const void *data, size_t len);
	/* The agent runs. rest: the first of its bytes. The last event. */
	void (*ready)(void *arg, const void *rest, size_t len);
	/* It will not. text: for people, harmless on a terminal. The last event. */
	void (*failed)(void *arg, enum boot_end end, const char *text);
};

struct boot;

/* events, arg are borrowed. Freed by boot_free, not from inside an event. */
struct boot *boot_new(const struct boot_spec *spec, const struct boot_events *events, void *arg);
void boot_free(struct boot *boot); /* NULL is fine. Wipes what it held of the password */

/* Bytes from the channel. After the last event they are ignored. */
void boot_feed(struct boot *boot, bool is_error, const void *data, size_t len);

/* The channel has ended, with this exit status (-1: none). failed follows unless ready came. */
void boot_eof(struct boot *boot, int exit_status);

/* True once the agent had to be pushed. */
bool boot_has_pushed(const struct boot *boot);

/* Texts for plain exec, for muster agent get and remove: one line a cached agent on stdout,
 * "arch<TAB>sha256<TAB>path"; remove says what it has removed. Static. */
const char *boot_list_command(void);
const char *boot_remove_command(void);

#endif

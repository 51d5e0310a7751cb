/*
 * What a job's users can say to its hosts: a password, with what has become of it so far; and who
 * answers what a server asks beyond that. A wrong one must
 * not be tried on a thousand hosts, which may all ask one directory that locks the account: until a
 * host has taken it, SECRET_TRIES hosts at most are asked, and when as many have refused it no
 * other one is. Held by every connection of the job; from any thread.
 */
#ifndef MUSTER_SECRET_LOGIN_H
#define MUSTER_SECRET_LOGIN_H

#include <stdbool.h>

#include "locked.h"
#include "prompts.h"

#define SECRET_TRIES 3u

struct secret_login;

/* One hold of each is taken over. NULL: there is no password; nobody is asked. */
struct secret_login *secret_login_new(struct locked *password, struct prompts *prompts);
/* The same password for other people to answer; its turns begin anew. One hold of prompts is taken
 * over. login may be NULL. */
struct secret_login *secret_login_with(const struct secret_login *login, struct prompts *prompts);
struct secret_login *secret_login_hold(struct secret_login *login); /* returns it. NULL is fine */
void secret_login_drop(struct secret_login *login);		    /* NULL is fine */

/* The password. login NULL, or it has none: NULL. */
const char *secret_login_text(const struct secret_login *login);
bool secret_login_has_password(const struct secret_login *login);
/* Borrowed. login NULL, or nobody is asked: NULL. */
struct prompts *secret_login_prompts(const struct secret_login *login);

/* The turns of the password; only of one that has it. */
enum secret_turn {
	SECRET_GO,   /* now; secret_login_end follows once */
	SECRET_WAIT, /* others are trying: ask again soon */
	SECRET_NEVER /* it was refused by SECRET_TRIES hosts */
};
enum secret_end {
	SECRET_TAKEN,
	SECRET_REFUSED,
	SECRET_UNUSED, /* it was not sent */
	SECRET_UNKNOWN /* the connection has ended before the server said anything */
};

enum secret_turn secret_login_begin(struct secret_login *login);
void secret_login_end(struct secret_login *login, enum secret_end end);

#endif

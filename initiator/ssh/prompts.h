/*
 * Questions of servers that a person has to answer: "Verification code: ". A connection asks from
 * its own thread and looks now and then whether there is an answer; who has the terminal takes the
 * questions on the main loop, one at a time, and settles each.
 */
#ifndef MUSTER_PROMPTS_H
#define MUSTER_PROMPTS_H

#include <stdbool.h>

#include "locked.h"
#include "loop.h"

struct prompts;
struct prompt;

enum prompt_state {
	PROMPT_WAITS,	 /* for its turn, or for the person */
	PROMPT_ANSWERED, /* prompt_answer */
	PROMPT_NOBODY,	 /* there is no terminal, or the command has gone */
	PROMPT_LATE	 /* nothing was typed in time */
};

/* On loop. take: one more question; its hold goes with prompt_settle, which follows once. done:
 * nobody holds it any more. loop must outlive the last hold. */
struct prompts_owner {
	void (*take)(void *arg, struct prompt *prompt);
	void (*done)(void *arg);
};
struct prompts *prompts_new(struct loop *loop, const struct prompts_owner *owner, void *arg);
struct prompts *prompts_hold(struct prompts *prompts); /* returns it. NULL is fine */
void prompts_drop(struct prompts *prompts);	       /* from any thread. NULL is fine */
void *prompts_arg(const struct prompts *prompts);

/* Nobody is asked any more, and this is why: NOBODY or LATE. From any thread. */
void prompts_close(struct prompts *prompts, enum prompt_state why);
/* WAITS: they are open. */
enum prompt_state prompts_why_closed(const struct prompts *prompts);
bool prompts_are_open(const struct prompts *prompts); /* NULL: they are not */

/* --- for a connection ------------------------------------------------------------------------ */

/* host, text: copied. */
struct prompt *prompt_new(struct prompts *prompts, const char *host, const char *text, bool echo);
enum prompt_state prompt_look(const struct prompt *prompt);
bool prompt_is_shown(const struct prompt *prompt); /* on the terminal: it has had its turn */
/* Once it is ANSWERED; borrowed; it may be empty. */
const char *prompt_answer(const struct prompt *prompt);
/* Nobody wants to know any more; the answer is wiped. NULL is fine. */
void prompt_drop(struct prompt *prompt);

/* --- for who has the terminal ---------------------------------------------------------------- */

bool prompt_is_wanted(const struct prompt *prompt);
const char *prompt_host(const struct prompt *prompt);
const char *prompt_text(const struct prompt *prompt);
bool prompt_echo(const struct prompt *prompt);
void prompt_show(struct prompt *prompt); /* it is its turn */
/* answer: of ANSWERED; held. The prompt is not the caller's any more. */
void prompt_settle(struct prompt *prompt, enum prompt_state state, struct locked *answer);

#endif

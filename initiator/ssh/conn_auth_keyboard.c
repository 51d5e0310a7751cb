/* keyboard-interactive (RFC 4256): what the server asks; the password, or what a person types, as
 * its answer. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "buf.h"
#include "clock.h"
#include "conn_private.h"
#include "conn_prompt.h"
#include "limits.h"
#include "pacer.h"

/* So much of a question is shown with a failure. */
#define CONN_PROMPT_SHOWN 80
/* So often it is looked whether a person has answered, and whether the server still waits. */
#define CONN_ASKED_MS 100u

static const char *conn_auth_question(struct conn *c, unsigned i, bool *echo)
{
	char shown = 0;
	const char *prompt = ssh_userauth_kbdint_getprompt(c->session, i, &shown);

	*echo = shown != 0;
	return prompt ? prompt : "";
}

static enum conn_verdict conn_auth_give(struct conn *c, unsigned i, const char *answer)
{
	if (ssh_userauth_kbdint_setanswer(c->session, i, answer) < 0)
		return conn_fail(c, CONN_END_AUTH, "no answer can be given: %s", conn_why(c));
	c->auth.at = i + 1;
	return CONN_NEXT;
}

static enum conn_verdict conn_auth_unanswered(struct conn *c, enum prompt_state state)
{
	bool echo;

	return conn_fail(c, CONN_END_AUTH, "the server asks \"%.*s\", and %s", CONN_PROMPT_SHOWN,
			 conn_auth_question(c, c->auth.at, &echo),
			 state == PROMPT_LATE	  ? "nobody has answered in time"
			 : state == PROMPT_NOBODY ? "there is no terminal to ask on"
						  : "this job asks nobody");
}

/* The server's words for the round, before its first question. */
static void conn_auth_introduce(struct conn *c, struct buf *out)
{
	const char *instruction = ssh_userauth_kbdint_getinstruction(c->session);

	if (instruction && *instruction)
		buf_addf(out, "%.*s\n", (int)LIMIT_PROMPT_TEXT, instruction);
}

static enum conn_verdict conn_auth_ask(struct conn *c, unsigned i, const char *prompt, bool echo)
{
	struct prompts *prompts = secret_login_prompts(c->spec.login);
	struct buf text = {0};

	if (!prompts_are_open(prompts))
		return conn_auth_unanswered(c,
					    prompts ? prompts_why_closed(prompts) : PROMPT_WAITS);
	if (i == 0)
		conn_auth_introduce(c, &text);
	buf_addf(&text, "%.*s", (int)LIMIT_PROMPT_TEXT, prompt);
	c->auth.prompt = prompt_new(prompts, c->spec.target->host, buf_cstr(&text), echo);
	c->auth.asked_ns = clock_mono_ns();
	buf_done(&text);
	conn_kick(c, CONN_ASKED_MS);
	return CONN_WAIT;
}

/* Whether the server has gone. Nothing is read meanwhile: libssh would take it for the answer to an
 * answer. */
static bool conn_auth_is_left(const struct conn *c)
{
	char byte;
	ssize_t n = recv(ssh_get_fd(c->session), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static enum conn_verdict conn_auth_closed(struct conn *c)
{
	bool shown = prompt_is_shown(c->auth.prompt);

	if (!shown)
		c->result.trouble = PACER_DROPPED;
	return conn_fail(c, CONN_END_AUTH,
			 "the server closed the connection before %s (sshd_config(5), "
			 "LoginGraceTime)%s",
			 shown ? "its question was answered" : "it was its turn to be asked for",
			 shown ? "" : ": --throttle 1 asks host by host");
}

static enum conn_verdict conn_auth_say_password(struct conn *c, unsigned i, const char *prompt)
{
	/* Once more would be a second attempt, and might lock the account. */
	if (c->auth.again) {
		secret_login_end(c->spec.login, SECRET_REFUSED);
		c->auth.turn = false;
		return conn_fail(c, CONN_END_AUTH, "the password was not accepted for %s",
				 c->spec.target->user);
	}
	if (!secret_login_has_password(c->spec.login))
		return conn_fail(c, CONN_END_AUTH,
				 "the server asks \"%.*s\": --ask-pass gives it a password",
				 CONN_PROMPT_SHOWN, prompt);
	c->auth.sent = true;
	return conn_auth_give(c, i, secret_login_text(c->spec.login));
}

static enum conn_verdict conn_auth_say(struct conn *c, unsigned i, size_t count)
{
	bool echo;
	const char *prompt = conn_auth_question(c, i, &echo);

	switch (conn_prompt_kind(prompt, echo, count)) {
	case CONN_PROMPT_NEW:
		return conn_fail(c, CONN_END_AUTH,
				 "the password has expired: the server asks \"%.*s\"",
				 CONN_PROMPT_SHOWN, prompt);
	case CONN_PROMPT_HIDDEN:
		if (secret_login_has_password(c->spec.login))
			return conn_auth_say_password(c, i, prompt);
		return conn_auth_ask(c, i, prompt, echo);
	case CONN_PROMPT_OTHER:
		return conn_auth_ask(c, i, prompt, echo);
	case CONN_PROMPT_PASSWORD:
		break;
	}
	return conn_auth_say_password(c, i, prompt);
}

/* From the question on that is to be answered next. */
static enum conn_verdict conn_auth_go_on(struct conn *c)
{
	int count = ssh_userauth_kbdint_getnprompts(c->session);
	enum conn_verdict verdict = CONN_NEXT;

	while (verdict == CONN_NEXT && (int)c->auth.at < count)
		verdict = conn_auth_say(c, c->auth.at, (size_t)count);
	return verdict;
}

enum conn_verdict conn_auth_answer(struct conn *c)
{
	int count = ssh_userauth_kbdint_getnprompts(c->session);

	if (++c->auth.rounds > LIMIT_AUTH_ROUNDS)
		return conn_fail(c, CONN_END_AUTH, "the server asks again and again");
	if (count > (int)LIMIT_AUTH_PROMPTS)
		return conn_fail(c, CONN_END_AUTH, "the server asks %d questions at once", count);
	c->auth.at = 0;
	c->auth.again = c->auth.sent;
	return conn_auth_go_on(c);
}

enum conn_verdict conn_auth_asked(struct conn *c)
{
	enum prompt_state state = prompt_look(c->auth.prompt);
	enum conn_verdict verdict;

	if (state == PROMPT_WAITS && conn_auth_is_left(c)) {
		verdict = conn_auth_closed(c);
	} else if (state == PROMPT_WAITS) {
		if (clock_mono_ns() - c->auth.asked_ns < LIMIT_PROMPT_WAIT_MS * UINT64_C(1000000))
			conn_auth_rest(c);
		conn_kick(c, CONN_ASKED_MS);
		return CONN_WAIT;
	} else if (state == PROMPT_ANSWERED) {
		conn_auth_rest(c);
		c->auth.said = true;
		verdict = conn_auth_give(c, c->auth.at, prompt_answer(c->auth.prompt));
	} else {
		verdict = conn_auth_unanswered(c, state);
	}
	prompt_drop(c->auth.prompt);
	c->auth.prompt = NULL;
	return verdict == CONN_NEXT ? conn_auth_go_on(c) : verdict;
}

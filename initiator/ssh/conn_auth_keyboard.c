/* keyboard-interactive (RFC 4256): what the server asks, and the password as its answer. */
#include "conn_private.h"
#include "conn_prompt.h"
#include "limits.h"

/* So much of a question is shown. */
#define CONN_PROMPT_SHOWN 80

static enum conn_verdict conn_auth_unanswered(struct conn *c, const char *prompt)
{
	return conn_fail(c, CONN_END_AUTH,
			 "the server asks \"%.*s\", which only a person can answer",
			 CONN_PROMPT_SHOWN, prompt);
}

static enum conn_verdict conn_auth_say(struct conn *c, unsigned i, size_t count)
{
	char echo = 0;
	const char *prompt = ssh_userauth_kbdint_getprompt(c->session, i, &echo);
	const char *password = secret_login_text(c->spec.login);

	if (!prompt)
		prompt = "";
	switch (conn_prompt_kind(prompt, echo != 0, count)) {
	case CONN_PROMPT_NEW:
		return conn_fail(c, CONN_END_AUTH,
				 "the password has expired: the server asks \"%.*s\"",
				 CONN_PROMPT_SHOWN, prompt);
	case CONN_PROMPT_OTHER:
		return conn_auth_unanswered(c, prompt);
	case CONN_PROMPT_PASSWORD:
		break;
	}
	if (!password)
		return conn_fail(c, CONN_END_AUTH,
				 "the server asks \"%.*s\": --ask-pass gives it a password",
				 CONN_PROMPT_SHOWN, prompt);
	if (ssh_userauth_kbdint_setanswer(c->session, i, password) < 0)
		return conn_fail(c, CONN_END_AUTH, "no answer can be given: %s", conn_why(c));
	return CONN_NEXT;
}

enum conn_verdict conn_auth_answer(struct conn *c)
{
	int count = ssh_userauth_kbdint_getnprompts(c->session);
	bool again = count > 0 && c->auth.sent;

	if (++c->auth.rounds > LIMIT_AUTH_ROUNDS)
		return conn_fail(c, CONN_END_AUTH, "the server asks again and again");
	if (count > (int)LIMIT_AUTH_PROMPTS)
		return conn_fail(c, CONN_END_AUTH, "the server asks %d questions at once", count);
	for (int i = 0; i < count; i++) {
		char echo = 0;
		const char *prompt = ssh_userauth_kbdint_getprompt(c->session, (unsigned)i, &echo);
		enum conn_verdict verdict;

		/* Once more would be a second attempt, and might lock the account. */
		if (again && conn_prompt_kind(prompt ? prompt : "", echo != 0, (size_t)count) ==
				     CONN_PROMPT_PASSWORD) {
			secret_login_end(c->spec.login, SECRET_REFUSED);
			c->auth.turn = false;
			return conn_fail(c, CONN_END_AUTH, "the password was not accepted for %s",
					 c->spec.target->user);
		}
		verdict = conn_auth_say(c, (unsigned)i, (size_t)count);
		if (verdict != CONN_NEXT)
			return verdict;
		c->auth.sent = true;
	}
	return CONN_NEXT;
}

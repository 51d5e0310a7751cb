/* The step "authentication": the methods in the target's order, keys in ssh's, the agent's on a
 * helper thread. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "conn_private.h"
#include "limits.h"

#define CONN_AUTH_RETRY_MS 100u
/* So often it is looked whether it is our turn to try the password, and for so long. */
#define CONN_TURN_MS	 50u
#define CONN_TURN_MAX_NS UINT64_C(600000000000)

/* Keys, in this order: explicit files, the agent as one attempt, the other files. */
enum conn_attempt {
	CONN_TRY_FILE,
	CONN_TRY_AGENT,
	CONN_TRY_NONE, /* asks what the server takes */
	CONN_TRY_KEYBOARD,
	CONN_TRY_PASSWORD,
	CONN_TRY_NOTHING
};

static enum conn_attempt conn_key_at(const struct plan_login *login, size_t n, size_t *ret_file)
{
	size_t agent = login->agent_count ? 1 : 0;

	if (n < login->explicit_count) {
		*ret_file = n;
		return CONN_TRY_FILE;
	}
	if (agent && n == login->explicit_count)
		return CONN_TRY_AGENT;
	if (n < login->file_count + agent) {
		*ret_file = n - agent;
		return CONN_TRY_FILE;
	}
	return CONN_TRY_NOTHING;
}

static void conn_sign_run(void *arg)
{
	struct conn *c = arg;

	c->auth_rc = ssh_userauth_agent(c->session, NULL);
}

static void conn_sign_done(void *arg, bool cancelled)
{
	struct conn *c = arg;

	(void)cancelled;
	c->signing = NULL;
	if (c->ended) {
		/* The engine may be gone, too. */
		conn_destroy(c);
		return;
	}
	c->auth_answered = true;
	conn_advance(c);
}

/* One call of libssh's on a helper thread, which has the session for that time. */
static int conn_try_agent(struct conn *c)
{
	int fd;

	if (c->signing)
		return SSH_AUTH_AGAIN;
	if (c->auth_answered) {
		c->auth_answered = false;
		if (c->auth_rc != SSH_AUTH_AGAIN) {
			agent_proxy_free(c->agent);
			c->agent = NULL;
		}
		return c->auth_rc;
	}
	if (!c->agent) {
		c->agent = agent_proxy_new(ssh_engine_loop(c->engine), c->spec.target->login, &fd);
		if (!c->agent) {
			/* No descriptor free: other connections end, the deadline bounds it. */
			conn_kick(c, CONN_AUTH_RETRY_MS);
			return SSH_AUTH_AGAIN;
		}
		(void)ssh_set_agent_socket(c->session, fd);
	}
	conn_unwatch(c);
	c->signing = work_submit(ssh_engine_signers(c->engine), conn_sign_run, conn_sign_done, c);
	return SSH_AUTH_AGAIN;
}

/* --- which one ------------------------------------------------------------------------------- */

/* What the server goes on with; nothing is known before the first attempt. */
static bool conn_auth_offers(const struct conn *c, int method)
{
	int offered = ssh_userauth_list(c->session, NULL);

	return !offered || (offered & method);
}

/* Without a password, and without being told to, no host is asked for its questions: one that only
 * wants a password would count that as an attempt. A second factor may want no answer at all. */
static bool conn_wants_keyboard(const struct conn *c)
{
	return !c->auth.keyboard_done && !c->auth.refused &&
	       (secret_login_has_password(c->spec.login) || c->auth.partials ||
		(c->spec.target->auth.keyboard_named &&
		 prompts_are_open(secret_login_prompts(c->spec.login)))) &&
	       conn_auth_offers(c, SSH_AUTH_METHOD_INTERACTIVE);
}

static bool conn_wants_password(const struct conn *c)
{
	return !c->auth.password_done && !c->auth.refused &&
	       secret_login_has_password(c->spec.login) &&
	       conn_auth_offers(c, SSH_AUTH_METHOD_PASSWORD);
}

static enum conn_attempt conn_auth_at(const struct conn *c, enum plan_method method,
				      size_t *ret_file)
{
	switch (method) {
	case PLAN_PUBKEY:
		return conn_auth_offers(c, SSH_AUTH_METHOD_PUBLICKEY)
			       ? conn_key_at(c->spec.target->login, c->auth_next, ret_file)
			       : CONN_TRY_NOTHING;
	case PLAN_KEYBOARD:
		return conn_wants_keyboard(c) ? CONN_TRY_KEYBOARD : CONN_TRY_NOTHING;
	case PLAN_PASSWORD:
		return conn_wants_password(c) ? CONN_TRY_PASSWORD : CONN_TRY_NOTHING;
	case PLAN_METHOD_COUNT:
		break;
	}
	return CONN_TRY_NOTHING;
}

/* Stays the same until it has ended. */
static enum conn_attempt conn_auth_pick(struct conn *c, size_t *ret_file)
{
	const struct plan_auth *auth = &c->spec.target->auth;
	enum conn_attempt attempt = CONN_TRY_NOTHING;

	for (; c->auth.method < auth->count; c->auth.method++) {
		attempt = conn_auth_at(c, (enum plan_method)auth->order[c->auth.method], ret_file);
		if (attempt != CONN_TRY_NOTHING)
			break;
	}
	if (attempt == CONN_TRY_FILE || attempt == CONN_TRY_AGENT)
		return attempt;
	/* A password is not sent to who does not take one, and who has no key wants to know what
	 * would be taken. */
	return c->auth.none_done || c->auth_next ? attempt : CONN_TRY_NONE;
}

/* --- the turn -------------------------------------------------------------------------------- */

void conn_auth_done(struct conn *c)
{
	if (c->auth.turn)
		secret_login_end(c->spec.login, c->auth.sent ? SECRET_UNKNOWN : SECRET_UNUSED);
	c->auth.turn = false;
	prompt_drop(c->auth.prompt);
	c->auth.prompt = NULL;
}

/* That a bastion takes it says nothing of the hosts behind, which may ask another directory. */
static void conn_auth_settle(struct conn *c, enum secret_end end)
{
	if (c->auth.turn)
		secret_login_end(c->spec.login,
				 c->spec.forwarder && end == SECRET_TAKEN ? SECRET_UNUSED : end);
	c->auth.turn = c->auth.sent = false;
	c->auth.refused = c->auth.refused || end == SECRET_REFUSED;
}

void conn_auth_rest(struct conn *c)
{
	uint64_t ms = conn_step_deadline_ms(c);

	c->step_deadline_ns = patience_ns(ssh_engine_patience(c->engine)) + ms * UINT64_C(1000000);
	conn_set_deadline(c, ms);
}

static enum conn_verdict conn_auth_turn(struct conn *c)
{
	uint64_t now = clock_mono_ns();

	if (c->auth.turn || !secret_login_has_password(c->spec.login))
		return CONN_NEXT;
	switch (secret_login_begin(c->spec.login)) {
	case SECRET_GO:
		if (c->auth.waiting_ns)
			conn_auth_rest(c);
		c->auth.turn = true;
		return CONN_NEXT;
	case SECRET_NEVER:
		return conn_fail(c, CONN_END_AUTH,
				 "the password was refused by %u hosts: not tried here",
				 SECRET_TRIES);
	case SECRET_WAIT:
		break;
	}
	if (!c->auth.waiting_ns)
		c->auth.waiting_ns = now;
	if (now - c->auth.waiting_ns < CONN_TURN_MAX_NS)
		conn_auth_rest(c);
	conn_kick(c, CONN_TURN_MS);
	return CONN_WAIT;
}

/* --- trying ---------------------------------------------------------------------------------- */

static int conn_auth_try(struct conn *c, enum conn_attempt attempt, size_t file)
{
	switch (attempt) {
	case CONN_TRY_FILE:
		return ssh_userauth_publickey(c->session, NULL,
					      c->spec.target->login->files[file]->key);
	case CONN_TRY_AGENT:
		return conn_try_agent(c);
	case CONN_TRY_NONE:
		return ssh_userauth_none(c->session, NULL);
	case CONN_TRY_KEYBOARD:
		return ssh_userauth_kbdint(c->session, NULL, NULL);
	case CONN_TRY_PASSWORD:
		c->auth.sent = true;
		return ssh_userauth_password(c->session, NULL, secret_login_text(c->spec.login));
	case CONN_TRY_NOTHING:
		break;
	}
	return SSH_AUTH_ERROR;
}

/* It was not taken. */
static void conn_auth_next(struct conn *c, enum conn_attempt attempt)
{
	if (attempt == CONN_TRY_FILE || attempt == CONN_TRY_AGENT)
		c->auth_next++;
	else if (attempt == CONN_TRY_NONE)
		c->auth.none_done = true;
	else if (attempt == CONN_TRY_KEYBOARD)
		c->auth.keyboard_done = true;
	else
		c->auth.password_done = true;
	if (c->auth.sent)
		conn_auth_settle(c, SECRET_REFUSED);
}

/* It was, and more is wanted: each of the others once more, but no key twice. */
static enum conn_verdict conn_auth_partial(struct conn *c, enum conn_attempt attempt)
{
	if (++c->auth.partials > LIMIT_AUTH_PARTIALS)
		return conn_fail(c, CONN_END_AUTH, "the server is never content with what %s shows",
				 c->spec.target->user);
	if (c->auth.sent)
		conn_auth_settle(c, SECRET_TAKEN);
	conn_auth_next(c, attempt);
	c->auth.keyboard_done = c->auth.password_done = c->auth.said = false;
	c->auth.none_done = true;
	c->auth.method = 0;
	return CONN_NEXT;
}

/* CONN_NEXT: another attempt; CONN_WAIT; CONN_FAIL. */
static enum conn_verdict conn_auth_judge(struct conn *c, enum conn_attempt attempt, int rc)
{
	/* Closed while libssh wants to go on: nothing would ever wake us. */
	if (!c->signing && conn_is_broken(c))
		return conn_fail(c, CONN_END_AUTH, "the server closed the connection: %s",
				 conn_why(c));
	/* More than libssh counts to: it drops the message, and nothing else would come. */
	if (rc == SSH_AUTH_AGAIN && attempt == CONN_TRY_KEYBOARD &&
	    ssh_get_error_code(c->session) == SSH_FATAL && strstr(conn_why(c), "prompts"))
		return conn_fail(c, CONN_END_AUTH, "%s", conn_why(c));
	if (rc == SSH_AUTH_AGAIN)
		return CONN_WAIT;
	if (rc == SSH_AUTH_PARTIAL)
		return conn_auth_partial(c, attempt);
	if (rc == SSH_AUTH_INFO && attempt == CONN_TRY_KEYBOARD)
		return conn_auth_answer(c);
	conn_auth_next(c, attempt);
	return CONN_NEXT;
}

enum conn_verdict conn_step_auth(struct conn *c)
{
	enum conn_attempt attempt;
	enum conn_verdict verdict;
	size_t file = 0;
	int rc;

	if (c->auth.prompt) {
		verdict = conn_auth_asked(c);
		if (verdict != CONN_NEXT)
			return verdict;
	}
	for (;;) {
		attempt = conn_auth_pick(c, &file);
		if (attempt == CONN_TRY_NOTHING)
			return conn_auth_exhausted(c);
		if (attempt == CONN_TRY_KEYBOARD || attempt == CONN_TRY_PASSWORD) {
			verdict = conn_auth_turn(c);
			if (verdict != CONN_NEXT)
				return verdict;
		}
		rc = conn_auth_try(c, attempt, file);
		if (!c->signing && ssh_get_fd(c->session) >= 0)
			dial_quickack(ssh_get_fd(c->session));
		if (rc == SSH_AUTH_SUCCESS) {
			conn_auth_settle(c, c->auth.sent ? SECRET_TAKEN : SECRET_UNUSED);
			return CONN_NEXT;
		}
		verdict = conn_auth_judge(c, attempt, rc);
		if (verdict != CONN_NEXT)
			return verdict;
	}
}

/* The step "authentication": keys in ssh's order, the agent's on a helper thread. */
#include <stdlib.h>

#include "alloc.h"
#include "conn_private.h"

#define CONN_AUTH_RETRY_MS 100u

/* The order: explicit files, the agent as one attempt, the other files. */
enum conn_attempt { CONN_TRY_FILE, CONN_TRY_AGENT, CONN_TRY_NONE };

static enum conn_attempt conn_attempt_at(const struct plan_login *login, size_t n, size_t *ret_file)
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
	return CONN_TRY_NONE;
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

static enum conn_verdict conn_auth_exhausted(struct conn *c)
{
	const struct plan_login *login = c->spec.target->login;
	const char *fault = login->fault ? login->fault : "";
	const char *sep = login->fault ? "; " : "";
	unsigned methods;

	if (!c->auth_next)
		return conn_fail(c, CONN_END_AUTH, "no usable key%s%s", sep, fault);
	methods = (unsigned)ssh_userauth_list(c->session, NULL);
	return conn_fail(c, CONN_END_AUTH, "no key was accepted for %s (server wants:%s%s%s%s)%s%s",
			 c->spec.target->user,
			 methods & SSH_AUTH_METHOD_PUBLICKEY ? " publickey" : "",
			 methods & SSH_AUTH_METHOD_PASSWORD ? " password" : "",
			 methods & SSH_AUTH_METHOD_INTERACTIVE ? " keyboard-interactive" : "",
			 methods & SSH_AUTH_METHOD_GSSAPI_MIC ? " gssapi" : "", sep, fault);
}

enum conn_verdict conn_step_auth(struct conn *c)
{
	const struct plan_login *login = c->spec.target->login;
	size_t file = 0;
	int rc;

	for (;;) {
		switch (conn_attempt_at(login, c->auth_next, &file)) {
		case CONN_TRY_FILE:
			rc = ssh_userauth_publickey(c->session, NULL, login->files[file]->key);
			break;
		case CONN_TRY_AGENT:
			rc = conn_try_agent(c);
			break;
		case CONN_TRY_NONE:
		default:
			return conn_auth_exhausted(c);
		}
		if (!c->signing && ssh_get_fd(c->session) >= 0)
			dial_quickack(ssh_get_fd(c->session));
		/* Closed while libssh wants to go on: nothing would ever wake us. */
		if (!c->signing && rc != SSH_AUTH_SUCCESS && conn_is_broken(c))
			return conn_fail(c, CONN_END_AUTH, "the server closed the connection: %s",
					 conn_why(c));
		if (rc == SSH_AUTH_AGAIN)
			return CONN_WAIT;
		if (rc == SSH_AUTH_SUCCESS)
			return CONN_NEXT;
		if (rc == SSH_AUTH_PARTIAL)
			return conn_fail(c, CONN_END_AUTH, "the server wants more than a key of %s",
					 c->spec.target->user);
		c->auth_next++;
	}
}

/* Why nobody is logged in, and what would help. */
#include <stdio.h>

#include "conn_private.h"

#define CONN_BY_PASSWORD (SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE)

static const char *conn_auth_hint(const struct conn *c, unsigned offered)
{
	if (secret_login_has_password(c->spec.login))
		return offered & CONN_BY_PASSWORD ? "" : "; it takes no password";
	if (offered & SSH_AUTH_METHOD_PASSWORD)
		return "; --ask-pass would try a password";
	return offered & SSH_AUTH_METHOD_INTERACTIVE && !c->auth.said
		       ? "; --ask-pass would try a password, "
			 "-O PreferredAuthentications=keyboard-interactive asks on the terminal"
		       : "";
}

enum conn_verdict conn_auth_exhausted(struct conn *c)
{
	const struct plan_target *t = c->spec.target;
	const char *fault = t->login->fault ? t->login->fault : "";
	const char *sep = t->login->fault ? "; " : "";
	unsigned offered = (unsigned)ssh_userauth_list(c->session, NULL);
	const char *hint = conn_auth_hint(c, offered);
	char wants[96];

	if (c->auth.refused)
		return conn_fail(c, CONN_END_AUTH, "the password%s was not accepted for %s",
				 c->auth.said ? ", or what was answered," : "", t->user);
	if (c->auth.said)
		return conn_fail(c, CONN_END_AUTH, "what was answered was not accepted for %s",
				 t->user);
	(void)snprintf(wants, sizeof wants, "%s%s%s%s",
		       offered & SSH_AUTH_METHOD_PUBLICKEY ? " publickey" : "",
		       offered & SSH_AUTH_METHOD_PASSWORD ? " password" : "",
		       offered & SSH_AUTH_METHOD_INTERACTIVE ? " keyboard-interactive" : "",
		       offered & SSH_AUTH_METHOD_GSSAPI_MIC ? " gssapi" : "");
	if (c->auth.partials)
		return conn_fail(c, CONN_END_AUTH, "the server wants more of %s:%s%s%s%s", t->user,
				 wants, hint, sep, fault);
	if (!t->auth.pubkey)
		return conn_fail(c, CONN_END_AUTH,
				 "keys are not to be used (ssh_config), and the server wants:%s%s",
				 wants, hint);
	if (!c->auth_next)
		return conn_fail(c, CONN_END_AUTH, "no usable key%s%s%s", hint, sep, fault);
	return conn_fail(c, CONN_END_AUTH, "no key was accepted for %s (server wants:%s)%s%s%s",
			 t->user, wants, hint, sep, fault);
}

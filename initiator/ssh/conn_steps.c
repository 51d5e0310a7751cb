/* The way from a name to a running command, read downwards. Authentication and the run have files
 * of their own. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms.h"
#include "alloc.h"
#include "conn_private.h"
#include "fd.h"
#include "log.h"
#include "pacer.h"

/* A place among the connections that the file descriptor limit allows. */
static enum conn_verdict conn_step_slot(struct conn *c)
{
	if (c->spec.target->fault)
		return conn_fail(c, CONN_END_UNREACHABLE, "%s", c->spec.target->fault);
	if (c->slot.state == SSH_SLOT_NONE)
		ssh_slot_ask(c->engine, &c->slot);
	if (c->slot.state != SSH_SLOT_HELD)
		return CONN_WAIT;
	return CONN_NEXT;
}

/* The user's connect timeout is that of the target alone: a bastion's login has its own. */
static enum conn_verdict conn_step_prepare(struct conn *c)
{
	enum conn_verdict verdict = conn_way_prepare(c);

	if (verdict == CONN_NEXT && c->spec.connect_timeout_ms)
		c->connect_deadline_ns = patience_ns(ssh_engine_patience(c->engine)) +
					 c->spec.connect_timeout_ms * UINT64_C(1000000);
	return verdict;
}

static void conn_on_resolved(void *arg, const struct resolve_result *result)
{
	struct conn *c = arg;

	c->resolve = NULL;
	c->addresses = *result;
	c->waited = true;
	conn_advance(c);
}

static enum conn_verdict conn_step_resolve(struct conn *c)
{
	const struct plan_target *t = c->spec.target;

	if (t->way == PLAN_JUMP || t->way == PLAN_COMMAND)
		return CONN_NEXT; /* whoever connects looks the name up */
	if (c->resolve)
		return CONN_WAIT;
	if (!c->waited && !resolve_numeric(t->hostname, t->port, &c->addresses)) {
		c->resolve = resolve_start(c->engine, t->hostname, t->port, conn_on_resolved, c);
		return CONN_WAIT;
	}
	c->waited = false;
	resolve_keep(&c->addresses, t->family == PLAN_INET    ? AF_INET
				    : t->family == PLAN_INET6 ? AF_INET6
							      : AF_UNSPEC);
	if (!c->addresses.error)
		return CONN_NEXT;
	c->result.trouble = (uint8_t)pacer_end_of_resolver(c->addresses.error);
	/* A text that is the same for all hosts lets the verdict fold them. */
	if (strcmp(t->hostname, t->host) == 0)
		return conn_fail(c, CONN_END_UNREACHABLE, "cannot resolve: %s",
				 gai_strerror(c->addresses.error));
	return conn_fail(c, CONN_END_UNREACHABLE, "cannot resolve %s: %s", t->hostname,
			 gai_strerror(c->addresses.error));
}

static void conn_on_dialled(void *arg, int fd, int error)
{
	struct conn *c = arg;

	c->dial = NULL;
	c->fd = fd;
	c->dial_error = error;
	c->waited = true;
	conn_advance(c);
}

static enum conn_verdict conn_step_dial(struct conn *c)
{
	enum plan_way way = c->spec.target->way;
	char text[128];

	if (way == PLAN_JUMP || way == PLAN_COMMAND)
		return conn_way_dial(c);
	if (c->dial)
		return CONN_WAIT;
	if (!c->waited) {
		c->dial = dial_start(c->engine, &c->addresses, conn_step_deadline_ms(c),
				     conn_on_dialled, c);
		return CONN_WAIT;
	}
	c->waited = false;
	if (c->fd < 0)
		c->result.trouble = (uint8_t)pacer_end_of_errno(c->dial_error);
	if (c->dial_error == ETIMEDOUT)
		return conn_fail(c, CONN_END_TIMEOUT, "%s", conn_steps[c->step].name);
	if (c->fd < 0) {
		const char *why = strerror_r(c->dial_error, text, sizeof text);

		/* As errors read after a colon: "unreachable: connection refused". */
		(void)conn_fail(c, CONN_END_UNREACHABLE, "%s", why);
		if (c->result.text[0] >= 'A' && c->result.text[0] <= 'Z')
			c->result.text[0] = (char)(c->result.text[0] - 'A' + 'a');
		return CONN_FAIL;
	}
	return CONN_NEXT;
}

static int conn_new_session(struct conn *c)
{
	const struct plan_target *t = c->spec.target;
	const char *kex = algorithms_offer(ALGORITHM_KEX, c->spec.kex ? c->spec.kex : t->kex);
	const char *ciphers =
		algorithms_offer(ALGORITHM_CIPHER, c->spec.ciphers ? c->spec.ciphers : t->ciphers);
	const char *macs = algorithms_offer(ALGORITHM_MAC, c->spec.macs ? c->spec.macs : t->macs);
	int no = 0, nodelay = 1;
	ssh_session s = ssh_new();

	if (!s)
		return -1;
	c->session = s;
	/* No host is set and both known_hosts are empty: libssh would read its files for each
	 * session, and again at each new key exchange. We judge the key ourselves. */
	if (ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &no) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_SSH_DIR, "/nonexistent") < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_USER, t->user) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_NODELAY, &nodelay) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_KEY_EXCHANGE, kex) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_CIPHERS_C_S, ciphers) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_CIPHERS_S_C, ciphers) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_HMAC_C_S, macs) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_HMAC_S_C, macs) < 0 ||
	    ssh_options_set(s, SSH_OPTIONS_HOSTKEYS,
			    t->hostkey_algs ? t->hostkey_algs : PLAN_HOSTKEY_ALGS) < 0 ||
	    (t->pubkey_algs &&
	     ssh_options_set(s, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, t->pubkey_algs) < 0) ||
	    ssh_options_set(s, SSH_OPTIONS_FD, &c->fd) < 0)
		return -1;
	c->fd = -1; /* the session's from here on */
	ssh_set_blocking(s, 0);
	return 0;
}

static enum conn_verdict conn_kex_failed(struct conn *c)
{
	const char *why = conn_why(c);
	const char *banner = ssh_get_serverbanner(c->session);
	bool closed = ssh_get_fd(c->session) < 0 || strstr(why, "Socket error");

	/* As sshd does beyond its MaxStartups, without a word. What speaks otherwise goes on so. */
	if (closed && !strstr(why, "rotocol") && !strstr(why, "no match"))
		c->result.trouble = PACER_DROPPED;
	if (!banner && (!closed || strstr(why, "rotocol")))
		return conn_fail(c, CONN_END_UNREACHABLE, "no SSH server answers there");
	if (!banner)
		return conn_fail(c, CONN_END_UNREACHABLE,
				 "the connection was closed before an SSH banner came");
	if (strstr(why, "no match"))
		return conn_fail(c, CONN_END_UNREACHABLE, "no common algorithm: %s", why);
	return conn_fail(c, CONN_END_UNREACHABLE, "key exchange failed: %s", why);
}

static enum conn_verdict conn_step_kex(struct conn *c)
{
	int rc, fd;

	if (!c->session && conn_new_session(c) < 0)
		return conn_fail(c, CONN_END_UNREACHABLE, "cannot set up libssh: %s",
				 c->session ? ssh_get_error(c->session) : "out of memory");
	rc = ssh_connect(c->session);
	fd = ssh_get_fd(c->session);
	if (fd >= 0) {
		dial_quickack(fd);
		/* libssh puts the descriptor back to blocking (socket.c of 0.10.6); a peer that
		 * does not read would then stop the whole loop. */
		(void)fd_nonblock(fd);
	}
	if (rc == SSH_AGAIN && fd >= 0)
		return CONN_WAIT;
	return rc == SSH_OK ? CONN_NEXT : conn_kex_failed(c);
}

static enum conn_verdict conn_refuse_key(struct conn *c, const struct host_key_judgement *j)
{
	const struct known_where *where = &j->where;

	switch (j->verdict) {
	case KNOWN_MATCH:
		return CONN_NEXT;
	case KNOWN_UNKNOWN:
		if (c->spec.target->accept_new)
			return CONN_NEXT;
		/* The same for all hosts, so that the verdict folds them; muster doctor has the
		 * rest. */
		return conn_fail(c, CONN_END_HOST_KEY, "not known (%s)", j->type);
	case KNOWN_CHANGED:
		if (!where->line)
			return conn_fail(c, CONN_END_HOST_KEY,
					 "changed: not the key that it has shown a moment before "
					 "(%s)",
					 j->type);
		return conn_fail(c, CONN_END_HOST_KEY, "changed: not the %s key of %s:%u", j->type,
				 where->path, where->line);
	case KNOWN_OTHER:
		if (!where->line)
			return conn_fail(c, CONN_END_HOST_KEY,
					 "changed: not of the type that it has shown a moment "
					 "before (%s)",
					 j->type);
		return conn_fail(c, CONN_END_HOST_KEY,
				 "the server shows an %s key, %s:%u knows another type", j->type,
				 where->path, where->line);
	case KNOWN_REVOKED:
		return conn_fail(c, CONN_END_HOST_KEY, "revoked by %s:%u", where->path,
				 where->line);
	case KNOWN_CA_ONLY:
		return conn_fail(c, CONN_END_HOST_KEY,
				 "%s:%u trusts a certificate authority; host certificates are not "
				 "supported",
				 where->path, where->line);
	case KNOWN_ERROR:
		break;
	}
	return conn_fail(c, CONN_END_HOST_KEY, "could not be checked");
}

static void conn_on_judged(void *arg, const struct host_key_judgement *judgement)
{
	struct conn *c = arg;

	c->host_key = NULL;
	c->key_verdict = conn_refuse_key(c, judgement);
	c->waited = true;
	conn_advance(c);
}

static enum conn_verdict conn_step_host_key(struct conn *c)
{
	uint8_t *blob = NULL;
	ssh_key key = NULL;
	size_t len = 0;
	int rc;

	if (c->host_key)
		return CONN_WAIT;
	if (c->waited) {
		c->waited = false;
		return c->key_verdict;
	}
	rc = ssh_get_server_publickey(c->session, &key) == SSH_OK ? key_blob(key, &blob, &len)
								  : ERR_CRYPTO;
	ssh_key_free(key);
	if (rc)
		return conn_fail(c, CONN_END_HOST_KEY, "could not be read");
	c->key_blob = xmalloc(len);
	memcpy(c->key_blob, blob, len);
	c->key_len = len;
	c->host_key = host_key_judge(c->engine, c->spec.target, blob, len, conn_on_judged, c);
	return CONN_WAIT;
}

const uint8_t *conn_key(const struct conn *c, size_t *ret_len)
{
	*ret_len = c->key_len;
	return c->key_blob;
}

static enum conn_verdict conn_step_open(struct conn *c)
{
	int rc;

	if (c->spec.forwarder) {
		conn_note_began(c);
		c->result.end = CONN_END_EXITED;
		c->step = conn_step_count - 1;
		return CONN_NEXT;
	}
	if (!c->channel) {
		c->channel = ssh_channel_new(c->session);
		if (!c->channel)
			return conn_fail(c, CONN_END_REFUSED, "cannot make a channel");
		/* Before it is opened: output can come with the confirmation. */
		conn_run_prepare(c);
	}
	rc = ssh_channel_open_session(c->channel);
	dial_quickack(ssh_get_fd(c->session));
	if (rc == SSH_AGAIN && !conn_is_broken(c))
		return CONN_WAIT;
	if (rc == SSH_OK)
		return CONN_NEXT;
	if (conn_is_broken(c))
		return conn_fail(c, CONN_END_REFUSED,
				 "the server closed the connection after the login");
	return conn_fail(c, CONN_END_REFUSED, "no session: %s", conn_why(c));
}

static enum conn_verdict conn_step_exec(struct conn *c)
{
	const char *subsystem = c->spec.subsystem;
	int rc = subsystem ? ssh_channel_request_subsystem(c->channel, subsystem)
			   : ssh_channel_request_exec(c->channel, c->spec.command);

	dial_quickack(ssh_get_fd(c->session));
	if (rc == SSH_AGAIN && !conn_is_broken(c))
		return CONN_WAIT;
	if (rc == SSH_OK) {
		conn_note_began(c);
		return CONN_NEXT;
	}
	if (conn_is_broken(c))
		return conn_fail(c, CONN_END_LOST, "while the command was started: %s",
				 conn_why(c));
	if (subsystem)
		return conn_fail(c, CONN_END_REFUSED,
				 "the server has no subsystem %s (see sshd_config(5), Subsystem)",
				 subsystem);
	return conn_fail(c, CONN_END_REFUSED, "the server does not run commands for %s",
			 c->spec.target->user);
}

const struct conn_step conn_steps[] = {
	{"wait for a free descriptor", conn_step_slot, 0, false},
	{"wait for the bastion", conn_step_prepare, 60000, false},
	{"name lookup", conn_step_resolve, 15000, true},
	{"connect", conn_step_dial, 10000, true},
	{"key exchange", conn_step_kex, 15000, true},
	{"host key", conn_step_host_key, 15000, false},
	{"authentication", conn_step_auth, 20000, false},
	{"open session", conn_step_open, 10000, false},
	{"start command", conn_step_exec, 10000, false},
	{"run", conn_step_run, 0, false},
};
const size_t conn_step_count = ARRAY_LEN(conn_steps);

bool conn_is_before_login(const char *step)
{
	for (size_t i = 0; i < ARRAY_LEN(conn_steps) && conn_steps[i].run != conn_step_open; i++)
		if (strcmp(conn_steps[i].name, step) == 0)
			return true;
	return false;
}
const size_t conn_step_exec_index = ARRAY_LEN(conn_steps) - 2;

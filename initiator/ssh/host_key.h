/* Judging the key that a server has shown: at once where that is quick, else on a helper thread. */
#ifndef MUSTER_HOST_KEY_H
#define MUSTER_HOST_KEY_H

#include "engine.h"
#include "plan.h"

struct host_key;

struct host_key_judgement {
	enum known_verdict verdict;
	struct known_where where;
	const char *type; /* of the key that was shown */
};

/* judgement is valid during the call. */
typedef void host_key_fn(void *arg, const struct host_key_judgement *judgement);

/*
 * Begins; takes blob (RFC 4253, section 6.6) over. fn is called once, maybe before this returns;
 * the handle is then gone (and NULL is returned if that has happened already). A new key of a host
 * with accept-new is written to known_hosts in the background.
 */
struct host_key *host_key_judge(struct ssh_engine *engine, const struct plan_target *target,
				uint8_t *blob, size_t len, host_key_fn *fn, void *arg);

/* The same of a key that was judged before, at once; remembers nothing. */
bool host_key_is_known(const struct plan_target *target, const uint8_t *blob, size_t len);

/* No thread has begun with it. NULL: no. */
bool host_key_is_queued(const struct host_key *key);

/* fn will not be called. NULL is fine. */
void host_key_cancel(struct host_key *key);

#endif

/* Judging the key that a server has shown: at once where that is quick, else on a helper thread. */
#ifndef MUSTER_HOST_KEY_H
#define MUSTER_HOST_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "engine.h"
#include "limits.h"
#include "plan.h"

#define HOST_KEY_TYPE_MAX 64u

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
 * with accept-new is written to known_hosts before that; one that differs from what the host has
 * shown since the file was read is KNOWN_CHANGED, with no line.
 */
struct host_key *host_key_judge(struct ssh_engine *engine, const struct plan_target *target,
				uint8_t *blob, size_t len, host_key_fn *fn, void *arg);

/*
 * What is known of the key that a target has shown: of one that is new, changed or revoked, and of
 * any where the plan notes keys. NULL: nothing. From any thread, once the connection has ended or
 * runs; borrowed from the plan.
 */
struct host_key_note {
	enum known_verdict verdict; /* as it was judged, accept-new or not */
	struct known_where where;
	bool added;   /* its line was written */
	bool unsaved; /* it could not be: why */
	char why[LIMIT_OUTCOME_TEXT];
	char type[HOST_KEY_TYPE_MAX];
	uint8_t *blob;
	size_t len;
};
const struct host_key_note *host_key_noted(const struct plan_target *target);
void host_key_note_free(struct host_key_note *note); /* NULL is fine */

/* "SHA256:" and the hash in base64 without padding, as ssh-keygen -l shows it. */
#define HOST_KEY_PRINT_SIZE 56u
void host_key_print(char ret[static HOST_KEY_PRINT_SIZE], const uint8_t *blob, size_t len);

/* Appends the key in base64, as known_hosts has it. */
void host_key_base64(struct buf *out, const uint8_t *blob, size_t len);

/* The same of a key that was judged before, at once; remembers nothing. */
bool host_key_is_known(const struct plan_target *target, const uint8_t *blob, size_t len);

/* No thread has begun with it. NULL: no. */
bool host_key_is_queued(const struct host_key *key);

/* fn will not be called. NULL is fine. */
void host_key_cancel(struct host_key *key);

#endif

/* The keys of the hosts, and the key that may log in. */
#ifndef MUSTER_SIMFLEET_KEYS_H
#define MUSTER_SIMFLEET_KEYS_H

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define SIM_KEYS_MAX 1000u

struct sim_host_key {
	ssh_bind bind; /* has the key */
	char *public;  /* in base64 */
};

struct sim_keys {
	struct sim_host_key *hosts; /* host I has number (I - 1) % count */
	size_t count;
	struct sim_host_key wrong; /* stands in no known_hosts */
	ssh_key authorized;	   /* NULL: anybody may log in */
};

/*
 * dir: where the host keys are kept, and made if they are not there; NULL: new ones, in memory.
 * authorized: a file with the public key that may log in, or NULL; with make_authorized, it and its
 * private half are made if they are not there. Returns 0, or ERR_SYS or ERR_CRYPTO with msg.
 */
int sim_keys_load(struct sim_keys *ret, const char *dir, size_t count, const char *authorized,
		  bool make_authorized, struct errmsg *msg);
void sim_keys_done(struct sim_keys *keys);

const struct sim_host_key *sim_keys_of(const struct sim_keys *keys, size_t number);

#endif

/* What clients of a fleet need: names, ssh_config, known_hosts. */
#ifndef MUSTER_SIMFLEET_FILES_H
#define MUSTER_SIMFLEET_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "simfleet_keys.h"
#include "simfleet_scenario.h"

struct sim_files {
	const struct sim_scenario *scenario;
	const struct sim_keys *keys;
	uint16_t port;
	uint16_t refusing_port; /* where nobody listens */
	bool by_address;	/* names are addresses: 127.1.0.1 in place of sim1 */
	bool hashed;		/* known_hosts */
	const char *identity;	/* the private key that may log in; NULL: none is named */
	const char *known_hosts, *ssh_config, *hosts; /* paths; NULL: is not written */
};

#define SIM_ADDRESS_SIZE 16

/* The address of a host, in host byte order: 127.1.0.1 for number 1. */
uint32_t sim_address(size_t number);
void sim_address_text(char out[static SIM_ADDRESS_SIZE], size_t number);

/* Returns 0, or ERR_SYS or ERR_CRYPTO with msg. */
int sim_files_write(const struct sim_files *files, struct errmsg *msg);

#endif

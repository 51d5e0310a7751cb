/* The command line of simfleet. */
#ifndef MUSTER_SIMFLEET_OPTIONS_H
#define MUSTER_SIMFLEET_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_options {
	uint16_t port;				/* 0: any */
	char *keys;				/* folder of the host keys; NULL: in memory */
	char *authorized;			/* file with a public key; NULL: anybody */
	char *identity;				/* its private half; NULL: not known */
	char *known_hosts, *ssh_config, *hosts; /* files to write; NULL: not */
	bool make_authorized;
	bool hashed;
	bool by_address;
	bool with_parent;
	size_t host_keys;
	const char *agent; /* program; NULL: none */
	const char *scenario;
};

/* Says what is wrong, or how it is used, and ends the program. */
void sim_options_read(struct sim_options *ret, int argc, char **argv);
void sim_options_done(struct sim_options *options);

#endif

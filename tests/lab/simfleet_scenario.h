/*
 * The text that says how many hosts there are and how each behaves (docs/lab.md, "A fleet in one
 * process"). Immutable after it was read.
 */
#ifndef MUSTER_SIMFLEET_SCENARIO_H
#define MUSTER_SIMFLEET_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The steps of a connection, in order; each can be where something goes wrong. */
enum sim_stage {
	SIM_NO_STAGE,
	SIM_BANNER,
	SIM_KEX,
	SIM_AUTH,
	SIM_OPEN,
	SIM_EXEC,
	SIM_RUN,
	SIM_STAGE_COUNT
};

enum sim_deed { SIM_ANSWER, SIM_HANG, SIM_DROP, SIM_GARBAGE };

/* Like sshd's MaxStartups; full 0: no limit. */
struct sim_startups {
	unsigned begin, rate, full;
};

/* How a host behaves. */
struct sim_manner {
	enum sim_deed deed; /* at this stage, if it is not SIM_ANSWER */
	enum sim_stage stage;
	bool refuse;
	bool wrong_key;
	bool auth_fail;
	bool no_open;
	bool no_exec;
	bool stop_reading;
	bool flood;
	bool agent_garbage;
	bool agent_hang;
	bool no_agent;
	bool uncached;	     /* the agent must be pushed */
	bool real;	     /* a real agent, as a child process */
	bool echo;	     /* the output is the command */
	uint64_t drop_after; /* bytes towards the client; 0: not */
	uint64_t trickle;    /* bytes a second towards the client; 0: as fast as can be */
	uint64_t delay_ms;   /* before what came is looked at */
	uint64_t takes_ms;   /* how long a command runs */
	uint64_t down_first; /* so many connections are dropped first */
	uint64_t repeat;     /* of the output */
	struct sim_startups startups;
	char *output; /* %h and %n in it are the name and the number of the host; NULL: none */
	size_t output_len;
	char *error;
	size_t error_len;
	char *signal; /* what ends a command, without SIG; NULL: exit_code */
	uint64_t exit_code;
};

#define SIM_HOSTS_MAX 1000000u

struct sim_scenario {
	size_t hosts;
	struct sim_manner *manners;
	size_t manner_count;
	uint32_t *manner_of; /* by number - 1: index into manners */
};

/* Returns 0; ERR_SYS, or ERR_SYNTAX or ERR_RANGE with msg that names file, line and cure. */
int sim_scenario_load(struct sim_scenario *ret, const char *path, struct errmsg *msg);
void sim_scenario_done(struct sim_scenario *scenario);

/* number: from 1 to hosts. */
const struct sim_manner *sim_scenario_manner(const struct sim_scenario *scenario, size_t number);

/* True if any host is so. */
bool sim_scenario_has_real(const struct sim_scenario *scenario);

#endif

/* One history: a world that is made from a seed, run until all is over, and checked. */
#ifndef MUSTER_SIM_HISTORY_H
#define MUSTER_SIM_HISTORY_H

#include "world.h"

struct history {
	uint64_t seed;
	bool verbose;
	enum sabotage sabotage;
	uint64_t *counts; /* by enum fault; added to */
	uint64_t records; /* that came to a reader; added to */
	uint64_t runs;	  /* added to */
	char why[320];
};

/* True: all was as it should be; otherwise why says what was not. */
bool history_run(struct history *h);

/* Parts of it: faults.c and check.c. */
void faults_draw(struct world *w);
void faults_mend(struct world *w);
void check_all(struct world *w);

#endif

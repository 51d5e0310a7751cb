/* The inside of DO, for the files doing*.c. */
#ifndef MUSTER_DOING_PRIVATE_H
#define MUSTER_DOING_PRIVATE_H

#include <stdbool.h>

#include "control_msg.h"
#include "doing.h"
#include "results_wait.h"
#include "run.h"
#include "select.h"

/* One job or child that it acts on. */
struct doing_item {
	struct select_item at; /* at.job NULL: removed meanwhile */
	uint64_t job_id;
	bool refused; /* a problem was told: nothing more to wait for */
	bool shown;
};

struct doing_watch {
	struct doing *doing;
	struct run *run;
	bool warned; /* that it is held back */
	bool told;   /* that it is suspended */
	struct run_watcher watcher;
};

struct doing {
	struct client *client;
	struct doing_msg m;
	struct doing_item *items;
	size_t count;
	struct doing_watch *watches;
	size_t watch_count;
	struct event *timer;
	struct event *wake;
	bool timed_out;
	bool kept;   /* something of the store was removed, or is another: the end waits for it */
	bool ending; /* all is done, and waits to be noted there */
	struct results_wait durable; /* until it is */
};

enum job_state doing_state(const struct doing_item *item);
uint64_t doing_id(const struct doing_item *item);
struct run *doing_run(const struct doing *doing, const struct doing_item *item);

/* doing_act.c: does it, or begins to, or tells why not. */
void doing_act(struct doing *doing, struct doing_item *item);

#endif

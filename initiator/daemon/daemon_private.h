/* What the parts of the daemon share. */
#ifndef MUSTER_DAEMON_PRIVATE_H
#define MUSTER_DAEMON_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon.h"
#include "engine.h"
#include "line.h"
#include "loop.h"
#include "results.h"
#include "store.h"

struct client;
struct registry;
struct remotes;
struct retain;
struct sessions;
struct stages;
struct work_pool;

struct daemon {
	struct daemon_options options;
	struct loop *loop;
	struct ssh_engine *engine; /* what blocks, for plans and the agent of this computer */
	struct lines *lines;
	struct remotes *remotes;
	struct work_pool *copies; /* files of copies; NULL: there was none so far */
	struct stages *stages;	  /* files that pass through; NULL: there was none so far */
	struct registry *registry;
	struct sessions *sessions;
	struct store *store;	    /* NULL: jobs are in memory only */
	enum store_trouble trouble; /* of the store, and about it */
	char trouble_text[256];
	uint64_t last_epoch;  /* of a connection to a durable run: above all before */
	uint64_t last_schema; /* the last number that was given */
	struct results_budget budget;
	struct event *listener;
	struct event *sigterm;
	struct event *sigint;
	struct event *idle;
	struct retain *retain;
	struct event *flush; /* what clients have not read by then is lost */
	struct client **clients;
	size_t client_count;
	uint64_t last_client; /* number */
	size_t opening;	      /* jobs whose plan is still being made */
	size_t fd_limit;
	uint64_t started_ns;
	bool ending; /* leaves as soon as no job is live */
};

/* Threads for the files of copies. */
struct work_pool *daemon_copies(struct daemon *daemon);

void daemon_client_added(struct daemon *daemon, struct client *client);
/* By its number; NULL: it has gone, or is about to. */
struct client *daemon_find_client(const struct daemon *daemon, uint64_t number);
void daemon_client_removed(struct daemon *daemon, struct client *client);

/* Something has ended: is there a reason to stay? */
void daemon_consider_leaving(struct daemon *daemon);

/* Stops what would end with the daemon, and leaves when it has ended. */
void daemon_end(struct daemon *daemon);

#endif

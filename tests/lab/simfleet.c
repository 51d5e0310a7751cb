/* A fleet of SSH hosts in one process, good and bad ones (docs/lab.md). */
#include <errno.h>
#include <event2/event.h>
#include <libssh/libssh.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "simfleet_conn.h"
#include "simfleet_files.h"
#include "simfleet_fleet.h"
#include "simfleet_listen.h"
#include "simfleet_options.h"

/* So many events are handled before those who knock are looked at again. Each look costs a little
 * for every connection that waits. */
#define SIM_DISPATCH 512

struct sim_program {
	struct sim_options options;
	struct sim_fleet fleet;
	struct sim_listen *listen;
	struct event *signals[4];
	struct event *parent;
};

static void sim_die(const struct errmsg *msg)
{
	fprintf(stderr, "simfleet: %s\n", msg->text);
	exit(1);
}

/* --- signals --------------------------------------------------------------------------------- */

static void sim_on_end(evutil_socket_t fd, short what, void *arg)
{
	const struct sim_program *p = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(p->fleet.base);
}

static void sim_on_count(evutil_socket_t fd, short what, void *arg)
{
	const struct sim_program *p = arg;

	(void)fd;
	(void)what;
	sim_counts_print(&p->fleet.counts);
}

static void sim_on_child(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void sim_on_parent(evutil_socket_t fd, short what, void *arg)
{
	char bin[256];
	ssize_t n = read(fd, bin, sizeof bin);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		sim_on_end(fd, what, arg);
}

static struct event *sim_event(struct sim_program *p, evutil_socket_t fd, short what,
			       event_callback_fn fn)
{
	struct event *ev = event_new(p->fleet.base, fd, (short)(what | EV_PERSIST), fn, p);

	if (!ev || event_priority_set(ev, 0) != 0 || event_add(ev, NULL) != 0)
		abort();
	return ev;
}

static void sim_catch(struct sim_program *p)
{
	(void)signal(SIGPIPE, SIG_IGN);
	p->signals[0] = sim_event(p, SIGTERM, EV_SIGNAL, sim_on_end);
	p->signals[1] = sim_event(p, SIGINT, EV_SIGNAL, sim_on_end);
	p->signals[2] = sim_event(p, SIGUSR1, EV_SIGNAL, sim_on_count);
	p->signals[3] = sim_event(p, SIGCHLD, EV_SIGNAL, sim_on_child);
	if (p->options.with_parent)
		p->parent = sim_event(p, 0, EV_READ, sim_on_parent);
}

/* --- begin and end --------------------------------------------------------------------------- */

static struct event_base *sim_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config || event_config_set_max_dispatch_interval(config, NULL, SIM_DISPATCH, 1) != 0)
		abort();
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (!base || event_base_priority_init(base, 2) != 0)
		abort();
	return base;
}

static void sim_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void sim_seed(void)
{
	long seed = 1;

	(void)!getrandom(&seed, sizeof seed, GRND_NONBLOCK);
	srand48(seed);
}

/* Real hosts run what a client wants. */
static int sim_check(const struct sim_program *p, struct errmsg *msg)
{
	if (!sim_scenario_has_real(&p->fleet.scenario))
		return 0;
	if (!p->options.agent)
		return err_set(msg, ERR_SYNTAX, "%s: hosts that are \"real\" need --agent PROGRAM",
			       p->options.scenario);
	if (!p->options.authorized)
		return err_set(msg, ERR_SYNTAX,
			       "%s: hosts that are \"real\" need -a or -d, as anybody on this "
			       "computer could run commands there",
			       p->options.scenario);
	return 0;
}

static int sim_begin(struct sim_program *p, struct errmsg *msg)
{
	const struct sim_options *o = &p->options;
	struct sim_fleet *fleet = &p->fleet;
	struct sim_files files = {.scenario = &fleet->scenario,
				  .keys = &fleet->keys,
				  .port = o->port,
				  .by_address = o->by_address,
				  .hashed = o->hashed,
				  .identity = o->identity,
				  .known_hosts = o->known_hosts,
				  .ssh_config = o->ssh_config,
				  .hosts = o->hosts};
	int rc = sim_scenario_load(&fleet->scenario, o->scenario, msg);

	if (!rc)
		rc = sim_check(p, msg);
	if (!rc)
		rc = sim_keys_load(&fleet->keys, o->keys, o->host_keys, o->authorized,
				   o->make_authorized, msg);
	if (rc)
		return rc;
	fleet->base = sim_base();
	fleet->hosts = xcalloc(fleet->scenario.hosts, sizeof *fleet->hosts);
	fleet->agent = o->agent;
	fleet->by_address = o->by_address;
	rc = sim_listen_new(&p->listen, fleet, &files.port, &files.refusing_port, msg);
	if (!rc)
		rc = sim_files_write(&files, msg);
	if (rc)
		return rc;
	sim_catch(p);
	printf("ready %u\n", files.port);
	(void)fflush(stdout);
	return 0;
}

static void sim_end(struct sim_program *p)
{
	sim_listen_free(p->listen);
	sim_conn_free_all(&p->fleet);
	for (size_t i = 0; i < ARRAY_LEN(p->signals); i++)
		event_free(p->signals[i]);
	if (p->parent)
		event_free(p->parent);
	sim_counts_print(&p->fleet.counts);
	event_base_free(p->fleet.base);
	record_batch_done(&p->fleet.batch);
	sim_keys_done(&p->fleet.keys);
	sim_scenario_done(&p->fleet.scenario);
	free(p->fleet.hosts);
	sim_options_done(&p->options);
}

int main(int argc, char **argv)
{
	struct sim_program program = {0};
	struct errmsg msg;

	sim_options_read(&program.options, argc, argv);
	sim_raise_limits();
	sim_seed();
	if (sim_begin(&program, &msg) != 0)
		sim_die(&msg);
	(void)event_base_dispatch(program.fleet.base);
	sim_end(&program);
	return 0;
}

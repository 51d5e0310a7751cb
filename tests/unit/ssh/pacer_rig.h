/* Askers of a pacer with limits of its own, and a clock that is a number. */
#ifndef MUSTER_PACER_RIG_H
#define MUSTER_PACER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "pacer.h"

#define MS     UINT64_C(1000000)
#define ASKERS 512u

struct fixture;

struct asker {
	struct pacer_ticket ticket;
	struct fixture *f;
	int then; /* what it does when it is granted: -1: nothing, else it ends so (pacer_end) */
};

struct fixture {
	struct pacer *pacer;
	struct asker at[ASKERS];
	size_t granted[ASKERS * 2]; /* who, in order */
	size_t count;
	uint64_t now;
	int depth;
};

static inline void on_granted(void *arg)
{
	struct asker *a = arg;
	struct fixture *f = a->f;

	assert_int_equal(a->ticket.state, PACER_TICKET_HELD);
	assert_int_equal(f->depth++, 0);
	f->granted[f->count++] = (size_t)(a - f->at);
	if (a->then >= 0)
		pacer_login_done(f->pacer, &a->ticket, (enum pacer_end)a->then, f->now);
	f->depth--;
}

static inline void make(struct fixture *f, const struct pacer_limits *limits)
{
	pacer_free(f->pacer);
	memset(f, 0, sizeof *f);
	f->pacer = pacer_new(limits);
	f->now = 1000 * MS;
	for (size_t i = 0; i < ASKERS; i++) {
		f->at[i].ticket.granted = on_granted;
		f->at[i].ticket.arg = &f->at[i];
		f->at[i].f = f;
		f->at[i].then = -1;
	}
}

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	const struct pacer_limits limits = {
		.start = 4, .min = 2, .max = 8, .group_start = 2, .group_max = 4};

	make(f, &limits);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ASKERS; i++)
		pacer_forget(f->pacer, &f->at[i].ticket, f->now);
	assert_int_equal(pacer_in_flight(f->pacer), 0);
	assert_int_equal(pacer_waiting(f->pacer), 0);
	pacer_free(f->pacer);
	free(f);
	return 0;
}

static inline void ask(struct fixture *f, size_t i, const char *group)
{
	pacer_ask(f->pacer, &f->at[i].ticket, group, f->now);
}

static inline void ask_own(struct fixture *f, size_t i)
{
	char group[32];

	(void)snprintf(group, sizeof group, "10.0.0.%zu:22", i);
	ask(f, i, group);
}

static inline void end(struct fixture *f, size_t i, enum pacer_end how)
{
	assert_int_equal(f->at[i].ticket.state, PACER_TICKET_HELD);
	pacer_login_done(f->pacer, &f->at[i].ticket, how, f->now);
}

static inline void assert_granted(const struct fixture *f, const char *expected)
{
	char got[256] = "";

	for (size_t i = 0; i < f->count; i++)
		(void)snprintf(got + strlen(got), sizeof got - strlen(got), "%zu ", f->granted[i]);
	assert_string_equal(got, expected);
}

#define PACER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

#include "pacer.h"

#include <stdlib.h>

#include "alloc.h"
#include "pacer_private.h"

/* What was dropped of the last logins, smoothed over so many. Some bad hosts are no overload. */
#define PACER_LOSS_ONE	(1 << 20)
#define PACER_LOSS_OVER 128
#define PACER_LOSS_HIGH (PACER_LOSS_ONE / 20)

/* Having run out here is known at once, and takes a while to pass. */
#define PACER_LOCAL_NS UINT64_C(100000000)

/*
 * How many logins make a limit grow by 1, in eighths of what it allows at once. One that has been
 * too high goes back to where it was, and then on with care.
 */
struct pacer_pace {
	unsigned unknown, below, above;
};
static const struct pacer_pace pacer_pace_all = {0, 1, 32};
static const struct pacer_pace pacer_pace_group = {32, 32, 512};

const struct pacer_limits pacer_limits_default = {
	.start = 64, .min = 16, .max = 256, .group_start = 8, .group_max = 64, .hanging = 4096};

/* A login hangs after so many times what one takes, and not before. */
#define PACER_HANGS_TIMES 8u
#define PACER_HANGS_NS	  UINT64_C(1000000000)
#define PACER_TAKES_OVER  16u

struct pacer {
	struct pacer_limits limits;
	struct pacer_bound bound;
	struct pacer_groups groups;
	struct pacer_ticket *held, **last_held; /* in flight, by when they were granted */
	size_t in_flight;
	size_t hanging; /* and not in flight */
	size_t waiting;
	uint64_t asked;	   /* tickets, ever */
	uint64_t takes_ns; /* a login, smoothed */
	int loss;
	bool granting;
};

struct pacer *pacer_new(const struct pacer_limits *limits)
{
	struct pacer *p = xcalloc(1, sizeof *p);

	p->limits = limits ? *limits : pacer_limits_default;
	p->bound.limit = p->limits.start;
	p->last_held = &p->held;
	pacer_groups_init(&p->groups);
	return p;
}

void pacer_free(struct pacer *p)
{
	if (!p)
		return;
	pacer_groups_done(&p->groups);
	free(p);
}

/* --- the queue ------------------------------------------------------------------------------- */

static void ticket_link(struct pacer_ticket ***last, struct pacer_ticket *t)
{
	t->next = NULL;
	t->prev = *last;
	**last = t;
	*last = &t->next;
}

static void ticket_unlink(struct pacer_ticket ***last, struct pacer_ticket *t)
{
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	else
		*last = t->prev;
	t->next = NULL;
	t->prev = NULL;
}

/* Those that hang make room. */
static void pacer_part_with(struct pacer *p, uint64_t now)
{
	uint64_t least = p->takes_ns * PACER_HANGS_TIMES;
	struct pacer_ticket *t;

	if (least < PACER_HANGS_NS)
		least = PACER_HANGS_NS;
	while ((t = p->held) != NULL && now - t->granted_ns >= least &&
	       p->hanging < p->limits.hanging) {
		ticket_unlink(&p->last_held, t);
		t->hangs = true;
		p->in_flight--;
		p->hanging++;
	}
}

/* Grants what can be granted. Not from inside itself: a chain of logins that fail at once would be
 * a chain of calls. */
static void pacer_grant(struct pacer *p, uint64_t now)
{
	struct pacer_group *group;

	if (p->granting)
		return;
	p->granting = true;
	pacer_part_with(p, now);
	while (p->in_flight < p->bound.limit && (group = pacer_groups_first(&p->groups))) {
		struct pacer_ticket *t = group->first;

		ticket_unlink(&group->last, t);
		p->waiting--;
		p->in_flight++;
		group->in_flight++;
		pacer_groups_update(&p->groups, group, now);
		t->state = PACER_TICKET_HELD;
		t->granted_ns = now;
		t->hangs = false;
		ticket_link(&p->last_held, t);
		t->granted(t->arg);
	}
	p->granting = false;
}

void pacer_ask(struct pacer *p, struct pacer_ticket *t, const char *group, uint64_t now)
{
	if (t->state != PACER_TICKET_NONE)
		return;
	t->group = pacer_groups_get(&p->groups, group, p->limits.group_start);
	t->state = PACER_TICKET_WAITING;
	t->asked = p->asked++;
	ticket_link(&t->group->last, t);
	p->waiting++;
	pacer_groups_update(&p->groups, t->group, now);
	pacer_grant(p, now);
}

/* Takes it out of all counts. */
static void ticket_leave(struct pacer *p, struct pacer_ticket *t, uint64_t now)
{
	struct pacer_group *group = t->group;

	if (t->state == PACER_TICKET_WAITING) {
		ticket_unlink(&group->last, t);
		p->waiting--;
	} else {
		group->in_flight--;
		if (t->hangs) {
			p->hanging--;
		} else {
			ticket_unlink(&p->last_held, t);
			p->in_flight--;
		}
	}
	t->state = PACER_TICKET_NONE;
	t->group = NULL;
	pacer_groups_update(&p->groups, group, now);
}

void pacer_forget(struct pacer *p, struct pacer_ticket *t, uint64_t now)
{
	if (t->state == PACER_TICKET_NONE)
		return;
	ticket_leave(p, t, now);
	pacer_grant(p, now);
}

void pacer_look(struct pacer *p, uint64_t now)
{
	pacer_grant(p, now);
}

/* --- what is learnt -------------------------------------------------------------------------- */

/* Whether it is told by something that the last cut can have helped. */
static bool bound_is_news(const struct pacer_bound *bound, const struct pacer_ticket *t)
{
	return !bound->was_cut || t->granted_ns > bound->cut_ns;
}

/* from: what was too much. */
static void bound_cut(struct pacer_bound *bound, size_t from, size_t limit, uint64_t now)
{
	bound->limit = limit;
	bound->done = 0;
	bound->ceiling = from;
	bound->was_cut = true;
	bound->cut_ns = now;
}

/* A login has succeeded. A limit that was not reached has not been shown to hold. */
static void bound_grow(struct pacer_bound *bound, const struct pacer_pace *pace, size_t in_flight,
		       size_t max)
{
	unsigned eighths = !bound->was_cut		       ? pace->unknown
			   : bound->limit + 1 < bound->ceiling ? pace->below
							       : pace->above;

	if (in_flight < bound->limit || bound->limit >= max)
		return;
	if (++bound->done < bound->limit * eighths / 8)
		return;
	bound->done = 0;
	bound->limit++;
}

static void pacer_cut(struct pacer *p, uint64_t now)
{
	size_t limit = p->bound.limit * 7 / 10;

	bound_cut(&p->bound, p->bound.limit, limit < p->limits.min ? p->limits.min : limit, now);
	p->loss = 0;
}

static void pacer_note(struct pacer *p, bool lost)
{
	p->loss += ((lost ? PACER_LOSS_ONE : 0) - p->loss) / PACER_LOSS_OVER;
}

static void pacer_on_dropped(struct pacer *p, struct pacer_ticket *t, uint64_t now)
{
	struct pacer_group *group = t->group;
	bool first = !t->dropped;

	t->dropped = true;
	/* Several to one address: it is that which was too busy, and nobody else is to suffer. */
	if (group->in_flight > 1) {
		if (bound_is_news(&group->bound, t))
			bound_cut(&group->bound, group->in_flight, group->in_flight / 2, now);
		return;
	}
	/* A bad host drops each time, and is not to be taken for many. */
	if (!first)
		return;
	pacer_note(p, true);
	if (p->loss >= PACER_LOSS_HIGH && bound_is_news(&p->bound, t))
		pacer_cut(p, now);
}

static void pacer_on_local(struct pacer *p, const struct pacer_ticket *t, uint64_t now)
{
	if (bound_is_news(&p->bound, t) &&
	    (!p->bound.was_cut || now - p->bound.cut_ns >= PACER_LOCAL_NS))
		pacer_cut(p, now);
}

static void pacer_on_login(struct pacer *p, struct pacer_ticket *t, uint64_t now)
{
	t->dropped = false;
	p->takes_ns -= p->takes_ns / PACER_TAKES_OVER;
	p->takes_ns += (now - t->granted_ns) / PACER_TAKES_OVER;
	pacer_note(p, false);
	bound_grow(&t->group->bound, &pacer_pace_group, t->group->in_flight, p->limits.group_max);
	bound_grow(&p->bound, &pacer_pace_all, p->in_flight, p->limits.max);
}

void pacer_login_done(struct pacer *p, struct pacer_ticket *t, enum pacer_end end, uint64_t now)
{
	if (t->state == PACER_TICKET_HELD && end == PACER_LOGIN)
		pacer_on_login(p, t, now);
	else if (t->state == PACER_TICKET_HELD && end == PACER_DROPPED)
		pacer_on_dropped(p, t, now);
	else if (t->state == PACER_TICKET_HELD && end == PACER_LOCAL)
		pacer_on_local(p, t, now);
	pacer_forget(p, t, now);
}

size_t pacer_waiting(const struct pacer *p)
{
	return p->waiting;
}

size_t pacer_in_flight(const struct pacer *p)
{
	return p->in_flight;
}

size_t pacer_limit(const struct pacer *p)
{
	return p->bound.limit;
}

size_t pacer_group_count(const struct pacer *p)
{
	return p->groups.count;
}

size_t pacer_group_limit(const struct pacer *p, const char *name)
{
	const struct pacer_group *group = pacer_groups_find(&p->groups, name);

	return group ? group->bound.limit : p->limits.group_start;
}

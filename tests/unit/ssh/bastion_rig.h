/* Targets of a test that are reached through others: all are the one sshd of the rig. */
#ifndef MUSTER_TEST_BASTION_RIG_H
#define MUSTER_TEST_BASTION_RIG_H

#include "bastion.h"
#include "line_rig.h"

#define HOPS_MAX 3u

/* The last is the target; each other one is the bastion of the next. To be static: a bastion
 * outlives the connections through it. */
struct way {
	struct plan_target at[HOPS_MAX];
	size_t hops;
};

static inline void way_make(struct rig *rig, struct way *way, size_t hops)
{
	static const char *const names[] = {"gw1", "gw2", "gw3"};

	way->hops = hops;
	for (size_t i = 0; i < hops; i++) {
		way->at[i] = *plan_target(rig->host.plan, 0);
		if (i + 1 < hops)
			way->at[i].host = names[i];
		way->at[i].way = i ? PLAN_JUMP : PLAN_DIRECT;
		way->at[i].jump = i ? &way->at[i - 1] : NULL;
	}
}

static inline const struct plan_target *way_end(const struct way *way)
{
	return &way->at[way->hops - 1];
}

static inline void heard_by(struct rig *rig, struct heard *h, const struct plan_target *target,
			    const char *command)
{
	heard_start(rig, h,
		    &(struct line_spec){
			    .conn = {.command = command, .target = target, .stream = true}});
}

/* How often this stands in what the sshd has said. */
static inline size_t rig_log_count(const struct rig *rig, const char *text)
{
	char *path = xasprintf("%s/log", rig->host.dir);
	struct buf log = {0};
	size_t n = 0;

	assert_int_equal(fd_read_file(&log, path, 64u << 20), 0);
	for (const char *at = buf_cstr(&log); (at = strstr(at, text)); at++)
		n++;
	buf_done(&log);
	free(path);
	return n;
}

static inline void heard_failed(const struct heard *h, enum conn_end end, const char *text)
{
	heard_ended(h, end, -1);
	if (!strstr(h->result.text, text))
		fail_msg("no \"%s\" in: %s", text, h->result.text);
}

#endif

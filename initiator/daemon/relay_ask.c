/* What a gateway is asked to do to single children of its part: JOB_CHILDREN. */
#include <stdlib.h>

#include "alloc.h"
#include "control_msg.h"
#include "frame.h"
#include "message.h"
#include "relay.h"
#include "relay_talk.h"

/* Ids to which the same is to be done. */
struct relay_list {
	uint64_t ids[CONTROL_IDS_MAX];
	size_t count;
};

static void relay_list_put(struct buf *out, struct relay_list *list, enum job_children_verb verb)
{
	struct job_children_msg m = {.verb = verb, .children = list->ids, .count = list->count};
	size_t begin = frame_begin(out);

	job_children_put(out, &m);
	if (frame_end(out, begin, MSG_JOB_CHILDREN, 0, 0) != 0)
		abort(); /* so many fit */
	list->count = 0;
}

/* Whether this is to be done to a member. */
static bool relay_wants(const struct relay_member *m, enum job_children_verb verb)
{
	static const int asks[JOB_CHILDREN_VERB_COUNT] = {
		[JOB_CHILDREN_SUSPEND] = MEMBER_ASK_SUSPEND,
		[JOB_CHILDREN_RESUME] = MEMBER_ASK_RESUME};

	if (verb == JOB_CHILDREN_STOP)
		return m->ask_stop;
	if (verb == JOB_CHILDREN_HOLD || verb == JOB_CHILDREN_GO)
		return m->hold != m->ask_hold && m->hold == (verb == JOB_CHILDREN_HOLD);
	return (int)m->ask == asks[verb];
}

void relay_ask_put(struct buf *out, struct relay_member *dirty, const struct relay_talk *talk)
{
	struct relay_list *list = xcalloc(1, sizeof *list);
	struct relay_member *next;

	for (int verb = JOB_CHILDREN_STOP; verb < JOB_CHILDREN_VERB_COUNT; verb++) {
		for (struct relay_member *m = dirty; m; m = m->dirty) {
			if (!relay_wants(m, (enum job_children_verb)verb))
				continue;
			list->ids[list->count++] = relay_talk_child(talk, m->at);
			if (list->count == CONTROL_IDS_MAX)
				relay_list_put(out, list, (enum job_children_verb)verb);
		}
		if (list->count)
			relay_list_put(out, list, (enum job_children_verb)verb);
	}
	for (; dirty; dirty = next) {
		next = dirty->dirty;
		dirty->is_dirty = false;
		dirty->dirty = NULL;
		dirty->ask_stop = false;
		dirty->ask_hold = dirty->hold;
		dirty->ask = MEMBER_ASK_NOTHING;
	}
	free(list);
}

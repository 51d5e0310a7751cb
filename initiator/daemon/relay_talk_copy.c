/* What a gateway says of files, to it and from it. */
#include "copy_msg.h"
#include "copy_pass.h"
#include "copy_route.h"
#include "relay_talk_private.h"

/* The place of a child that has not ended. */
int relay_talk_find(struct relay_talk *talk, uint64_t id, size_t *ret)
{
	uint64_t at = id - talk->first_child;

	if (id < talk->first_child || at >= talk->count)
		return err_set(talk->msg, ERR_PROTO,
			       "it speaks of child %llu, which is none of its part",
			       (unsigned long long)id);
	if (talk->children[at].ended)
		return err_set(talk->msg, ERR_PROTO, "it speaks of child %llu after its end",
			       (unsigned long long)id);
	*ret = (size_t)at;
	return 0;
}

int relay_talk_on_stage(struct relay_talk *talk, const struct frame *frame)
{
	return talk->ops->stage(talk->arg, frame, talk->msg);
}

/* The child that a number of a copy is about. */
static int talk_find_copy(struct relay_talk *talk, uint64_t number, size_t *ret)
{
	size_t at = COPY_PASS_AT(number);

	if (!talk->files || at >= talk->count)
		return err_set(talk->msg, ERR_PROTO, "it sends files that nobody has asked for");
	return relay_talk_find(talk, talk->first_child + at, ret);
}

int relay_talk_on_copy_open(struct relay_talk *talk, const struct frame *frame)
{
	struct copy_open_msg m;
	size_t at;
	int rc;

	if (talk->phase == TALK_GREETED)
		return relay_talk_on_stage(talk, frame);
	rc = copy_open_get(&m, frame->body, frame->len, talk->msg);
	if (rc)
		return rc;
	rc = talk_find_copy(talk, m.task, &at);
	if (rc == 0) {
		talk->children[at].may_begin = true;
		talk->ops->copy_open(talk->arg, at, m.task, m.window);
	}
	copy_open_done(&m);
	return rc;
}

int relay_talk_on_copy_files(struct relay_talk *talk, const struct frame *frame)
{
	uint64_t number = 0;
	size_t at;
	int rc = copy_route_task(&number, frame, talk->msg);

	if (rc == 0)
		rc = talk_find_copy(talk, number, &at);
	if (rc == 0)
		talk->ops->copy_files(talk->arg, at, number, frame);
	return rc;
}

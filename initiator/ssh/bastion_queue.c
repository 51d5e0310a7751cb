/* Which channels of a session wait for something, in turn. */
#include "bastion_private.h"

void bastion_queue_init(struct bastion_queue *queue)
{
	*queue = (struct bastion_queue){.last = &queue->first};
}

void bastion_queue_add(struct bastion_queue *queue, struct bastion_place *place)
{
	if (place->of)
		return;
	place->next = NULL;
	place->of = queue->last;
	*queue->last = place;
	queue->last = &place->next;
}

void bastion_queue_take(struct bastion_queue *queue, struct bastion_place *place)
{
	if (!place->of)
		return;
	*place->of = place->next;
	if (place->next)
		place->next->of = place->of;
	else
		queue->last = place->of;
	place->of = NULL;
}

#include "results_wait.h"

#include "store.h"

void results_list_add(struct results_list *list, struct results_node *node)
{
	node->next = NULL;
	node->prev = list->last;
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
}

void results_list_remove(struct results_list *list, struct results_node *node)
{
	if (node->prev)
		node->prev->next = node->next;
	else
		list->first = node->next;
	if (node->next)
		node->next->prev = node->prev;
	else
		list->last = node->prev;
	*node = (struct results_node){0};
}

static struct results_wait *waits_first(const struct results_waits *waits)
{
	return waits->list.first ? RESULTS_OWNER(waits->list.first, struct results_wait, node)
				 : NULL;
}

/* Tells those who have waited since before ticket: not who waits again from inside. */
static void waits_tell(struct results_waits *waits, uint64_t ticket, bool durable)
{
	struct results_wait *wait;

	while ((wait = waits_first(waits)) != NULL && wait->ticket <= ticket) {
		results_unwait(waits, wait);
		wait->fn(wait->arg, durable);
	}
}

/* The answers come in the order of the questions. */
static void waits_on_durable(void *arg)
{
	struct results_waits *waits = arg;

	waits->answered++;
	waits_tell(waits, waits->answered, true);
}

bool results_wait(struct results_waits *waits, struct store *store, struct results_wait *wait)
{
	results_unwait(waits, wait);
	if (waits->failed)
		return false;
	wait->ticket = ++waits->asked;
	results_list_add(&waits->list, &wait->node);
	store_when_durable(store, waits_on_durable, waits);
	return true;
}

void results_unwait(struct results_waits *waits, struct results_wait *wait)
{
	if (!wait->ticket)
		return;
	results_list_remove(&waits->list, &wait->node);
	wait->ticket = 0;
}

void results_waits_fail(struct results_waits *waits)
{
	waits->failed = true;
	waits_tell(waits, UINT64_MAX, false);
}

/* What a job has added to known_hosts, told once for all of its hosts. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fold.h"
#include "host_key.h"
#include "run_private.h"

/* Hosts of one kind, and the file that theirs went to. */
struct run_keys {
	const char **hosts;
	size_t count;
	const char *path; /* NULL: none, or several */
	const char *why;  /* of the first that could not be written */
};

struct run_key_list {
	struct run_keys added, unsaved;
	const struct plan_target **bastions; /* that were looked at */
	size_t bastion_count;
};

static void run_keys_put(struct run_keys *keys, const struct plan_target *t, const char *why)
{
	/* Grown by doubling: at 0, 1, 2, 4 ... */
	if ((keys->count & (keys->count - 1)) == 0)
		keys->hosts = xrealloc(keys->hosts, keys->count ? keys->count * 2 : 1,
				       sizeof *keys->hosts);
	if (!keys->count)
		keys->path = t->trust->append_to;
	else if (keys->path && strcmp(keys->path, t->trust->append_to) != 0)
		keys->path = NULL;
	if (!keys->count)
		keys->why = why;
	keys->hosts[keys->count++] = t->host;
}

static void run_keys_look(struct run_key_list *list, const struct plan_target *t)
{
	const struct host_key_note *note = host_key_noted(t);

	if (note && note->added)
		run_keys_put(&list->added, t, NULL);
	else if (note && note->unsaved)
		run_keys_put(&list->unsaved, t, note->why);
}

/* True if it is the first time. */
static bool run_keys_is_new(struct run_key_list *list, const struct plan_target *bastion)
{
	for (size_t i = list->bastion_count; i; i--)
		if (list->bastions[i - 1] == bastion)
			return false;
	list->bastions = xrealloc(list->bastions, list->bastion_count + 1, sizeof *list->bastions);
	list->bastions[list->bastion_count++] = bastion;
	return true;
}

static void run_keys_text(struct buf *out, const struct run_keys *keys, bool added)
{
	char *folded;

	if (!keys->count)
		return;
	folded = fold_names(keys->hosts, keys->count);
	buf_addf(out, "%zu new key%s %s %s: %s", keys->count, keys->count == 1 ? "" : "s",
		 added		    ? keys->count == 1 ? "was added to" : "were added to"
		 : keys->count == 1 ? "is not in"
				    : "are not in",
		 keys->path ? keys->path : "known_hosts", folded);
	if (!added)
		buf_addf(out, " (%s)", keys->why);
	buf_add_char(out, '\n');
	free(folded);
	free(keys->hosts);
}

char *run_keys_news(const struct run *run)
{
	struct run_key_list list = {0};
	struct buf text = {0};

	if (!run->plan)
		return NULL;
	for (size_t i = 0; i < plan_count(run->plan); i++) {
		const struct plan_target *t = plan_target(run->plan, i);

		run_keys_look(&list, t);
		for (t = t->jump; t && run_keys_is_new(&list, t); t = t->jump)
			run_keys_look(&list, t);
	}
	run_keys_text(&text, &list.added, true);
	run_keys_text(&text, &list.unsaved, false);
	free(list.bastions);
	return text.len ? buf_take_str(&text) : NULL;
}

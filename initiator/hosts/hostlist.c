/* The list: an array of hosts in order, and the index of them. */
#include "hostlist.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hostindex.h"
#include "hostlist_private.h"

struct hostlist {
	struct host *hosts; /* no two are the same */
	size_t count, size;
	struct hostindex *index;
};

struct host_text hostlist_text(const struct host *host)
{
	struct host_text text = {
		.user = host->user,
		.user_len = host->user ? strlen(host->user) : 0,
		.name = host->name,
		.name_len = strlen(host->name),
		.port = host->port,
	};

	text.brackets = host->label[host->user ? text.user_len + 1 : 0] == '[';
	return text;
}

static bool hostlist_has(const struct hostlist *list, const struct host_text *host)
{
	return hostlist_find(list, host) != SIZE_MAX;
}

/* True if removing other's hosts would remove this one. */
static bool hostlist_covers(const struct hostlist *other, const struct host *host)
{
	struct host_text text = hostlist_text(host);

	if (hostlist_has(other, &text))
		return true;
	if (!text.user && !text.port)
		return false;
	text.user = NULL;
	text.user_len = 0;
	text.port = 0;
	return hostlist_has(other, &text);
}

void hostlist_reserve(struct hostlist *list, size_t more)
{
	if (list->count + more <= list->size)
		return;
	list->size = list->size * 2 > list->count + more ? list->size * 2 : list->count + more;
	list->hosts = xrealloc(list->hosts, list->size, sizeof *list->hosts);
}

/* Puts a host behind the others. */
static void hostlist_push(struct hostlist *list, struct host host)
{
	if (list->count == list->size) {
		list->size = list->size ? list->size * 2 : 8;
		list->hosts = xrealloc(list->hosts, list->size, sizeof *list->hosts);
	}
	list->hosts[list->count++] = host;
}

static char *hostlist_copy(char **p, const char *text, size_t n)
{
	char *start = *p;

	memcpy(start, text, n);
	start[n] = '\0';
	*p += n + 1;
	return start;
}

/* All texts of a host live in one block, which the label begins. */
static struct host hostlist_make(const struct host_text *t)
{
	struct host host = {.port = t->port};
	struct buf label = {0};
	char *p;

	if (!t->user && !t->port && !t->brackets) {
		p = xmalloc(t->name_len + 1);
		host.label = host.name = hostlist_copy(&p, t->name, t->name_len);
		return host;
	}
	if (t->user) {
		buf_add(&label, t->user, t->user_len);
		buf_add_char(&label, '@');
	}
	if (t->brackets)
		buf_add_char(&label, '[');
	buf_add(&label, t->name, t->name_len);
	if (t->brackets)
		buf_add_char(&label, ']');
	if (t->port)
		buf_addf(&label, ":%u", t->port);
	p = xmalloc(label.len + t->name_len + t->user_len + 3);
	host.label = hostlist_copy(&p, (const char *)label.data, label.len);
	host.name = hostlist_copy(&p, t->name, t->name_len);
	if (t->user)
		host.user = hostlist_copy(&p, t->user, t->user_len);
	buf_done(&label);
	return host;
}

void hostlist_login(struct hostlist *list, size_t index, const char *address, const char *user,
		    uint16_t port)
{
	struct host old = list->hosts[index], *host = &list->hosts[index];
	size_t label = strlen(old.label), name = strlen(old.name);
	char *p;

	if (old.user)
		user = old.user;
	p = xmalloc(label + name + (user ? strlen(user) : 0) + (address ? strlen(address) : 0) + 4);
	*host = (struct host){.port = old.port ? old.port : port};
	host->label = hostlist_copy(&p, old.label, label);
	host->name = hostlist_copy(&p, old.name, name);
	if (user)
		host->user = hostlist_copy(&p, user, strlen(user));
	if (address)
		host->address = hostlist_copy(&p, address, strlen(address));
	free(old.label);
}

void hostlist_append(struct hostlist *list, const struct host_text *host)
{
	hostlist_push(list, hostlist_make(host));
}

void hostlist_put(struct hostlist *list, const struct host_text *host)
{
	if (hostindex_put(list->index, list->hosts, list->count, host) == SIZE_MAX)
		hostlist_append(list, host);
}

struct hostlist *hostlist_new(void)
{
	struct hostlist *list = xcalloc(1, sizeof *list);

	list->index = xcalloc(1, sizeof *list->index);
	return list;
}

static void hostlist_empty(struct hostlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->hosts[i].label);
	list->count = 0;
	hostindex_done(list->index);
}

void hostlist_free(struct hostlist *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->hosts[i].label);
	free(list->hosts);
	hostindex_done(list->index);
	free(list->index);
	free(list);
}

size_t hostlist_find(const struct hostlist *list, const struct host_text *host)
{
	return hostindex_find(list->index, list->hosts, list->count, host);
}

size_t hostlist_count(const struct hostlist *list)
{
	return list->count;
}

const struct host *hostlist_at(const struct hostlist *list, size_t index)
{
	return &list->hosts[index];
}

void hostlist_move_all(struct hostlist *list, struct hostlist *other)
{
	if (!list->count) {
		struct hostlist empty = *list;

		*list = *other;
		*other = empty;
		return;
	}
	for (size_t i = 0; i < other->count; i++) {
		struct host_text text = hostlist_text(&other->hosts[i]);

		if (hostindex_put(list->index, list->hosts, list->count, &text) == SIZE_MAX)
			hostlist_push(list, other->hosts[i]);
		else
			free(other->hosts[i].label);
	}
	other->count = 0;
	hostindex_done(other->index);
}

static void hostlist_put_copy(struct hostlist *list, const struct host *host)
{
	struct host_text text = hostlist_text(host);

	hostlist_put(list, &text);
}

void hostlist_add_all(struct hostlist *list, const struct hostlist *other)
{
	if (list == other)
		return;
	for (size_t i = 0; i < other->count; i++)
		hostlist_put_copy(list, &other->hosts[i]);
}

/* Keeps the hosts for which covers is as wanted. */
static void hostlist_filter(struct hostlist *list, const struct hostlist *other, bool wanted,
			    bool (*covers)(const struct hostlist *, const struct host *))
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct host host = list->hosts[i];

		if (covers(other, &host) == wanted)
			list->hosts[kept++] = host;
		else
			free(host.label);
	}
	if (kept == list->count)
		return;
	list->count = kept;
	hostindex_done(list->index);
}

void hostlist_remove_all(struct hostlist *list, const struct hostlist *other)
{
	if (list == other)
		hostlist_empty(list);
	else
		hostlist_filter(list, other, false, hostlist_covers);
}

void hostlist_keep_nth(struct hostlist *list, size_t first, size_t step)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (i % step == first)
			list->hosts[kept++] = list->hosts[i];
		else
			free(list->hosts[i].label);
	list->count = kept;
	hostindex_done(list->index);
}

void hostlist_keep_all(struct hostlist *list, const struct hostlist *other)
{
	hostlist_filter(list, other, true, hostlist_covers);
}

static bool hostlist_has_exactly(const struct hostlist *other, const struct host *host)
{
	struct host_text text = hostlist_text(host);

	return hostlist_has(other, &text);
}

void hostlist_toggle_all(struct hostlist *list, const struct hostlist *other)
{
	struct hostlist *added = hostlist_new();

	for (size_t i = 0; i < other->count; i++)
		if (!hostlist_has_exactly(list, &other->hosts[i]))
			hostlist_put_copy(added, &other->hosts[i]);
	hostlist_filter(list, other, false, hostlist_has_exactly);
	hostlist_move_all(list, added);
	hostlist_free(added);
}

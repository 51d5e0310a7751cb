#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "config_private.h"

/* A condition that may hold for this host. */
struct lookup_cond {
	uint32_t number;
	bool holds;
};

struct lookup_walk {
	struct config_lookup *lookup;
	struct lookup_cond *conds; /* rising */
	size_t cond_count;
	uint32_t *segments; /* theirs, rising */
	size_t segment_count;
};

/* The first literal that is not before name. */
static size_t lookup_lower_bound(const struct ssh_config *c, const char *name)
{
	size_t low = 0, high = c->literal_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(c->literals[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void lookup_push(struct lookup_walk *w, uint32_t cond)
{
	if (w->cond_count == 0 || w->conds[w->cond_count - 1].number != cond)
		w->conds[w->cond_count++] = (struct lookup_cond){.number = cond};
}

/* Merges the conditions that every host must try with those that name this one. */
static void lookup_candidates(struct lookup_walk *w)
{
	const struct ssh_config *c = w->lookup->config;
	size_t first = lookup_lower_bound(c, w->lookup->named), end = first, walked = 0;

	while (end < c->literal_count && strcmp(c->literals[end].name, w->lookup->named) == 0)
		end++;
	w->conds = xcalloc(c->walked_count + (end - first), sizeof *w->conds);
	while (walked < c->walked_count || first < end) {
		if (first == end ||
		    (walked < c->walked_count && c->walked[walked] < c->literals[first].cond))
			lookup_push(w, c->walked[walked++]);
		else
			lookup_push(w, c->literals[first++].cond);
	}
}

static int lookup_number_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void lookup_segments(struct lookup_walk *w)
{
	const struct ssh_config *c = w->lookup->config;
	size_t size = 0;

	for (size_t i = 0; i < w->cond_count; i++) {
		uint32_t s = c->conds[w->conds[i].number].first_segment;

		for (; s != CONFIG_NONE; s = c->segments[s].next) {
			if (w->segment_count == size) {
				size = size ? size * 2 : 64;
				w->segments = xrealloc(w->segments, size, sizeof *w->segments);
			}
			w->segments[w->segment_count++] = s;
		}
	}
	qsort(w->segments, w->segment_count, sizeof *w->segments, lookup_number_compare);
}

static int lookup_cond_compare(const void *key, const void *element)
{
	const struct lookup_cond *cond = element;

	return lookup_number_compare(key, &cond->number);
}

/* NULL: not a candidate, so it does not hold. */
static struct lookup_cond *lookup_cond(const struct lookup_walk *w, uint32_t number)
{
	return bsearch(&number, w->conds, w->cond_count, sizeof *w->conds, lookup_cond_compare);
}

static int lookup_decide(const struct lookup_walk *w, uint32_t number, struct errmsg *msg)
{
	const struct config_cond *cond = &w->lookup->config->conds[number];
	const struct lookup_cond *parent = lookup_cond(w, cond->parent);

	if (number != 0 && (!parent || !parent->holds))
		return 0;
	return config_cond_holds(w->lookup, cond, msg);
}

/* Adds it to what adds up, once. */
static int lookup_add(const struct config_setting *s, const struct config_setting **list,
		      size_t *count, const char *what, const char *host, struct errmsg *msg)
{
	char place[CONFIG_PLACE_SIZE];

	for (size_t i = 0; i < *count; i++) {
		if (strcmp(list[i]->words.word[0], s->words.word[0]) == 0)
			return 0;
	}
	if (*count == CONFIG_IDENTITIES)
		return err_set(msg, ERR_LIMIT, "%s: more than %u %s for host %s; remove some",
			       config_place(place, s->file, s->line), CONFIG_IDENTITIES, what,
			       host);
	list[(*count)++] = s;
	return 0;
}

/* Of ProxyJump and ProxyCommand the first rules the other one out; but, as ssh has it, a ProxyJump
 * of "none" leaves ProxyCommand alone. */
static bool lookup_is_other_proxy(const struct config_lookup *l, const struct config_setting *s)
{
	const struct config_setting *jump = l->first[CONFIG_PROXY_JUMP];

	if (s->key == CONFIG_PROXY_JUMP)
		return l->first[CONFIG_PROXY_COMMAND] != NULL;
	return s->key == CONFIG_PROXY_COMMAND && jump &&
	       strcasecmp(jump->words.word[0], "none") != 0;
}

static int lookup_apply(struct config_lookup *l, const struct config_setting *s, struct errmsg *msg)
{
	if (lookup_is_other_proxy(l, s))
		return 0;
	if (!l->first[s->key])
		l->first[s->key] = s;
	if (s->key == CONFIG_IDENTITY_FILE)
		return lookup_add(s, l->identities, &l->identity_count, "IdentityFile", l->host,
				  msg);
	if (s->key == CONFIG_CERTIFICATE_FILE)
		return lookup_add(s, l->certificates, &l->certificate_count, "CertificateFile",
				  l->host, msg);
	return 0;
}

static int lookup_run(struct lookup_walk *w, struct errmsg *msg)
{
	const struct ssh_config *c = w->lookup->config;
	int rc = 0;

	for (size_t i = 0; !rc && i < w->segment_count; i++) {
		const struct config_segment *s = &c->segments[w->segments[i]];
		struct lookup_cond *cond = lookup_cond(w, s->cond);

		/* Match looks at what was set so far: it is decided where it stands, and once. */
		if (c->conds[s->cond].first_segment == w->segments[i]) {
			rc = lookup_decide(w, s->cond, msg);
			cond->holds = rc > 0;
			rc = rc < 0 ? rc : 0;
		}
		for (size_t n = 0; cond->holds && !rc && n < s->count; n++)
			rc = lookup_apply(w->lookup, &c->settings[s->first + n], msg);
	}
	return rc;
}

/* Once over the files. */
static int lookup_pass(struct config_lookup *l, struct errmsg *msg)
{
	struct lookup_walk walk = {.lookup = l};
	int rc;

	lookup_candidates(&walk);
	lookup_segments(&walk);
	rc = lookup_run(&walk, msg);
	free(walk.conds);
	free(walk.segments);
	return rc;
}

static bool lookup_is_twice(const struct config_lookup *l)
{
	const struct config_setting *canonicalize = l->first[CONFIG_CANONICALIZE];

	return l->config->has_final || (canonicalize && canonicalize->number);
}

int ssh_config_ask(const struct ssh_query *query, struct ssh_options *ret, struct errmsg *msg)
{
	struct config_lookup l = {.config = query->config,
				  .exec = query->exec,
				  .host = query->host,
				  .named = query->host,
				  .user = query->user,
				  .local_user = query->local_user,
				  .port = query->port};
	const struct ssh_config *options = query->options;
	char *hostname = NULL;
	int rc = 0;

	for (size_t i = 0; options && !rc && i < options->setting_count; i++)
		rc = lookup_apply(&l, &options->settings[i], msg);
	if (!rc)
		rc = lookup_pass(&l, msg);
	if (!rc && lookup_is_twice(&l)) {
		hostname = config_expand_hostname(&l, msg);
		l.hostname = l.named = hostname;
		rc = hostname ? lookup_pass(&l, msg) : ERR_SYNTAX;
	}
	if (!rc)
		rc = config_options_fill(&l, ret, msg);
	free(hostname);
	return rc;
}

int ssh_config_lookup(const struct ssh_config *config, const char *host, const char *user,
		      uint16_t port, const char *local_user, struct ssh_options *ret,
		      struct errmsg *msg)
{
	struct ssh_query query = {.config = config,
				  .host = host,
				  .user = user,
				  .port = port,
				  .local_user = local_user};

	return ssh_config_ask(&query, ret, msg);
}

#include "session_pick.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "job.h"
#include "registry.h"
#include "run.h"
#include "session_private.h"
#include "wildcard.h"

struct session_name {
	const char *text;
	struct wildcard *wildcard; /* NULL: it is a name or an id */
	bool found;
};

struct session_names {
	struct session_name *at;
	size_t count;
};

static void session_names_done(struct session_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		wildcard_free(names->at[i].wildcard);
	free(names->at);
}

static int session_names_new(struct session_names *ret, char *const *names, size_t count,
			     struct errmsg *msg)
{
	int rc = 0;

	*ret = (struct session_names){.at = xcalloc(count, sizeof *ret->at), .count = count};
	for (size_t i = 0; rc == 0 && i < count; i++) {
		ret->at[i].text = names[i];
		if (wildcard_is(names[i]))
			rc = wildcard_new(&ret->at[i].wildcard, names[i], msg);
	}
	if (rc)
		session_names_done(ret);
	return rc;
}

/* Every name that means it is marked. */
static bool session_names_match(struct session_names *names, uint64_t id, const char *name)
{
	bool match = !names->count;
	char digits[24];

	(void)snprintf(digits, sizeof digits, "%" PRIu64, id);
	for (size_t i = 0; i < names->count; i++) {
		struct session_name *n = &names->at[i];
		bool is = n->wildcard
				  ? wildcard_match(n->wildcard, name, strlen(name))
				  : strcmp(n->text, digits) == 0 || strcasecmp(n->text, name) == 0;

		n->found = n->found || is;
		match = match || is;
	}
	return match;
}

static void session_pick_append(uint64_t **list, size_t *count, uint64_t id)
{
	*list = xrealloc(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = id;
}

void session_pick_add(struct session_pick *pick, uint64_t session)
{
	session_pick_append(&pick->sessions, &pick->session_count, session);
}

static void session_pick_jobs(struct session_pick *pick, const struct registry *registry,
			      struct session_names *names)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		struct run *run = registry_at(registry, i);
		const struct job *job = run_job(run);

		if (run_open(run)->detached && !job_state_is_finished(job_state(job)) &&
		    session_names_match(names, job_id(job), job_name(job)))
			session_pick_append(&pick->jobs, &pick->job_count, job_id(job));
	}
}

int session_pick(struct session_pick *ret, const struct daemon *daemon, char *const *names,
		 size_t count, struct errmsg *msg)
{
	struct session_names list;
	int rc = session_names_new(&list, names, count, msg);

	*ret = (struct session_pick){0};
	if (rc)
		return rc;
	for (const struct session *s = daemon->sessions->first; s; s = s->next)
		if (session_names_match(&list, s->id, s->open.name))
			session_pick_add(ret, s->id);
	session_pick_jobs(ret, daemon->registry, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (list.at[i].found || list.at[i].wildcard)
			continue;
		ret->missing = xrealloc(ret->missing, ret->missing_count + 1, sizeof(char *));
		ret->missing[ret->missing_count++] = xstrdup(list.at[i].text);
	}
	session_names_done(&list);
	return 0;
}

void session_pick_done(struct session_pick *pick)
{
	for (size_t i = 0; i < pick->missing_count; i++)
		free(pick->missing[i]);
	free(pick->missing);
	free(pick->sessions);
	free(pick->jobs);
	*pick = (struct session_pick){0};
}

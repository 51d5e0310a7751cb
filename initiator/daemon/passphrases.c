#include "passphrases.h"

#include <stdlib.h>

#include "alloc.h"
#include "daemon_private.h"
#include "limits.h"
#include "plan_unlock.h"
#include "question.h"

struct passphrases {
	struct daemon *daemon;
	uint64_t client; /* its number, as it may go */
	struct plan *plan;
	bool last_resort;
	size_t key;
	unsigned wrong; /* tries of this key */
	struct question *question;
	struct plan_unlock *unlock;
	passphrases_fn *fn;
	void *arg;
};

static void passphrases_put(struct passphrases *p);

bool passphrases_wanted(const struct plan *plan, bool last_resort)
{
	return plan_locked(plan, 0, last_resort) != PLAN_LOCKED_NONE;
}

static void passphrases_end(struct passphrases *p)
{
	struct plan *plan = p->plan;
	passphrases_fn *fn = p->fn;
	void *arg = p->arg;

	free(p);
	fn(arg, plan);
}

static void passphrases_next(struct passphrases *p, size_t from)
{
	p->key = plan_locked(p->plan, from, p->last_resort);
	p->wrong = 0;
	if (p->key == PLAN_LOCKED_NONE)
		passphrases_end(p);
	else
		passphrases_put(p);
}

static void passphrases_leave(struct passphrases *p, const char *why)
{
	char *text = xasprintf("%s (ssh-add %s)", why, plan_locked_path(p->plan, p->key));

	plan_locked_fault(p->plan, p->key, text);
	free(text);
	passphrases_next(p, p->key + 1);
}

static void passphrases_on_tried(void *arg, int rc)
{
	struct passphrases *p = arg;

	p->unlock = NULL;
	if (rc == 0)
		passphrases_next(p, p->key + 1);
	else if (rc != ERR_DENIED)
		passphrases_leave(p, "cannot be read any more");
	else if (++p->wrong == LIMIT_ASK_TRIES)
		passphrases_leave(p, "none of 3 answers is its passphrase");
	else
		passphrases_put(p);
}

static void passphrases_on_answer(void *arg, enum question_end end, struct locked *answer)
{
	struct passphrases *p = arg;

	p->question = NULL;
	if (end == QUESTION_ANSWERED)
		p->unlock = plan_unlock_start(p->daemon->engine, p->plan, p->key, answer,
					      passphrases_on_tried, p);
	else if (end == QUESTION_LATE)
		passphrases_leave(p, "has a passphrase, which nobody has said in time");
	else if (p->wrong)
		passphrases_leave(p, "that was not its passphrase");
	else
		passphrases_next(p, p->key + 1); /* its fault says what would help */
}

static void passphrases_put(struct passphrases *p)
{
	struct client *client = daemon_find_client(p->daemon, p->client);
	char *text;

	if (!client) {
		passphrases_end(p);
		return;
	}
	text = xasprintf("%sPassphrase for %s: ", p->wrong ? "Not that. " : "",
			 plan_locked_path(p->plan, p->key));

	p->question =
		question_ask(client, JOB_ASK_PASSPHRASE, text, false, passphrases_on_answer, p);
	free(text);
}

struct passphrases *passphrases_ask(struct client *client, struct plan *plan, bool last_resort,
				    passphrases_fn *fn, void *arg)
{
	struct passphrases *p = xcalloc(1, sizeof *p);

	p->client = client_number(client);
	p->daemon = client_daemon(client);
	p->plan = plan;
	p->last_resort = last_resort;
	p->fn = fn;
	p->arg = arg;
	p->key = plan_locked(plan, 0, last_resort);
	passphrases_put(p);
	return p;
}

void passphrases_free(struct passphrases *p)
{
	if (!p)
		return;
	question_free(p->question);
	plan_unlock_cancel(p->unlock);
	plan_free(p->plan);
	free(p);
}

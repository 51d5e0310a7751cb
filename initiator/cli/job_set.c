#include "job_set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "ask.h"
#include "control_msg.h"
#include "duration.h"
#include "exit.h"
#include "job_words.h"

#define JOB_SET_TYPE   "Remote" /* of a job that runs on hosts */
#define JOB_SET_LAST   "last"
#define JOB_SET_RC     "rc="
#define JOB_SET_CAUSE  "cause="
#define JOB_SET_RC_MAX 255u

/* Which children are meant. All NULL and rc < 0: all. */
struct job_set_filter {
	const char *state;
	const char *cause;
	int64_t rc;
};

/* One question to the daemon, and what came of it. */
struct job_set {
	uint64_t id; /* whose children; 0: the question is which jobs there are */
	bool last;   /* the newest is looked for */
	uint64_t wanted;
	uint64_t found;
	struct job_set_filter filter;
	struct buf *out;
	bool complete;
};

static const struct {
	const char *word, *state;
} job_set_words[] = {{"ok", "Completed"}, {"success", "Completed"}};

static const char *job_set_find_word(const char *const *(*table)(size_t *), const char *word)
{
	size_t count;
	const char *const *words = table(&count);

	for (size_t i = 0; i < count; i++)
		if (strcasecmp(words[i], word) == 0)
			return words[i];
	return NULL;
}

static void job_set_list(struct buf *out, const char *const *(*table)(size_t *))
{
	size_t count;
	const char *const *words = table(&count);

	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s%s", i ? ", " : "", words[i]);
}

static int job_set_fail_filter(const char *text, struct errmsg *msg)
{
	struct buf words = {0};
	int rc;

	job_set_list(&words, job_words_states);
	rc = err_set(msg, ERR_SYNTAX,
		     "'%s' chooses no hosts of a job; write a state (%s, in any case), rc=N, or "
		     "cause=WORD, as in @job:last:failed, @job:12:rc=7, @job:12:cause=unreachable",
		     text, buf_cstr(&words));
	buf_done(&words);
	return rc;
}

static int job_set_fail_cause(const char *text, struct errmsg *msg)
{
	struct buf words = {0};
	int rc;

	job_set_list(&words, job_words_causes);
	rc = err_set(msg, ERR_SYNTAX, "'%s' is no cause; there are %s", text, buf_cstr(&words));
	buf_done(&words);
	return rc;
}

/* text NULL: all. */
static int job_set_parse_filter(struct job_set_filter *ret, const char *text, struct errmsg *msg)
{
	uint64_t rc;

	*ret = (struct job_set_filter){.rc = -1};
	if (!text)
		return 0;
	if (strncasecmp(text, JOB_SET_RC, strlen(JOB_SET_RC)) == 0) {
		const char *number = text + strlen(JOB_SET_RC);

		if (count_parse(&rc, number, 0, JOB_SET_RC_MAX, JOB_SET_RC, NULL) != 0)
			return err_set(msg, ERR_RANGE,
				       "'%s' is no exit code; write rc=N with N from 0 to %u", text,
				       JOB_SET_RC_MAX);
		ret->rc = (int64_t)rc;
		return 0;
	}
	if (strncasecmp(text, JOB_SET_CAUSE, strlen(JOB_SET_CAUSE)) == 0) {
		ret->cause = job_set_find_word(job_words_causes, text + strlen(JOB_SET_CAUSE));
		return ret->cause ? 0 : job_set_fail_cause(text + strlen(JOB_SET_CAUSE), msg);
	}
	ret->state = job_set_find_word(job_words_states, text);
	for (size_t i = 0; !ret->state && i < ARRAY_LEN(job_set_words); i++)
		if (strcasecmp(job_set_words[i].word, text) == 0)
			ret->state = job_set_words[i].state;
	return ret->state ? 0 : job_set_fail_filter(text, msg);
}

static void job_set_send(void *arg, struct control *control)
{
	const struct job_set *set = arg;
	char *id = xasprintf("%llu", (unsigned long long)set->id);
	struct get_msg m = {.filter = {.all = true}};
	struct buf body = {0};

	if (set->id) {
		m.filter.selectors = &id;
		m.filter.selector_count = 1;
		m.filter.children = true;
	}
	get_put(&body, &m);
	control_send(control, MSG_GET, &body);
	free(id);
}

static bool job_set_fits(const struct job_set_filter *filter, const struct get_row_msg *row)
{
	if (filter->state)
		return row->state && strcasecmp(row->state, filter->state) == 0;
	if (filter->cause)
		return row->cause && strcasecmp(row->cause, filter->cause) == 0;
	return filter->rc < 0 || row->exit_code == filter->rc;
}

static void job_set_on_row(struct job_set *set, const struct get_row_msg *row)
{
	if (set->id) {
		if (row->parent_id == set->id && row->location && job_set_fits(&set->filter, row)) {
			buf_add_str(set->out, row->location);
			buf_add_char(set->out, '\n');
		}
		return;
	}
	if (row->parent_id || !row->child_count || !row->type ||
	    strcmp(row->type, JOB_SET_TYPE) != 0)
		return;
	if (set->last ? row->id > set->found : row->id == set->wanted)
		set->found = row->id;
}

static int job_set_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			      struct errmsg *msg)
{
	struct job_set *set = arg;
	struct get_row_msg row;
	int rc;

	(void)status;
	if (type == MSG_GET_END) {
		set->complete = true;
		return ASK_DONE;
	}
	if (type != MSG_GET_ROW)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = get_row_get(&row, body, len, msg);
	if (rc)
		return rc;
	job_set_on_row(set, &row);
	get_row_done(&row);
	return ASK_MORE;
}

static int job_set_ask(struct job_set *set, const struct cmd_globals *globals, struct errmsg *msg)
{
	int status;

	set->complete = false;
	status = ask(&cmd_get, globals, CONTROL_IF_RUNNING, job_set_send, job_set_on_message, set);
	if (set->complete)
		return 0;
	if (status == EXIT_OK)
		return err_set(msg, ERR_NOTFOUND,
			       "no daemon is running, so there are no jobs to take hosts from; "
			       "name the hosts (-L: the daemon that has the job)");
	return err_set(msg, ERR_CLOSED, "the daemon could not be asked for the job");
}

/* Finds out which job is meant. */
static int job_set_job(struct job_set *set, const char *word, const struct cmd_globals *globals,
		       struct errmsg *msg)
{
	int rc;

	set->last = strcasecmp(word, JOB_SET_LAST) == 0;
	if (!set->last && count_parse(&set->wanted, word, 1, INT64_MAX, "job", NULL) != 0)
		return err_set(
			msg, ERR_SYNTAX,
			"'%s' is no job; write the number that 'muster get' shows, or 'last', "
			"as in @job:12 or @job:last:failed",
			word);
	rc = job_set_ask(set, globals, msg);
	if (rc)
		return rc;
	if (!set->found && set->last)
		return err_set(msg, ERR_NOTFOUND,
			       "there is no job that ran on hosts; 'muster get --all' shows those "
			       "that there are");
	if (!set->found)
		return err_set(msg, ERR_NOTFOUND,
			       "there is no job %s that ran on hosts; 'muster get --all' shows "
			       "those that there are",
			       word);
	set->id = set->found;
	return 0;
}

int job_set_find(struct buf *out, const char *text, const struct cmd_globals *globals,
		 struct errmsg *msg)
{
	static const struct cmd_globals none = {0};
	struct job_set set = {.out = out};
	const char *colon = strchr(text, ':');
	char *word = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	size_t begin = out->len;
	int rc = job_set_parse_filter(&set.filter, colon ? colon + 1 : NULL, msg);

	if (!globals)
		globals = &none;
	if (!rc)
		rc = job_set_job(&set, word, globals, msg);
	if (!rc)
		rc = job_set_ask(&set, globals, msg);
	if (rc)
		out->len = begin;
	free(word);
	return rc;
}

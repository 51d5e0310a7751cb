#include "question.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "daemon_private.h"
#include "limits.h"

struct question {
	struct question *next;
	struct question **prev;
	uint64_t number;
	struct event *deadline;
	question_fn *fn;
	void *arg;
};

void question_free(struct question *q)
{
	if (!q)
		return;
	*q->prev = q->next;
	if (q->next)
		q->next->prev = q->prev;
	event_free(q->deadline);
	free(q);
}

static void question_end(struct question *q, enum question_end end, struct locked *answer)
{
	question_fn *fn = q->fn;
	void *arg = q->arg;

	question_free(q);
	fn(arg, end, answer);
}

static void question_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	question_end(arg, QUESTION_LATE, NULL);
}

struct question *question_ask(struct client *client, uint64_t kind, const char *text, bool echo,
			      question_fn *fn, void *arg)
{
	struct question **questions = client_questions(client);
	struct question *q = xcalloc(1, sizeof *q);
	struct timeval tv = loop_ms(LIMIT_ASK_MS);
	struct job_ask_msg m = {.kind = kind, .text = xstrdup(text), .echo = echo};
	struct buf body = {0};

	q->number = m.number = client_next_question(client);
	q->fn = fn;
	q->arg = arg;
	q->next = *questions;
	q->prev = questions;
	if (q->next)
		q->next->prev = &q->next;
	*questions = q;
	q->deadline = evtimer_new(loop_base(client_daemon(client)->loop), question_on_deadline, q);
	if (!q->deadline || event_add(q->deadline, &tv) != 0)
		abort();
	job_ask_put(&body, &m);
	client_send(client, MSG_JOB_ASK, &body);
	job_ask_done(&m);
	return q;
}

int question_on_answer(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct job_answer_msg m;
	struct question *q = *client_questions(client);
	struct locked *answer = NULL;
	int rc = job_answer_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	while (q && q->number != m.number)
		q = q->next;
	if (q && m.given && m.text)
		answer = locked_new(m.text, strlen(m.text));
	job_answer_done(&m);
	if (q)
		question_end(q, answer ? QUESTION_ANSWERED : QUESTION_NOBODY, answer);
	locked_drop(answer);
	return 0;
}

void questions_end(struct question **questions)
{
	while (*questions)
		question_end(*questions, QUESTION_NOBODY, NULL);
}

/* What a gateway is told: HELLO, its part of the job, input, what is asked of single children. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "frame.h"
#include "relay_private.h"
#include "secret_login.h"

/* Input that was given and has not gone to the network. */
#define RELAY_INPUT_AHEAD (256u << 10)

void relay_send(struct relay *relay, enum message_type type, const struct buf *body)
{
	struct buf frame = {0};
	size_t begin = frame_begin(&frame);

	buf_add(&frame, body->data, body->len);
	if (frame_end(&frame, begin, (uint8_t)type, 0, 0) != 0)
		abort(); /* none of those that come here is long */
	if (relay->line)
		line_write(relay->line, frame.data, frame.len);
	buf_done(&frame);
}

void relay_send_frames(struct relay *relay, struct buf *frames)
{
	if (relay->line && !relay->dead)
		line_write(relay->line, frames->data, frames->len);
	buf_done(frames);
}

static void relay_put_piece(struct relay *relay, const void *data, size_t len, bool end)
{
	struct job_stdin_msg m = {.data = (uint8_t *)(uintptr_t)data, .len = len, .end = end};
	struct buf body = {0};

	job_stdin_put(&body, &m);
	relay_send(relay, MSG_JOB_STDIN, &body);
	buf_done(&body);
}

void relay_feed(struct relay *relay)
{
	struct feed *feed = run_feed(relay_run(relay));

	if (!feed || relay->dead || !relay->members)
		return;
	while (!relay->feed_ended && line_queued(relay->line) < RELAY_INPUT_AHEAD) {
		const void *data = "";
		size_t n = feed_peek(feed, relay->fed, &data);

		relay->fed += n;
		relay->feed_ended = feed_is_end(feed, relay->fed);
		if (n || relay->feed_ended)
			relay_put_piece(relay, data, n, relay->feed_ended);
		if (!n)
			return;
	}
}

static int relay_compare(const void *a, const void *b)
{
	const struct relay_member *const *x = a, *const *y = b;
	size_t i = child_index((*x)->link->child), j = child_index((*y)->link->child);

	return (i > j) - (i < j);
}

/* From here on its members have places, in the order of the job. */
static void relay_settle_members(struct relay *relay)
{
	struct relay_member *m;

	relay->members = xcalloc(relay->live, sizeof(struct relay_member *));
	while ((m = relay->to_send)) {
		member_remove(m);
		relay->members[relay->count++] = m;
	}
	qsort(relay->members, relay->count, sizeof(struct relay_member *), relay_compare);
	for (size_t i = 0; i < relay->count; i++)
		relay->members[i]->at = i;
	relay->first = relay->members[0]->link->child;
}

static void relay_send_secret(struct relay *relay)
{
	const char *password = locked_text(run_password(relay_run(relay)));
	const char *login = secret_login_text(run_login(relay_run(relay)));
	struct buf frame = {0};

	if (!password && !login)
		return;
	relay_secret_put(&frame, password, login);
	line_write(relay->line, frame.data, frame.len);
	explicit_bzero(frame.data, frame.size);
	buf_done(&frame);
}

void relay_send_request(struct relay *relay)
{
	const struct job_open_msg *open = run_open(relay_run(relay));
	struct timeval tick = loop_ms(RELAY_TICK_MS);
	struct buf out = {0}, nothing = {0};
	struct errmsg msg;

	if (!relay->live) {
		relay_free_later(relay);
		return;
	}
	relay_settle_members(relay);
	if (relay_request_put(&out, relay_run(relay), relay->hostname, relay->members, relay->count,
			      &msg) != 0) {
		buf_done(&out);
		relay_fail(relay, msg.text);
		return;
	}
	line_write(relay->line, out.data, out.len);
	buf_done(&out);
	relay_send_secret(relay);
	relay_send(relay, MSG_JOB_RUN, &nothing);
	relay_talk_asked(relay->talk, relay->count,
			 open->builtin == JOB_COPY && open->copy_flags & JOB_COPY_PULL);
	(void)event_add(relay->timer, &tick);
	relay_feed(relay);
	for (size_t i = 0; i < relay->count; i++)
		if (relay->members[i]->hold)
			relay_ask(relay, relay->members[i]);
}

/* --- asking -------------------------------------------------------------------------------------
 */

static void relay_send_stop(struct relay *relay)
{
	struct job_stop_msg m = {.job = relay_talk_job(relay->talk)};
	struct buf body = {0};

	relay->stop_ms = relay_now_ms();
	for (size_t i = 0; i < relay->count; i++)
		if (relay->members[i])
			relay->members[i]->ask_stop = false;
	job_stop_put(&body, &m);
	relay_send(relay, MSG_JOB_STOP, &body);
	buf_done(&body);
}

void relay_send_asks(struct relay *relay)
{
	struct relay_member *dirty = relay->dirty;
	struct buf out = {0};

	if (relay->dead || !relay_talk_is_accepted(relay->talk))
		return;
	if (relay->live && relay->stopping == relay->live && !relay->stop_ms)
		relay_send_stop(relay);
	relay->dirty = NULL;
	if (dirty)
		relay_ask_put(&out, dirty, relay->talk);
	if (out.len)
		line_write(relay->line, out.data, out.len);
	buf_done(&out);
}

/* The next one when the last was answered: who does not hear us any more, and whom we do not hear,
 * agree on that. One that we do not listen to for now is told all the same. */
void relay_send_ping(struct relay *relay)
{
	struct ping_msg m = {.number = ++relay->pings};
	struct buf body = {0};

	if (relay->pinged && !relay->line_held)
		return;
	relay->pinged = true;
	ping_put(&body, &m);
	relay_send(relay, MSG_PING, &body);
	buf_done(&body);
}

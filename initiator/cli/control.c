#include "control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "cmd.h"
#include "control_msg.h"
#include "fd.h"
#include "frame.h"
#include "limits.h"
#include "start.h"

/* A daemon that starts reads its store before it answers. */
#define CONTROL_HELLO_MS 60000u
#define CONTROL_SLOW_MS	 5000u /* then we say that we wait */
#define CONTROL_FLUSH_NS UINT64_C(1000000000)
#define CONTROL_TRIES	 5
#define CONTROL_ROOM	 (256u << 10) /* so little waits that there is room */
/* What is read at once. The daemon sends as much where there is output; libevent would take it in
 * pieces of 4 KiB. */
#define CONTROL_READ (256u << 10)

struct control {
	struct loop *loop;
	const struct control_events *events;
	void *arg;
	struct bufferevent *bev; /* for what is sent */
	struct event *readable;
	struct buf in; /* what came; before at it has been taken */
	size_t at;
	uint64_t seq_out;
	uint64_t pid;
	void (*room)(void *arg); /* NULL: nobody wants to know */
	void *room_arg;
	bool held;
	bool eof; /* of the socket; messages may still wait */
	bool closed;
};

static void control_frame(struct buf *out, uint64_t seq, enum message_type type,
			  const struct buf *body)
{
	size_t begin = frame_begin(out);

	buf_add(out, body->data, body->len);
	/* What the CLI sends was cut to size before. */
	if (frame_end(out, begin, (uint8_t)type, 0, seq) != 0)
		abort();
}

/* --- the greeting: before the loop runs, so with a deadline of its own -------------------- */

static int control_send_hello(int fd)
{
	struct hello_msg hello = {.version_min = CONTROL_VERSION,
				  .version_max = CONTROL_VERSION,
				  .program = xstrdup("muster " MUSTER_VERSION),
				  .pid = (uint64_t)getpid()};
	struct buf body = {0}, frame = {0};
	int rc;

	hello_put(&body, &hello);
	control_frame(&frame, 1, MSG_HELLO, &body);
	rc = send(fd, frame.data, frame.len, MSG_NOSIGNAL) == (ssize_t)frame.len ? 0 : ERR_CLOSED;
	free(hello.program);
	buf_done(&body);
	buf_done(&frame);
	return rc;
}

static int control_judge_hello(struct control *control, const struct frame *frame,
			       struct errmsg *msg)
{
	struct error_msg error;
	struct hello_msg hello;
	int rc;

	if (frame->type == MSG_ERROR && error_get(&error, frame->body, frame->len, msg) == 0) {
		rc = err_set(msg, ERR_VERSION, "%s", error.text ? error.text : "refused");
		error_done(&error);
		return rc;
	}
	if (frame->type != MSG_HELLO)
		return err_set(msg, ERR_PROTO, "the daemon did not greet");
	rc = hello_get(&hello, frame->body, frame->len, msg);
	if (rc)
		return rc;
	control->pid = hello.pid;
	hello_done(&hello);
	return 0;
}

/* As fd_read_until within CONTROL_HELLO_MS of begin_ns, but who waits is told so. */
static int control_read_hello(int fd, struct buf *in, size_t want, uint64_t begin_ns)
{
	uint64_t slow_ns = begin_ns + CONTROL_SLOW_MS * UINT64_C(1000000);
	bool patient = clock_mono_ns() < slow_ns;
	int rc = ERR_TIMEOUT;

	if (patient)
		rc = fd_read_until(fd, in, want, slow_ns);
	if (rc == ERR_TIMEOUT && patient)
		(void)cmd_error(0, "the daemon does not answer yet: it may be reading its store");
	if (rc == ERR_TIMEOUT)
		rc = fd_read_until(fd, in, want, begin_ns + CONTROL_HELLO_MS * UINT64_C(1000000));
	return rc;
}

static int control_greet(struct control *control, int fd, struct errmsg *msg)
{
	uint64_t begin_ns = clock_mono_ns();
	struct buf in = {0};
	struct frame frame;
	size_t want = FRAME_HEADER_SIZE;
	int64_t used = 0;
	int rc = control_send_hello(fd);

	while (rc == 0 && used == 0) {
		rc = control_read_hello(fd, &in, want, begin_ns);
		if (rc == 0)
			used = frame_parse(in.data, in.len, &frame, msg);
		/* The length of the body stands in bytes 4 to 7 of the header. */
		if (rc == 0 && used == 0)
			want = FRAME_HEADER_SIZE + ((size_t)in.data[4] << 24 |
						    (size_t)in.data[5] << 16 |
						    (size_t)in.data[6] << 8 | in.data[7]);
	}
	if (rc == ERR_TIMEOUT)
		(void)err_set(msg, rc,
			      "the daemon does not answer: muster daemon stop, or kill it");
	if (rc == 0 && used < 0)
		rc = (int)used;
	if (rc == 0)
		rc = control_judge_hello(control, &frame, msg);
	buf_done(&in);
	control->seq_out = 1;
	return rc;
}

/* --- frames, on the loop ------------------------------------------------------------------- */

static void control_close(struct control *control, const char *why)
{
	if (control->closed)
		return;
	control->closed = true;
	(void)event_del(control->readable);
	(void)bufferevent_disable(control->bev, EV_WRITE);
	control->events->closed(control->arg, why);
}

static int64_t control_take_frame(struct control *control)
{
	struct errmsg msg = {{0}};
	struct frame frame;
	int64_t used = 0;

	if (control->at < control->in.len)
		used = frame_parse(control->in.data + control->at, control->in.len - control->at,
				   &frame, &msg);
	if (used == 0)
		return 0;
	if (used < 0 || !message_may_send(frame.type, MSG_FROM_D)) {
		control_close(control, used < 0 ? msg.text : "an unknown message");
		return 0;
	}
	control->events->message(control->arg, frame.type, frame.body, frame.len);
	control->at += (size_t)used;
	return used;
}

static void control_take_frames(struct control *control)
{
	bool any = false;

	while (!control->held && !control->closed && control_take_frame(control) > 0)
		any = true;
	if (any && control->events->pause)
		control->events->pause(control->arg);
}

/* What arrived before the end still counts, also while it is held back. */
static void control_take(struct control *control)
{
	control_take_frames(control);
	if (control->eof && !control->held)
		control_close(control, "the daemon closed the connection");
}

/* Room for the rest of a frame, and for what follows it. frame_parse has seen how long it is. */
static size_t control_make_room(struct control *control)
{
	size_t room = CONTROL_READ, left, want;

	buf_consume(&control->in, control->at);
	control->at = 0;
	left = control->in.len;
	want = left ? frame_size(control->in.data, left) : 0;
	if (want > left + room)
		room = want - left;
	(void)buf_room(&control->in, room);
	return control->in.size - left;
}

static void control_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;
	size_t room = control_make_room(control);
	ssize_t n = recv(fd, control->in.data + control->in.len, room, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		control->in.len += (size_t)n;
	} else {
		control->eof = true;
		(void)event_del(control->readable);
	}
	control_take(control);
}

static void control_on_write(struct bufferevent *bev, void *arg)
{
	struct control *control = arg;

	(void)bev;
	if (control->room && !control->closed)
		control->room(control->room_arg);
}

static void control_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct control *control = arg;

	(void)bev;
	(void)what;
	control->eof = true;
	(void)event_del(control->readable);
	control_take(control);
}

static void control_take_deferred(void *arg)
{
	control_take(arg);
}

void control_hold(struct control *control, bool hold)
{
	if (control->held == hold)
		return;
	control->held = hold;
	if (control->closed)
		return;
	if (hold) {
		(void)event_del(control->readable);
	} else {
		if (!control->eof)
			(void)event_add(control->readable, NULL);
		loop_defer(control->loop, control_take_deferred, control);
	}
}

static int control_reach(const struct paths *paths, enum control_mode mode, struct errmsg *msg)
{
	if (mode == CONTROL_EPHEMERAL)
		return start_ephemeral(msg);
	return start_connect(paths, mode == CONTROL_START, msg);
}

int control_open(struct control **ret, struct loop *loop, const struct paths *paths,
		 enum control_mode mode, const struct control_events *events, void *arg,
		 struct errmsg *msg)
{
	struct control *control = xcalloc(1, sizeof *control);
	int fd = -1, rc = ERR_CLOSED;

	(void)err_set(msg, rc, "the daemon ended while we connected: see %s",
		      paths && paths->log ? paths->log : "its log");
	for (int i = 0; rc == ERR_CLOSED && i < CONTROL_TRIES; i++) {
		fd = control_reach(paths, mode, msg);
		rc = fd < 0 ? fd : control_greet(control, fd, msg);
		if (rc)
			fd_close(&fd);
	}
	if (rc) {
		free(control);
		return rc;
	}
	(void)fd_nonblock(fd);
	control->loop = loop;
	control->events = events;
	control->arg = arg;
	control->bev = bufferevent_socket_new(loop_base(loop), fd, BEV_OPT_CLOSE_ON_FREE);
	control->readable =
		event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, control_on_readable, control);
	if (!control->bev || !control->readable || event_add(control->readable, NULL) != 0)
		abort();
	bufferevent_setcb(control->bev, NULL, control_on_write, control_on_event, control);
	bufferevent_setwatermark(control->bev, EV_WRITE, CONTROL_ROOM, 0);
	(void)bufferevent_disable(control->bev, EV_READ);
	(void)bufferevent_enable(control->bev, EV_WRITE);
	*ret = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	control->closed = true;
	event_free(control->readable);
	bufferevent_free(control->bev);
	buf_done(&control->in);
	/* Behind what control_hold may have deferred. */
	loop_defer(control->loop, free, control);
}

static void control_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->size);
	buf_done(b);
}

static void control_on_secret_sent(const void *data, size_t len, void *arg)
{
	(void)data;
	explicit_bzero(arg, len);
	free(arg);
}

/* The output refers to the only copy, which is wiped when it has been written. */
static void control_send_secret(struct control *control, enum message_type type, struct buf *body)
{
	struct evbuffer *out = bufferevent_get_output(control->bev);
	struct buf frame = {0};

	(void)buf_room(&frame, FRAME_HEADER_SIZE + body->len); /* must not move: no copies */
	control_frame(&frame, ++control->seq_out, type, body);
	if (evbuffer_add_reference(out, frame.data, frame.len, control_on_secret_sent,
				   frame.data) != 0)
		abort();
}

void control_send(struct control *control, enum message_type type, struct buf *body)
{
	bool secret = type == MSG_JOB_SECRET || type == MSG_JOB_ANSWER;
	struct buf frame = {0};

	if (control->closed) {
		; /* nobody to send to */
	} else if (secret) {
		control_send_secret(control, type, body);
	} else {
		control_frame(&frame, ++control->seq_out, type, body);
		(void)bufferevent_write(control->bev, frame.data, frame.len);
	}
	buf_done(&frame);
	if (secret)
		control_wipe(body);
	buf_done(body);
}

bool control_is_full(const struct control *control)
{
	return evbuffer_get_length(bufferevent_get_output(control->bev)) > CONTROL_QUEUE;
}

void control_on_room(struct control *control, void (*fn)(void *arg), void *arg)
{
	control->room = fn;
	control->room_arg = arg;
}

void control_drop(struct control *control, const char *why)
{
	control_close(control, why);
}

uint64_t control_daemon_pid(const struct control *control)
{
	return control->pid;
}

void control_flush(struct control *control)
{
	uint64_t deadline_ns = clock_mono_ns() + CONTROL_FLUSH_NS;
	struct evbuffer *out;
	struct pollfd p;

	if (control->closed)
		return;
	out = bufferevent_get_output(control->bev);
	p = (struct pollfd){.fd = bufferevent_getfd(control->bev), .events = POLLOUT};
	/* Only the bufferevent may take from it otherwise. */
	(void)bufferevent_disable(control->bev, EV_WRITE);
	(void)evbuffer_unfreeze(out, 1);
	while (evbuffer_get_length(out) && clock_mono_ns() < deadline_ns) {
		if (poll(&p, 1, 100) < 0 || (p.revents & POLLERR))
			return;
		if (evbuffer_write(out, p.fd) < 0 && errno != EAGAIN)
			return;
	}
}

#include "remote_io.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "loop.h"
#include "peer.h"

struct remote_io {
	struct line_io *line;
	const struct remote_order *order;
	struct boot_spec spec;
	struct boot *boot;
	struct peer *peer;   /* NULL: the bootstrap talks */
	struct event *timer; /* until HELLO */
	bool began;
	bool retried; /* the bootstrap, without exec */
	bool again;   /* another connection is on its way */
	bool over;    /* its end was told */
};

static void remote_io_new_boot(struct remote_io *io);

static void remote_io_tell(struct remote_io *io, enum remote_told what, const char *text)
{
	if (!io->over)
		line_io_tell(io->line, what, text, strlen(text));
	io->over = true;
}

/* --- the talk ------------------------------------------------------------------------------- */

static int remote_io_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	struct remote_io *io = arg;
	struct remote_told_open told = {.can = hello->capabilities};
	struct buf data = {0};

	(void)msg;
	told.note = hello->durable_note != NULL;
	told.program = hello->program ? strlen(hello->program) : 0;
	buf_add(&data, &told, sizeof told);
	if (told.program)
		buf_add_str(&data, hello->program);
	if (told.note)
		buf_add_str(&data, hello->durable_note);
	line_io_tell(io->line, REMOTE_TOLD_OPEN, data.data, data.len);
	buf_done(&data);
	/* An idle connection has no timer. */
	event_free(io->timer);
	io->timer = NULL;
	return 0;
}

/* The header stands before the body, wherever the peer had it from. */
static int remote_io_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct remote_io *io = arg;
	int rc = check_body(frame->body, frame->len, msg);

	if (rc == 0)
		line_io_put(io->line, frame->body - FRAME_HEADER_SIZE,
			    FRAME_HEADER_SIZE + frame->len);
	return rc;
}

static const struct peer_events remote_io_peer_events = {.hello = remote_io_on_hello,
							 .message = remote_io_on_message};

static void remote_io_feed(struct remote_io *io, const void *data, size_t len)
{
	struct errmsg msg = {{0}};
	struct buf out = {0};
	int rc;

	if (io->over || !len)
		return;
	rc = peer_feed(io->peer, data, len, &msg);
	if (!rc)
		return;
	if (rc != ERR_CLOSED) {
		peer_put_error(&out, rc, msg.text);
		line_io_write(io->line, out.data, out.len);
		buf_done(&out);
	}
	remote_io_tell(io, REMOTE_TOLD_BROKEN, msg.text);
}

/* --- the bootstrap -------------------------------------------------------------------------- */

static void remote_io_on_send(void *arg, const void *data, size_t len)
{
	struct remote_io *io = arg;

	line_io_write(io->line, data, len);
}

static void remote_io_on_ready(void *arg, const void *rest, size_t len)
{
	struct remote_io *io = arg;
	struct agent_hello_msg hello = {0};
	struct buf out = {0};

	line_io_tell(io->line, REMOTE_TOLD_READY, NULL, 0);
	io->peer = peer_new(PEER_INITIATOR, &remote_io_peer_events, io);
	peer_put_hello(&out, &hello);
	line_io_write(io->line, out.data, out.len);
	buf_done(&out);
	remote_io_feed(io, rest, len);
}

/* A restricted shell does not know exec: once more without it. */
static bool remote_io_retry(struct remote_io *io, enum boot_end end, const char *text)
{
	struct errmsg msg;
	char *command;

	if (end != BOOT_NO_AGENT || io->retried || !strstr(text, "restricted"))
		return false;
	io->retried = true;
	io->again = true;
	io->spec.no_exec = true;
	boot_nonce(io->spec.nonce);
	if (boot_command(&command, &io->spec, &msg) != 0)
		abort();
	(void)event_del(io->timer);
	io->began = false;
	line_io_connect(io->line, command);
	free(command);
	return true;
}

static void remote_io_on_failed(void *arg, enum boot_end end, const char *text)
{
	struct remote_io *io = arg;

	if (io->over || remote_io_retry(io, end, text))
		return;
	remote_io_tell(io, end == BOOT_BECOME ? REMOTE_TOLD_BECOME : REMOTE_TOLD_NO_AGENT, text);
}

static const struct boot_events remote_io_boot_events = {
	.send = remote_io_on_send, .ready = remote_io_on_ready, .failed = remote_io_on_failed};

static void remote_io_new_boot(struct remote_io *io)
{
	boot_free(io->boot);
	io->boot = boot_new(&io->spec, &remote_io_boot_events, io);
}

/* --- as the side of a line ------------------------------------------------------------------ */

static void remote_io_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	remote_io_tell(arg, REMOTE_TOLD_LATE, "");
}

static void *remote_io_begin(struct line_io *line, const void *arg)
{
	struct remote_io *io = xcalloc(1, sizeof *io);

	io->line = line;
	io->order = arg;
	io->spec = io->order->spec;
	io->timer = evtimer_new(loop_base(line_io_loop(line)), remote_io_on_timer, io);
	if (!io->timer)
		abort();
	remote_io_new_boot(io);
	return io;
}

static void remote_io_running(void *side)
{
	struct remote_io *io = side;
	struct timeval tv = loop_ms(io->order->start_timeout_ms);

	if (io->began)
		return;
	io->began = true;
	if (io->again)
		remote_io_new_boot(io);
	io->again = false;
	if (io->timer)
		(void)event_add(io->timer, &tv);
	if (!io->retried)
		line_io_tell(io->line, REMOTE_TOLD_BOOTING, NULL, 0);
}

static void remote_io_data(void *side, bool is_error, const void *data, size_t len)
{
	struct remote_io *io = side;

	if (io->over || io->again)
		return;
	if (!io->peer) {
		boot_feed(io->boot, is_error, data, len);
		return;
	}
	/* Kilobytes that nobody needs any more, for each of thousands. */
	boot_free(io->boot);
	io->boot = NULL;
	if (!is_error)
		remote_io_feed(io, data, len);
}

static bool remote_io_end(void *side, const struct conn_result *result)
{
	struct remote_io *io = side;
	bool exited = result->end == CONN_END_EXITED || result->end == CONN_END_SIGNALLED;

	if (io->over)
		return true;
	if (!exited || !io->began || io->peer)
		return false;
	/* The bootstrap says what that means. */
	boot_eof(io->boot, result->exit_code);
	return true;
}

static void remote_io_free(void *side)
{
	struct remote_io *io = side;

	boot_free(io->boot);
	peer_free(io->peer);
	if (io->timer)
		event_free(io->timer);
	free(io);
}

void remote_order_wipe(struct remote_order *order)
{
	locked_drop(order->password);
	order->password = NULL;
	order->spec.password = NULL;
}

static void remote_order_drop(void *arg)
{
	struct remote_order *order = arg;

	remote_order_wipe(order);
	free(order->become_user);
	free(order);
}

char *remote_order_command(struct remote_order *order)
{
	struct errmsg msg;
	char *command = NULL;

	boot_nonce(order->spec.nonce);
	/* The user to become was checked when the job was opened. */
	if (!order->spec.subsystem && boot_command(&command, &order->spec, &msg) != 0)
		abort();
	return command;
}

const struct line_side remote_side = {
	.begin = remote_io_begin,
	.running = remote_io_running,
	.data = remote_io_data,
	.end = remote_io_end,
	.free = remote_io_free,
	.drop = remote_order_drop,
};

/* The half of a line that is on an I/O thread. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "line_private.h"

/* Far less than a keepalive, and enough for an answer. */
#define LINE_LISTEN_MS 2000u

/* --- what is told --------------------------------------------------------------------------- */

static void line_note(struct line_io *io, enum line_note_kind kind, uint64_t number,
		      struct buf *data)
{
	struct line_note *note;

	if (io->over) {
		if (data)
			buf_done(data);
		return;
	}
	note = xcalloc(1, sizeof *note);
	note->io = io;
	note->kind = kind;
	note->number = number;
	if (data) {
		note->data = *data;
		*data = (struct buf){0};
	}
	shard_tell(io->shard, line_on_note, note);
}

/* Nothing is read while there is enough on its way to the main loop. */
static bool line_io_is_held(const struct line_io *io)
{
	return io->hold || io->ahead > LINE_AHEAD || io->wait.prev;
}

static void line_io_balance(struct line_io *io)
{
	if (client_way_is(&io->way))
		client_way_hold(&io->way, line_io_is_held(io));
}

static void line_io_on_room(void *arg)
{
	line_io_balance(arg);
}

static void line_io_flush(struct line_io *io)
{
	if (!io->out.len)
		return;
	io->ahead += io->out.len;
	shard_ahead(io->shard, io->out.len);
	line_note(io, LINE_DATA, 0, &io->out);
	if (shard_is_full(io->shard))
		shard_wait(io->shard, &io->wait);
	line_io_balance(io);
}

static void line_io_add(struct line_io *io, bool is_error, const void *data, size_t len)
{
	struct line_piece piece = {.is_error = is_error};

	if (io->out.len)
		memcpy(&piece, io->out.data + io->last_piece, sizeof piece);
	if (!io->out.len || piece.is_error != is_error || len > UINT32_MAX - piece.len) {
		piece = (struct line_piece){.is_error = is_error};
		io->last_piece = io->out.len;
		buf_add(&io->out, &piece, sizeof piece);
	}
	piece.len += (uint32_t)len;
	memcpy(io->out.data + io->last_piece, &piece, sizeof piece);
	buf_add(&io->out, data, len);
}

void line_io_put(struct line_io *io, const void *data, size_t len)
{
	if (!io->over)
		line_io_add(io, false, data, len);
}

void line_io_tell(struct line_io *io, unsigned what, const void *data, size_t len)
{
	struct buf copy = {0};

	line_io_flush(io);
	buf_add(&copy, data, len);
	line_note(io, LINE_TOLD, what, &copy);
}

static void line_io_tell_taken(struct line_io *io)
{
	size_t queued = client_way_is(&io->way) ? client_way_queued(&io->way) : 0;
	uint64_t taken = queued < io->written ? io->written - queued : 0;

	if (taken <= io->taken_told)
		return;
	io->taken_told = taken;
	line_note(io, LINE_TAKEN, taken, NULL);
}

void line_io_end(struct line_io *io, const struct conn_result *result)
{
	struct line_note *note;

	if (io->over)
		return;
	line_io_flush(io);
	note = xcalloc(1, sizeof *note);
	note->io = io;
	note->kind = LINE_END;
	note->result = xmalloc(sizeof *result);
	*note->result = *result;
	shard_tell(io->shard, line_on_note, note);
	io->over = true;
}

/* --- the connection ------------------------------------------------------------------------- */

static void line_io_on_running(void *arg)
{
	struct line_io *io = arg;
	struct buf key = {0};
	size_t len;
	const uint8_t *blob = client_way_key(&io->way, &len);

	if (blob)
		buf_add(&key, blob, len);
	line_note(io, LINE_RUNNING, 0, &key);
	if (io->side)
		io->side->running(io->state);
}

static void line_io_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct line_io *io = arg;

	io->heard = true;
	if (io->side)
		io->side->data(io->state, is_error, data, len);
	else if (!io->over)
		line_io_add(io, is_error, data, len);
}

static void line_io_on_burst_end(void *arg)
{
	line_io_flush(arg);
}

static void line_io_on_writable(void *arg)
{
	line_io_tell_taken(arg);
}

static void line_io_on_suspended(void *arg, bool suspended)
{
	line_note(arg, LINE_SUSPENDED, suspended, NULL);
}

static void line_io_on_end(void *arg, const struct conn_result *result)
{
	struct line_io *io = arg;

	io->way = (struct client_way){0};
	if (io->again && evtimer_pending(io->again, NULL))
		return;
	if (!io->side || !io->side->end(io->state, result))
		line_io_end(io, result);
}

static const struct conn_events line_io_events = {
	.running = line_io_on_running,
	.data = line_io_on_data,
	.burst_end = line_io_on_burst_end,
	.writable = line_io_on_writable,
	.suspended = line_io_on_suspended,
	.end = line_io_on_end,
};

static void line_io_dial(struct line_io *io)
{
	struct conn_spec spec = io->spec;

	if (io->command)
		spec.command = io->command;
	client_way_start(&io->way, shard_engine(io->shard), &spec, &line_io_events, io);
	line_io_balance(io);
	if (io->stop)
		client_way_stop(&io->way);
}

static void line_io_on_again(evutil_socket_t fd, short what, void *arg)
{
	struct line_io *io = arg;

	(void)fd;
	(void)what;
	client_way_free(&io->way);
	line_io_dial(io);
}

void line_io_connect(struct line_io *io, const char *command)
{
	struct timeval now = {0};

	free(io->command);
	io->command = xstrdup(command);
	if (!io->again)
		io->again = evtimer_new(loop_base(line_io_loop(io)), line_io_on_again, io);
	if (!io->again)
		abort();
	(void)event_add(io->again, &now);
}

struct loop *line_io_loop(struct line_io *io)
{
	return ssh_engine_loop(shard_engine(io->shard));
}

void line_io_write(struct line_io *io, const void *data, size_t len)
{
	if (client_way_is(&io->way) && !io->finish)
		client_way_write(&io->way, data, len);
}

/* --- what is asked -------------------------------------------------------------------------- */

static void line_do_start(struct line_io *io, const struct line_order *order)
{
	(void)order;
	io->wait = (struct shard_wait){.fn = line_io_on_room, .arg = io};
	if (io->side)
		io->state = io->side->begin(io, io->order);
	line_io_dial(io);
}

static void line_do_write(struct line_io *io, const struct line_order *order)
{
	io->written += order->len;
	line_io_write(io, order->data, order->len);
	if (client_way_is(&io->way) && io->written - io->taken_told > LINE_TAKEN_STEP)
		client_way_ask_writable(&io->way);
}

static void line_do_finish(struct line_io *io, const struct line_order *order)
{
	(void)order;
	io->finish = true;
	if (client_way_is(&io->way))
		client_way_finish(&io->way);
}

static void line_do_hold(struct line_io *io, const struct line_order *order)
{
	io->hold = order->number != 0;
	line_io_balance(io);
}

static void line_do_suspend(struct line_io *io, const struct line_order *order)
{
	if (client_way_is(&io->way))
		client_way_suspend(&io->way, order->number != 0);
}

static void line_do_stop(struct line_io *io, const struct line_order *order)
{
	(void)order;
	io->stop = true;
	if (client_way_is(&io->way))
		client_way_stop(&io->way);
}

static void line_do_consumed(struct line_io *io, const struct line_order *order)
{
	io->ahead -= order->number < io->ahead ? (size_t)order->number : io->ahead;
	line_io_balance(io);
}

static void line_io_on_listened(evutil_socket_t fd, short what, void *arg)
{
	struct line_io *io = arg;

	(void)fd;
	(void)what;
	/* Input is looked at before timers: what had come by now was heard. */
	line_note(io, LINE_SILENT, !io->heard && !line_io_is_held(io), NULL);
}

static void line_do_listen(struct line_io *io, const struct line_order *order)
{
	struct timeval tv = loop_ms(LINE_LISTEN_MS);

	(void)order;
	io->heard = line_io_is_held(io);
	if (!io->listen)
		io->listen = evtimer_new(loop_base(line_io_loop(io)), line_io_on_listened, io);
	if (!io->listen || event_add(io->listen, &tv) != 0)
		abort();
}

/* The last order; the memory goes back to the main loop. */
static void line_do_close(struct line_io *io, const struct line_order *order)
{
	(void)order;
	io->over = true;
	client_way_free(&io->way);
	shard_unwait(&io->wait);
	if (io->side)
		io->side->free(io->state);
	if (io->again)
		event_free(io->again);
	if (io->listen)
		event_free(io->listen);
	free(io->command);
	buf_done(&io->out);
	io->over = false;
	line_note(io, LINE_GONE, 0, NULL);
}

static void (*const line_orders[LINE_ORDER_COUNT])(struct line_io *, const struct line_order *) = {
	[LINE_START] = line_do_start,	    [LINE_WRITE] = line_do_write,
	[LINE_FINISH] = line_do_finish,	    [LINE_HOLD] = line_do_hold,
	[LINE_SUSPEND] = line_do_suspend,   [LINE_STOP] = line_do_stop,
	[LINE_CONSUMED] = line_do_consumed, [LINE_LISTEN] = line_do_listen,
	[LINE_CLOSE] = line_do_close,
};

void line_on_order(void *arg)
{
	struct line_order *order = arg;

	line_orders[order->kind](order->io, order);
	/* A password may have passed. */
	explicit_bzero(order->data, order->len);
	free(order);
}

/* What runs on an I/O thread between a connection and a line. */
#include <pthread.h>
#include <stdatomic.h>

#include "line_dropper.h"
#include "line_side.h"

/* What a side is to do when its connection runs. */
enum errand {
	JUST_PASS,
	TELL_AND_PUT,
	ASK,
	CONNECT_AGAIN,
	CONNECT_LATER,
	END_ITSELF,
	CLAIM_THE_END
};

/* Long enough for what is told to be answered. */
#define LATER_MS 300u
#define TOLD_ONE 1u
#define TOLD_TWO 2u

struct order {
	enum errand errand;
	pthread_t main;
	/* Read when all is over. */
	atomic_uint begun, ran, freed, dropped;
};

struct side {
	struct line_io *io;
	struct order *order;
	struct event *later;
	bool was_later;
};

static void side_on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	line_io_connect(((struct side *)arg)->io, "cat");
}

static void *side_begin(struct line_io *io, const void *order)
{
	struct side *side = xcalloc(1, sizeof *side);

	side->io = io;
	/* As a test it counts there. */
	side->order = (struct order *)(uintptr_t)order;
	side->order->begun++;
	assert_false(pthread_equal(pthread_self(), side->order->main));
	side->later = evtimer_new(loop_base(line_io_loop(io)), side_on_later, side);
	assert_non_null(side->later);
	return side;
}

static void side_running(void *arg)
{
	struct side *side = arg;
	struct conn_result result = {.end = CONN_END_EXITED, .began = true, .exit_code = 42};

	if (side->order->ran++)
		return;
	switch (side->order->errand) {
	case TELL_AND_PUT:
		line_io_tell(side->io, TOLD_ONE, "one", 3);
		line_io_put(side->io, "x", 1);
		line_io_put(side->io, "y", 1);
		line_io_tell(side->io, TOLD_TWO, NULL, 0);
		line_io_put(side->io, "z", 1);
		break;
	case ASK:
		line_io_write(side->io, "asked\n", 6);
		break;
	case CONNECT_AGAIN:
		line_io_connect(side->io, "exit 3");
		line_io_connect(side->io, "echo again; cat; exit 4");
		line_io_tell(side->io, TOLD_ONE, NULL, 0);
		break;
	case END_ITSELF:
		line_io_put(side->io, "last", 4);
		line_io_end(side->io, &result);
		line_io_put(side->io, "never", 5);
		line_io_tell(side->io, TOLD_ONE, "never", 5);
		line_io_end(side->io, &result);
		break;
	case JUST_PASS:
	case CONNECT_LATER:
	case CLAIM_THE_END:
		break;
	}
}

static void side_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct side *side = arg;

	if (!is_error && side->order->errand != TELL_AND_PUT)
		line_io_put(side->io, data, len);
}

static bool side_end(void *arg, const struct conn_result *result)
{
	struct timeval tv = loop_ms(LATER_MS);
	struct side *side = arg;

	if (side->order->errand == CONNECT_LATER && !side->was_later) {
		side->was_later = true;
		assert_int_equal(event_add(side->later, &tv), 0);
		line_io_tell(side->io, TOLD_ONE, NULL, 0);
		return true;
	}
	if (side->order->errand != CLAIM_THE_END)
		return false;
	line_io_tell(side->io, TOLD_TWO, result, sizeof *result);
	return true;
}

static void side_free(void *arg)
{
	struct side *side = arg;

	side->order->freed++;
	event_free(side->later);
	free(side);
}

/* Behind all else. */
static void side_drop(void *arg)
{
	struct order *order = arg;

	assert_true(pthread_equal(pthread_self(), order->main));
	assert_int_equal(order->freed, order->begun);
	order->dropped++;
}

static const struct line_side side = {.begin = side_begin,
				      .running = side_running,
				      .data = side_data,
				      .end = side_end,
				      .free = side_free,
				      .drop = side_drop};

static int set_up(void **state)
{
	return rig_set_up_with(state, 2, 4096);
}

static void start(struct rig *rig, struct heard *h, struct order *order, const char *command)
{
	order->main = pthread_self();
	heard_start(rig, h,
		    &(struct line_spec){.conn = {.command = command, .stream = true},
					.side = &side,
					.order = order});
}

/* All is given back, however it went. */
static void over(struct rig *rig, struct heard *h, struct order *order, unsigned begun)
{
	rig_close(rig);
	assert_int_equal(order->begun, begun);
	assert_int_equal(order->freed, begun);
	assert_int_equal(order->dropped, 1);
	heard_done(h);
}

static void note_told(struct heard *h, unsigned what, const void *data, size_t len)
{
	buf_addf(&h->out, "<%u:%.*s>", what, (int)len, len ? (const char *)data : "");
}

static void test_told_and_put_in_order(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = TELL_AND_PUT};
	struct heard h = {.on_told = note_told};

	start(rig, &h, &order, "true");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_string_equal(buf_cstr(&h.out), "<1:one>xy<2:>z");
	over(rig, &h, &order, 1);
}

static void test_it_writes(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = ASK};
	struct heard h = {0};

	start(rig, &h, &order, "head -n 1; exit 5");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 5);
	assert_string_equal(buf_cstr(&h.out), "asked\n");
	over(rig, &h, &order, 1);
}

static void test_it_ends_the_line(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = END_ITSELF};
	struct heard h = {.on_told = note_told};

	start(rig, &h, &order, "echo other; cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 42);
	assert_string_equal(buf_cstr(&h.out), "last");
	over(rig, &h, &order, 1);
}

static void free_at_the_end(struct heard *h, unsigned what, const void *data, size_t len)
{
	struct conn_result result;

	assert_int_equal(what, TOLD_TWO);
	assert_int_equal(len, sizeof result);
	memcpy(&result, data, len);
	assert_int_equal(result.exit_code, 6);
	heard_free(h);
}

static void test_it_claims_the_end(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = CLAIM_THE_END};
	struct heard h = {.on_told = free_at_the_end};

	start(rig, &h, &order, "exit 6");
	rig_run(rig);
	assert_int_equal(h.told, 1);
	assert_false(h.ended);
	over(rig, &h, &order, 1);
}

/* --- another connection ----------------------------------------------------------------------- */

static void finish_input(struct heard *h)
{
	line_finish(h->line);
}

static void test_it_connects_again(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = CONNECT_AGAIN};
	struct heard h = {.on_data = finish_input};

	/* The last command holds, and what the first one says is not waited for. */
	start(rig, &h, &order, "cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 4);
	assert_string_equal(buf_cstr(&h.out), "again\n");
	assert_int_equal(order.ran, 2);
	over(rig, &h, &order, 1);
}

static void stop(struct heard *h, unsigned what, const void *data, size_t len)
{
	(void)what, (void)data, (void)len;
	line_stop(h->line);
}

/* There is nothing that could be stopped, and what comes then is. */
static void test_stopped_between_two_connections(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = CONNECT_LATER};
	struct heard h = {.on_told = stop};

	start(rig, &h, &order, "true");
	rig_run(rig);
	heard_ended(&h, CONN_END_STOPPED, -1);
	assert_int_equal(h.told, 1);
	over(rig, &h, &order, 1);
}

/* Wherever the stop meets it: at the first connection, between the two, or at the second. */
static void test_stopped_while_it_connects_again(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = CONNECT_AGAIN};
	struct heard h = {.on_told = stop};

	start(rig, &h, &order, "cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_STOPPED, -1);
	over(rig, &h, &order, 1);
}

static void free_now(struct heard *h, unsigned what, const void *data, size_t len)
{
	(void)what, (void)data, (void)len;
	heard_free(h);
}

static void test_freed_while_it_connects_again(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = CONNECT_AGAIN};
	struct heard h = {.on_told = free_now};

	start(rig, &h, &order, "cat");
	rig_run(rig);
	assert_false(h.ended);
	over(rig, &h, &order, 1);
}

/* --- its life --------------------------------------------------------------------------------- */

static void test_a_new_one_for_each_attempt(void **state)
{
	struct rig *rig = rig_of(state);
	struct dropper dropper = {.left = 2};
	struct order order = {.errand = JUST_PASS};
	struct heard h = {0};

	dropper_start(&dropper, rig);
	start(rig, &h, &order, "echo here");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_string_equal(buf_cstr(&h.out), "here\n");
	assert_int_equal(order.ran, 1);
	over(rig, &h, &order, 3);
}

/* It never came to an attempt. */
static void test_none_at_all(void **state)
{
	struct rig *rig = rig_of(state);
	struct order order = {.errand = JUST_PASS};
	struct heard h = {0};

	start(rig, &h, &order, "echo here");
	heard_free(&h);
	over(rig, &h, &order, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_told_and_put_in_order),
		TEST(test_it_writes),
		TEST(test_it_ends_the_line),
		TEST(test_it_claims_the_end),
		TEST(test_it_connects_again),
		TEST(test_stopped_while_it_connects_again),
		TEST(test_stopped_between_two_connections),
		TEST(test_freed_while_it_connects_again),
		TEST(test_a_new_one_for_each_attempt),
		TEST(test_none_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Typed records, schemas and the streams that are not output, from messages to the two outputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "capture.h"
#include "limits.h"
#include "value.h"
#include "view.h"
#include "wire.h"

#define CHILD 8u

struct fixture {
	struct capture capture;
	struct loop *loop;
	struct out *out;
	struct view *view;
	struct record_batch batch;
	uint64_t seq;
	char progress[128];
};

static void on_progress(void *arg, uint64_t child, const char *text)
{
	struct fixture *f = arg;

	assert_int_equal(child, CHILD);
	(void)snprintf(f->progress, sizeof f->progress, "%s", text);
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	*state = f;
	f->loop = loop_new();
	capture_begin(&f->capture);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	view_free(f->view);
	out_free(f->out);
	loop_free(f->loop);
	record_batch_done(&f->batch);
	capture_end(&f->capture);
	free(f);
	return 0;
}

static void open_view(struct fixture *f, const struct view_look *look)
{
	static const struct out_events events = {0};
	struct view_options options;

	view_options_init(&options, look);
	options.progress = on_progress;
	options.progress_arg = f;
	f->out = out_new(f->loop, &events, f);
	f->view = view_new(&options, f->out, NULL);
	view_add_source(f->view, CHILD, 7, "a");
}

static void put_text(struct fixture *f, uint64_t stream, uint64_t flags, const char *text)
{
	struct record r = {.stream = stream,
			   .flags = flags,
			   .value = (const uint8_t *)text,
			   .len = strlen(text)};

	record_batch_add(&f->batch, &r);
}

/* A row [number, text]. */
static void put_row(struct fixture *f, uint64_t stream, uint64_t schema, uint64_t number,
		    const char *text)
{
	struct buf value = {0};
	struct record r = {.stream = stream, .is_typed = true, .nodes = 3, .schema = schema};

	wire_put_array(&value, 2);
	wire_put_u64(&value, number);
	wire_put_str(&value, text);
	r.value = value.data;
	r.len = value.len;
	record_batch_add(&f->batch, &r);
	buf_done(&value);
}

static int send_records(struct fixture *f, struct errmsg *msg)
{
	struct buf body = {0};
	int rc;

	records_put(&body, CHILD, f->seq + 1, &f->batch);
	f->seq += f->batch.count;
	record_batch_clear(&f->batch);
	rc = view_records(f->view, body.data, body.len, msg);
	buf_done(&body);
	return rc;
}

static void send_ok(struct fixture *f)
{
	struct errmsg msg = {{0}};

	if (send_records(f, &msg) != 0)
		fail_msg("%s", msg.text);
}

static void send_schema(struct fixture *f, uint64_t schema, char *first, char *second)
{
	char *columns[] = {first, second};
	struct schema_msg m = {.schema = schema, .columns = columns, .column_count = 2};
	struct errmsg msg = {{0}};
	struct buf body = {0};

	schema_put(&body, &m);
	if (view_schema(f->view, body.data, body.len, &msg) != 0)
		fail_msg("%s", msg.text);
	buf_done(&body);
}

static void shows(struct fixture *f, const char *out, const char *err)
{
	struct buf b = {0};

	view_close(f->view);
	assert_int_equal(out_close(f->out), 0);
	capture_read(&f->capture, 0, &b);
	assert_string_equal(buf_cstr(&b), out);
	capture_read(&f->capture, 1, &b);
	assert_string_equal(buf_cstr(&b), err);
	buf_done(&b);
}

static void rows_get_their_columns(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_text, .labels = true});
	send_schema(f, 9, "pid", "name");
	send_schema(f, 3, "size", "path");
	/* The first holds. */
	send_schema(f, 9, "x", "y");
	put_row(f, STREAM_OUTPUT, 9, 1, "init");
	put_row(f, STREAM_OUTPUT, 3, 7, "/x");
	put_row(f, STREAM_OUTPUT, 0, 5, "none");
	send_ok(f);
	shows(f, "a: pid=1 name=init\na: size=7 path=/x\na: [5,\"none\"]\n", "");
}

static void an_unknown_schema_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = {{0}};

	open_view(f, &(struct view_look){.format = &format_text});
	send_schema(f, 9, "pid", "name");
	put_row(f, STREAM_OUTPUT, 8, 1, "init");
	assert_int_equal(send_records(f, &msg), ERR_PROTO);
	assert_non_null(strstr(msg.text, "unknown schema"));
	assert_int_equal(view_schema(f->view, "\x91", 1, &msg), ERR_PROTO);
	shows(f, "", "");
}

static void tables_of_a_message_stand_in_columns(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_auto, .labels = true});
	send_schema(f, 1, "pid", "name");
	put_row(f, STREAM_OUTPUT, 1, 1, "init");
	put_row(f, STREAM_OUTPUT, 1, 31337, "x");
	send_ok(f);
	put_text(f, STREAM_OUTPUT, 0, "line");
	put_text(f, STREAM_ERROR, 0, "wrong");
	send_ok(f);
	shows(f,
	      "Host            pid  name\na                 1  init\na             31337  x\na: "
	      "line\n",
	      "a: wrong\n");
}

static void put_every_stream(struct fixture *f)
{
	static const char *const texts[STREAM_COUNT] = {"out",	 "err",	 "warn", "verb",
							"debug", "info", "half"};

	for (size_t i = 0; i < STREAM_COUNT; i++)
		put_text(f, i, 0, texts[i]);
	send_ok(f);
}

static void streams_in_a_text(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_text, .labels = true});
	put_every_stream(f);
	shows(f, "a: out\n", "a: err\na: WARNING: warn\na: INFO: info\n");
	assert_string_equal(f->progress, "half");
}

static void verbose_and_debug_are_asked_for(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_text, .verbose = true, .debug = true});
	put_every_stream(f);
	shows(f, "out\n", "err\nWARNING: warn\nVERBOSE: verb\nDEBUG: debug\nINFO: info\n");
}

static void chosen_streams_are_shown(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_text, .streams_chosen = true});
	put_text(f, STREAM_VERBOSE, 0, "verb");
	put_text(f, STREAM_PROGRESS, 0, "half");
	send_ok(f);
	shows(f, "", "VERBOSE: verb\nPROGRESS: half\n");
}

static void programs_get_every_stream(void **state)
{
	struct fixture *f = *state;
	struct buf got = {0};
	size_t lines = 0;

	open_view(f, &(struct view_look){.format = &format_jsonl});
	put_every_stream(f);
	assert_int_equal(out_close(f->out), 0);
	capture_read(&f->capture, 0, &got);
	for (size_t i = 0; i < got.len; i++)
		lines += got.data[i] == '\n';
	assert_int_equal(lines, STREAM_COUNT);
	assert_non_null(strstr(buf_cstr(&got), "\"stream\":\"progress\",\"seq\":7"));
	buf_done(&got);
}

/* Pieces of a line that was too long to be parsed, with a typed record of another line between. */
static void unparsed_pieces_are_one_line(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_jsonl});
	put_text(f, STREAM_OUTPUT, RECORD_UNPARSED | RECORD_CONTINUES, "{\"a");
	send_ok(f);
	put_row(f, STREAM_WARNING, 0, 1, "w");
	put_text(f, STREAM_OUTPUT, RECORD_UNPARSED, "bc");
	send_ok(f);
	shows(f,
	      "{\"host\":\"a\",\"job\":7,\"child\":8,\"stream\":\"warning\",\"seq\":2,\"time\":"
	      "null,"
	      "\"value\":[1,\"w\"]}\n"
	      "{\"host\":\"a\",\"job\":7,\"child\":8,\"stream\":\"output\",\"seq\":3,\"time\":null,"
	      "\"value\":{\"$error\":\"too long to be parsed\",\"$raw\":\"{\\\"abc\"}}\n",
	      "");
}

static void every_stream_has_its_own_long_line(void **state)
{
	struct fixture *f = *state;

	open_view(f, &(struct view_look){.format = &format_text});
	put_text(f, STREAM_OUTPUT, RECORD_CONTINUES, "O1 ");
	put_text(f, STREAM_WARNING, RECORD_CONTINUES, "W1 ");
	put_text(f, STREAM_VERBOSE, RECORD_CONTINUES, "V1 ");
	put_text(f, STREAM_OUTPUT, 0, "O2");
	put_text(f, STREAM_VERBOSE, 0, "V2");
	put_text(f, STREAM_WARNING, 0, "W2");
	send_ok(f);
	shows(f, "O1 O2\n", "WARNING: W1 W2\n");
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(rows_get_their_columns),
		VIEW_TEST(an_unknown_schema_is_an_error),
		VIEW_TEST(tables_of_a_message_stand_in_columns),
		VIEW_TEST(streams_in_a_text),
		VIEW_TEST(verbose_and_debug_are_asked_for),
		VIEW_TEST(chosen_streams_are_shown),
		VIEW_TEST(programs_get_every_stream),
		VIEW_TEST(unparsed_pieces_are_one_line),
		VIEW_TEST(every_stream_has_its_own_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

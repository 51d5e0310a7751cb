/* proto/control_msg.c: the values, defaults, limits and rules of GET, DO, RECEIVE and their kin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "limits.h"
#include "message.h"

/* Puts a message and reads it again, or fails with what was wrong. */
#define AGAIN(message, ret, m)                                             \
	do {                                                               \
		struct buf body_ = {0};                                    \
		struct errmsg msg_ = {""};                                 \
                                                                           \
		message##_put(&body_, m);                                  \
		assert_true(body_.len <= LIMIT_FRAME_BODY);                \
		if (message##_get(ret, body_.data, body_.len, &msg_) != 0) \
			fail_msg("%s", msg_.text);                         \
		buf_done(&body_);                                          \
	} while (0)

/* The same for one that must be refused with this code and these words. */
#define REFUSED(message, m, code, words)                                                    \
	do {                                                                                \
		struct buf body_ = {0};                                                     \
		struct errmsg msg_ = {""};                                                  \
		struct message##_msg got_, zero_;                                           \
                                                                                            \
		message##_put(&body_, m);                                                   \
		assert_int_equal(message##_get(&got_, body_.data, body_.len, &msg_), code); \
		if (!strstr(msg_.text, words))                                              \
			fail_msg("\"%s\" does not say \"%s\"", msg_.text, words);           \
		memset(&zero_, 0, sizeof zero_);                                            \
		assert_memory_equal(&got_, &zero_, sizeof zero_);                           \
		buf_done(&body_);                                                           \
	} while (0)

static void test_filter_values(void **state)
{
	char *selectors[] = {"12", "web*", ""};
	struct get_msg m = {{.selectors = selectors,
			     .selector_count = 3,
			     .state = "failed",
			     .more = FILTER_MORE_YES,
			     .command = "*up*",
			     .before_ns = 7,
			     .after_ns = 6,
			     .newest = 5,
			     .children = true,
			     .child_state = "Stopped"}};
	struct get_msg got;

	(void)state;
	AGAIN(get, &got, &m);
	assert_int_equal(got.filter.selector_count, 3);
	assert_string_equal(got.filter.selectors[1], "web*");
	assert_string_equal(got.filter.selectors[2], "");
	assert_string_equal(got.filter.state, "failed");
	assert_int_equal(got.filter.more, FILTER_MORE_YES);
	assert_string_equal(got.filter.command, "*up*");
	assert_int_equal(got.filter.before_ns, 7);
	assert_int_equal(got.filter.after_ns, 6);
	assert_int_equal(got.filter.newest, 5);
	assert_false(got.filter.all);
	assert_true(got.filter.children);
	assert_string_equal(got.filter.child_state, "Stopped");
	get_done(&got);
	m.filter.all = true;
	AGAIN(get, &got, &m);
	assert_true(got.filter.all);
	get_done(&got);
}

/* []: every job. [nil x 10, verb 2]: STOP of every job. */
static void test_absent_filters(void **state)
{
	static const struct filter_msg none;
	struct receive_msg receive;
	struct doing_msg doing;
	struct get_msg get;

	(void)state;
	assert_int_equal(get_get(&get, "\x90", 1, NULL), 0);
	assert_memory_equal(&get.filter, &none, sizeof none);
	assert_int_equal(receive_get(&receive, "\x90", 1, NULL), 0);
	assert_memory_equal(&receive.filter, &none, sizeof none);
	assert_false(receive.wait);
	assert_int_equal(receive.streams, 0);
	assert_null(receive.locations);
	assert_int_equal(
		doing_get(&doing, "\x9b\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\x02", 12, NULL), 0);
	assert_memory_equal(&doing.filter, &none, sizeof none);
	assert_int_equal(doing.verb, DO_STOP);
	assert_false(doing.force);
	assert_int_equal(doing.timeout_ms, 0);
	assert_null(doing.until);
}

static void test_filter_refusals(void **state)
{
	char word[CONTROL_WORD_MAX + 2];
	struct get_msg m = {{.more = FILTER_MORE_NO + 1}};
	struct get_msg got;

	(void)state;
	memset(word, 'w', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	REFUSED(get, &m, ERR_PROTO, "message GET: field filter.more: is 3, at most 2");
	m = (struct get_msg){{.state = word}};
	REFUSED(get, &m, ERR_LIMIT, "field filter.state: has size 65");
	m = (struct get_msg){{.child_state = word}};
	REFUSED(get, &m, ERR_LIMIT, "field filter.child_state: has size 65");
	/* Not a list; a list with a number in it, and one with a nil. */
	assert_int_equal(get_get(&got, "\x91\x05", 2, NULL), ERR_PROTO);
	assert_int_equal(get_get(&got, "\x91\x92\xa1\x61\x05", 5, NULL), ERR_PROTO);
	assert_int_equal(get_get(&got, "\x91\x92\xa1\x61\xc0", 5, NULL), ERR_PROTO);
	assert_null(got.filter.selectors);
}

static void test_filter_limits(void **state)
{
	char **many = xcalloc(CONTROL_IDS_MAX + 1, sizeof *many);
	char *longest = xmalloc(CONTROL_IDS_BYTES), *two[2];
	struct get_msg m = {{.selectors = many, .selector_count = CONTROL_IDS_MAX}}, got;
	struct doing_msg doing = {.verb = DO_REMOVE};
	struct receive_msg receive = {.keep = true};

	(void)state;
	for (size_t i = 0; i <= CONTROL_IDS_MAX; i++)
		many[i] = "18446744073709551615";
	AGAIN(get, &got, &m);
	assert_int_equal(got.filter.selector_count, CONTROL_IDS_MAX);
	get_done(&got);
	m.filter.selector_count++;
	REFUSED(get, &m, ERR_LIMIT, "field filter.selectors: has size 4097, at most 4096");

	/* Three of nearly a third each: the NUL of each counts. */
	memset(longest, 's', CONTROL_IDS_BYTES);
	longest[CONTROL_IDS_BYTES / 3 - 1] = '\0';
	for (size_t i = 0; i < 3; i++)
		many[i] = longest;
	m.filter.selector_count = 3;
	AGAIN(get, &got, &m);
	get_done(&got);
	many[3] = "x";
	m.filter.selector_count = 4;
	REFUSED(get, &m, ERR_LIMIT, "field filter.selectors: are longer than 256 KiB in all");
	doing.filter = m.filter;
	REFUSED(doing, &doing, ERR_LIMIT, "message DO: field filter.selectors: are longer");
	receive.filter = m.filter;
	REFUSED(receive, &receive, ERR_LIMIT, "message RECEIVE: field filter.selectors: are");
	receive = (struct receive_msg){.locations = many, .location_count = 4};
	REFUSED(receive, &receive, ERR_LIMIT, "field locations: are longer than 256 KiB");
	receive.location_count = CONTROL_IDS_MAX + 1;
	REFUSED(receive, &receive, ERR_LIMIT, "field locations: has size 4097");

	longest[CONTROL_IDS_BYTES / 3 - 1] = 's';
	longest[LIMIT_COMMAND + 1] = '\0';
	two[0] = "a";
	two[1] = longest;
	m = (struct get_msg){{.selectors = two, .selector_count = 2}};
	REFUSED(get, &m, ERR_LIMIT, "field filter.selectors: has size 122881");
	m = (struct get_msg){{.command = longest}};
	REFUSED(get, &m, ERR_LIMIT, "field filter.command: has size 122881");
	free(longest);
	free(many);
}

static void test_do_verbs(void **state)
{
	struct doing_msg m = {.once = true, .until = "Suspended", .timeout_ms = 5}, got;

	(void)state;
	for (m.verb = DO_WAIT; m.verb < DO_VERB_COUNT; m.verb++) {
		m.throttle = m.verb == DO_SET ? LIMIT_HOSTS : 0;
		AGAIN(doing, &got, &m);
		assert_int_equal(got.throttle, m.throttle);
		assert_int_equal(got.verb, m.verb);
		assert_true(got.once);
		assert_false(got.any);
		assert_string_equal(got.until, "Suspended");
		assert_int_equal(got.timeout_ms, 5);
		doing_done(&got);
	}
	/* They travel, so that they stay as docs/protocol.md, section 7.5, has them. */
	assert_int_equal(DO_WAIT, 1);
	assert_int_equal(DO_STOP, 2);
	assert_int_equal(DO_REMOVE, 3);
	assert_int_equal(DO_SUSPEND, 4);
	assert_int_equal(DO_RESUME, 5);
	assert_int_equal(DO_SET, 6);
	m.throttle = 0;
	REFUSED(doing, &m, ERR_PROTO, "message DO: field verb: is none");
	m.verb = 0;
	REFUSED(doing, &m, ERR_PROTO, "field verb: is none");
	m.verb = UINT64_MAX;
	REFUSED(doing, &m, ERR_PROTO, "field verb: is none");
	m = (struct doing_msg){.verb = DO_WAIT, .timeout_ms = CONTROL_MS_MAX + 1};
	REFUSED(doing, &m, ERR_PROTO, "field timeout_ms: is 9223372036855");
	m = (struct doing_msg){.verb = DO_SET};
	REFUSED(doing, &m, ERR_PROTO, "field throttle: goes with verb 6");
	m = (struct doing_msg){.verb = DO_STOP, .throttle = 1};
	REFUSED(doing, &m, ERR_PROTO, "field throttle: goes with verb 6");
	m = (struct doing_msg){.verb = DO_SET, .throttle = LIMIT_HOSTS + 1};
	REFUSED(doing, &m, ERR_PROTO, "field throttle: is 1000001");
	assert_int_equal(doing_get(&got, "\x90", 1, NULL), ERR_PROTO);
}

/* What does not go together is refused before any work. */
static void test_receive_rules(void **state)
{
	static const struct {
		bool keep, wait, remove, events;
		const char *words; /* NULL: fine */
	} rows[] = {
		{false, false, false, false, NULL},
		{true, false, false, false, NULL},
		{false, true, false, false, NULL},
		{false, true, true, true, NULL},
		{true, true, false, false, "field keep: does not go with wait"},
		{true, true, true, true, "field keep: does not go with wait"},
		{false, false, true, false, "field remove: needs wait"},
		{true, false, true, false, "field remove: needs wait"},
		{false, false, false, true, "field events: needs wait"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct receive_msg m = {.keep = rows[i].keep,
					.wait = rows[i].wait,
					.remove = rows[i].remove,
					.events = rows[i].events};
		struct receive_msg got;

		if (rows[i].words) {
			REFUSED(receive, &m, ERR_PROTO, rows[i].words);
			continue;
		}
		AGAIN(receive, &got, &m);
		assert_int_equal(got.keep, rows[i].keep);
		assert_int_equal(got.wait, rows[i].wait);
		assert_int_equal(got.remove, rows[i].remove);
		assert_int_equal(got.events, rows[i].events);
		receive_done(&got);
	}
}

static void test_receive_values(void **state)
{
	char *locations[] = {"web1", "db1"};
	struct receive_msg m = {.locations = locations,
				.location_count = 2,
				.streams = 1u << STREAM_ERROR | 1u << STREAM_PROGRESS,
				.by_time = true};
	struct receive_msg got;

	(void)state;
	AGAIN(receive, &got, &m);
	assert_int_equal(got.location_count, 2);
	assert_string_equal(got.locations[1], "db1");
	assert_int_equal(got.streams, 66);
	assert_true(got.by_time);
	assert_false(got.no_recurse);
	assert_false(got.job_rows);
	receive_done(&got);
	m = (struct receive_msg){.streams = 128};
	REFUSED(receive, &m, ERR_PROTO, "field streams: is 128, at most 127");
	m = (struct receive_msg){.timeout_ms = CONTROL_MS_MAX + 1};
	REFUSED(receive, &m, ERR_PROTO, "field timeout_ms: ");
}

static void test_source(void **state)
{
	char label[CONTROL_LABEL_MAX + 2];
	struct source_msg m = {13, 12, label, NULL}, got;

	(void)state;
	memset(label, 'l', sizeof label - 1);
	label[sizeof label - 1] = '\0';
	REFUSED(source, &m, ERR_LIMIT, "message SOURCE: field host: has size 601");
	label[CONTROL_LABEL_MAX] = '\0';
	AGAIN(source, &got, &m);
	assert_int_equal(got.child, 13);
	assert_int_equal(got.job, 12);
	assert_string_equal(got.host, label);
	assert_null(got.instance_id);
	source_done(&got);
	m.host = "";
	REFUSED(source, &m, ERR_PROTO, "field host: is required");
	assert_int_equal(source_get(&got, "\x92\x0d\x0c", 3, NULL), ERR_PROTO);
	assert_int_equal(source_get(&got, "\x93\x0d\xc0\xa1h", 5, NULL), ERR_PROTO);
}

static void test_received(void **state)
{
	struct received_msg m = {13, UINT64_MAX}, got;
	struct errmsg msg = {""};

	(void)state;
	AGAIN(received, &got, &m);
	assert_int_equal(got.child, 13);
	assert_true(got.seq == UINT64_MAX);
	assert_int_equal(received_get(&got, "\x91\x0d", 2, &msg), ERR_PROTO);
	assert_string_equal(msg.text, "message RECEIVED: field seq: is missing");
	assert_int_equal(received_get(&got, "\x92\x0d\xff", 3, NULL), ERR_PROTO);
	assert_int_equal(received_get(&got, "\x92\xc0\x01", 3, NULL), ERR_PROTO);
}

static void test_ends_and_problems(void **state)
{
	char *text = xmalloc(LIMIT_OPTION_TEXT * 2);
	struct problem_msg m = {2, text}, got;
	struct receive_end_msg receive_end;
	struct get_end_msg get_end;

	(void)state;
	assert_int_equal(get_end_get(&get_end, "\x90", 1, NULL), 0);
	assert_false(get_end.timed_out);
	assert_int_equal(get_end_get(&get_end, "\x91\xc3", 2, NULL), 0);
	assert_true(get_end.timed_out);
	assert_int_equal(get_end_get(&get_end, "\x91\x01", 2, NULL), ERR_PROTO);
	assert_int_equal(receive_end_get(&receive_end, "\x91\xc3", 2, NULL), 0);
	assert_true(receive_end.timed_out);
	assert_int_equal(receive_end_get(&receive_end, "\x91\xa0", 2, NULL), ERR_PROTO);

	/* A text for people is cut, not refused. */
	memset(text, 'p', LIMIT_OPTION_TEXT * 2 - 1);
	text[LIMIT_OPTION_TEXT * 2 - 1] = '\0';
	AGAIN(problem, &got, &m);
	assert_int_equal(got.exit_status, 2);
	assert_int_equal(strlen(got.text), LIMIT_OPTION_TEXT);
	problem_done(&got);
	m = (struct problem_msg){.exit_status = 256};
	REFUSED(problem, &m, ERR_PROTO, "message PROBLEM: field exit_status: is 256, at most 255");
	assert_int_equal(problem_get(&got, "\x90", 1, NULL), 0);
	assert_int_equal(got.exit_status, 0);
	assert_null(got.text);
	free(text);
}

static void test_row_of_a_job(void **state)
{
	struct get_row_msg m = {.id = 1,
				.state = "Failed",
				.exit_code = -1,
				.progress = "1/3 failed: db1 (exited 2)",
				.exit_status = 5};
	struct get_row_msg got;

	(void)state;
	AGAIN(get_row, &got, &m);
	assert_string_equal(got.progress, "1/3 failed: db1 (exited 2)");
	assert_int_equal(got.exit_status, 5);
	assert_int_equal(got.exit_code, -1);
	assert_null(got.children);
	get_row_done(&got);
	m.exit_status = 256;
	REFUSED(get_row, &m, ERR_PROTO, "field exit_status: is 256, at most 255");
}

/* Who may say what. */
static void test_senders(void **state)
{
	static const uint8_t client[] = {MSG_GET, MSG_DO, MSG_RECEIVE, MSG_RECEIVED};
	static const uint8_t daemon[] = {MSG_GET_ROW, MSG_GET_END, MSG_PROBLEM, MSG_SOURCE,
					 MSG_RECEIVE_END};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(client); i++) {
		assert_true(message_may_send(client[i], MSG_FROM_C));
		assert_false(message_may_send(client[i], MSG_FROM_D));
	}
	for (size_t i = 0; i < ARRAY_LEN(daemon); i++) {
		assert_true(message_may_send(daemon[i], MSG_FROM_D));
		assert_false(message_may_send(daemon[i], MSG_FROM_C));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_values),	cmocka_unit_test(test_absent_filters),
		cmocka_unit_test(test_filter_refusals), cmocka_unit_test(test_filter_limits),
		cmocka_unit_test(test_do_verbs),	cmocka_unit_test(test_receive_rules),
		cmocka_unit_test(test_receive_values),	cmocka_unit_test(test_source),
		cmocka_unit_test(test_received),	cmocka_unit_test(test_ends_and_problems),
		cmocka_unit_test(test_row_of_a_job),	cmocka_unit_test(test_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

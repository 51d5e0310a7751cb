/* Files from a host that is not to be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "content.h"
#include "copy_msg.h"
#include "copy_pull.h"
#include "file_entry.h"
#include "message.h"
#include "sink.h"

#define WINDOW 65536u

struct scene {
	struct loop *loop;
	struct work_pool *pool;
	struct copy_pull *pull;
	char folder[64];
	unsigned frames;
	unsigned said;
	bool settled;
	bool failed;
	bool by_host;
	char text[256];
};

static void on_send(void *arg, struct buf *frame)
{
	struct scene *s = arg;

	s->frames++;
	buf_clear(frame);
	loop_stop(s->loop);
}

static void on_say(void *arg, bool is_error, const char *name, const char *text)
{
	struct scene *s = arg;

	(void)name;
	s->said += is_error;
	(void)snprintf(s->text, sizeof s->text, "%s", text);
}

static void on_settled(void *arg)
{
	struct scene *s = arg;

	s->settled = true;
	loop_stop(s->loop);
}

static void on_failed(void *arg, bool is_host, const char *text)
{
	struct scene *s = arg;

	s->failed = true;
	s->by_host = is_host;
	(void)snprintf(s->text, sizeof s->text, "%s", text);
	loop_stop(s->loop);
}

static void scene_pull(struct scene *s, const char *folder)
{
	static const struct copy_pull_ops ops = {on_send, on_say, on_settled, on_failed};
	struct copy_pull_spec spec = {.folder = folder,
				      .name = "h1",
				      .pool = s->pool,
				      .window = WINDOW,
				      .ops = &ops,
				      .arg = s};

	s->pull = copy_pull_new(&spec);
	copy_pull_begin(s->pull, 1);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->loop = loop_new();
	s->pool = work_pool_new(s->loop, "test", 1);
	(void)strcpy(s->folder, "/tmp/test_pull.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	scene_pull(s, s->folder);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	char *command = xasprintf("rm -rf %s", s->folder);

	copy_pull_free(s->pull);
	work_pool_free(s->pool, 60000);
	loop_free(s->loop);
	assert_int_equal(system(command), 0);
	free(command);
	free(s);
	return 0;
}

static int frame(struct scene *s, uint8_t type, const struct buf *body)
{
	struct frame f = {.type = type, .body = body->data, .len = body->len};
	struct errmsg msg;

	return copy_pull_on_frame(s->pull, &f, &msg);
}

static int entry(struct scene *s, uint64_t index, uint64_t kind, const char *name, uint64_t size)
{
	struct copy_entry_msg m = {.task = 1,
				   .index = index,
				   .kind = kind,
				   .name = (char *)(uintptr_t)name,
				   .mode = 0600,
				   .size = size,
				   .text = (char *)(uintptr_t)(kind == FILE_PLAIN ? NULL : "..")};
	struct buf body = {0};
	int rc;

	copy_entry_put(&body, &m);
	rc = frame(s, MSG_COPY_ENTRY, &body);
	buf_done(&body);
	return rc;
}

static int bytes(struct scene *s, uint64_t index, char *text)
{
	struct content *content = content_new();
	uint8_t hash[CONTENT_SIZE];
	struct copy_data_msg m = {.task = 1,
				  .index = index,
				  .data = (uint8_t *)text,
				  .len = strlen(text),
				  .end = true,
				  .hash = hash,
				  .hash_len = sizeof hash};
	struct buf body = {0};
	int rc;

	content_add(content, text, strlen(text));
	content_end(content, hash);
	content_free(content);
	copy_data_put(&body, &m);
	rc = frame(s, MSG_COPY_DATA, &body);
	buf_done(&body);
	return rc;
}

static bool is_there(const struct scene *s, const char *name)
{
	char *path = xasprintf("%s/%s", s->folder, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void a_file_comes(void **state)
{
	struct scene *s = *state;
	char text[] = "hello";

	assert_int_equal(entry(s, 1, FILE_PLAIN, "f", 5), 0);
	loop_run(s->loop);
	assert_int_equal(bytes(s, 1, text), 0);
	copy_pull_end(s->pull);
	while (!s->settled)
		loop_run(s->loop);
	assert_int_equal(copy_pull_tally(s->pull)->files, 1);
	assert_int_equal(copy_pull_tally(s->pull)->bytes, 5);
	assert_true(is_there(s, "h1/f"));
	assert_int_equal(s->said, 0);
}

static void a_name_that_leads_out_ends_it(void **state)
{
	struct scene *s = *state;

	assert_int_equal(entry(s, 1, FILE_PLAIN, "../out", 5), 0);
	loop_run(s->loop);
	assert_true(s->failed && s->by_host);
	assert_false(is_there(s, "out"));
}

static void no_file_through_a_link(void **state)
{
	struct scene *s = *state;

	assert_int_equal(entry(s, 1, FILE_LINK, "way", 0), 0);
	assert_int_equal(entry(s, 2, FILE_PLAIN, "way/out", 5), 0);
	copy_pull_end(s->pull);
	while (!s->settled)
		loop_run(s->loop);
	assert_int_equal(copy_pull_tally(s->pull)->failed, 1);
	assert_non_null(strstr(s->text, "no folder"));
	assert_false(is_there(s, "out"));
}

static void an_end_before_the_end_is_told(void **state)
{
	struct scene *s = *state;

	assert_int_equal(entry(s, 1, FILE_PLAIN, "f", 5), 0);
	copy_pull_end(s->pull);
	while (!s->settled)
		loop_run(s->loop);
	assert_int_equal(s->said, 1);
	assert_int_equal(copy_pull_tally(s->pull)->failed, 1);
	assert_false(is_there(s, "h1/f"));
}

/* Nothing is taken from the loop meanwhile, so that all of it waits. */
static void more_than_the_window_is_refused(void **state)
{
	struct scene *s = *state;
	char *name = xcalloc(1, 4001);
	int rc = 0;
	uint64_t i;

	(void)memset(name, 'a', 4000);
	for (i = 1; rc == 0 && i < 10000; i++)
		rc = entry(s, i, FILE_TROUBLE, name, 0);
	assert_int_equal(rc, ERR_PROTO);
	assert_true(i < 2000);
	free(name);
}

static void the_folder_here_may_fail(void **state)
{
	struct scene *s = *state;

	copy_pull_free(s->pull);
	scene_pull(s, "/dev/null/no");
	assert_int_equal(entry(s, 1, FILE_PLAIN, "f", 5), 0);
	loop_run(s->loop);
	assert_true(s->failed && !s->by_host);
	assert_non_null(strstr(s->text, "/dev/null/no"));
}

static void only_messages_of_a_copy(void **state)
{
	struct scene *s = *state;
	struct copy_credit_msg m = {.task = 1, .bytes = 1};
	struct buf body = {0};

	copy_credit_put(&body, &m);
	assert_int_equal(frame(s, MSG_COPY_CREDIT, &body), ERR_PROTO);
	buf_done(&body);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_file_comes),
		TEST(a_name_that_leads_out_ends_it),
		TEST(no_file_through_a_link),
		TEST(an_end_before_the_end_is_told),
		TEST(more_than_the_window_is_refused),
		TEST(the_folder_here_may_fail),
		TEST(only_messages_of_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

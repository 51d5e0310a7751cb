/* What a command is given and what comes back, with every build of the agent. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

static struct rig rig;

static int begin(void **state)
{
	(void)state;
	rig_start(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(rig_done(&rig), 0);
	return 0;
}

static void assert_exit(struct rig_task *t, int code)
{
	if (t->end.kind != TASK_EXITED)
		fail_msg("kind %d: %s", (int)t->end.kind, t->end.text ? t->end.text : "");
	assert_int_equal(t->end.exit_code, code);
	assert_true(t->end.began);
	assert_false(t->end.pipes_open);
}

static void assert_output(struct rig_task *t, const char *text)
{
	assert_string_equal(rig_text(t, STREAM_OUTPUT), text);
}

static void hello_says_who_it_is(void **state)
{
	(void)state;
	assert_true(strlen(rig.arch) > 0);
	assert_int_equal(rig.uid, getuid());
}

static void argv_is_exact(void **state)
{
	char all[256], blanks[] = "  a  'b' \"c\" $HOME `x` \\ * ", empty[] = "";
	char sh[] = "sh", c[] = "-c", zero[] = "zero",
	     script[] = "for a; do printf '%s\\0' \"$a\"; done";
	char *argv[] = {sh, c, script, zero, all, blanks, empty};
	struct task_open_msg open = rig_shell("");
	struct rig_task *t;

	(void)state;
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	open.argv = argv;
	open.argc = 7;
	open.parse = PARSE_RAW;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_exit(t, 0);
	assert_int_equal(t->values.len, sizeof all + sizeof blanks + sizeof empty);
	assert_memory_equal(t->values.data, all, sizeof all);
	assert_memory_equal(t->values.data + sizeof all, blanks, sizeof blanks);
}

static void exit_codes_come_back(void **state)
{
	(void)state;
	assert_exit(rig_run(&rig, "exit 0"), 0);
	assert_exit(rig_run(&rig, "exit 7"), 7);
	assert_exit(rig_run(&rig, "exit 255"), 255);
}

static void signals_come_back(void **state)
{
	struct rig_task *t = rig_run(&rig, "kill -TERM $$");

	(void)state;
	assert_int_equal(t->end.kind, TASK_SIGNALLED);
	assert_string_equal(t->end.signal, "TERM");
	assert_int_equal(t->end.exit_code, -1);
	t = rig_run(&rig, "kill -KILL $$");
	assert_string_equal(t->end.signal, "KILL");
}

static void streams_are_apart_and_in_order(void **state)
{
	struct rig_task *t = rig_run(&rig, "echo one; echo two; echo bad >&2; printf end");

	(void)state;
	assert_exit(t, 0);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "one\ntwo\nend");
	assert_string_equal(rig_text(t, STREAM_ERROR), "bad\n");
}

static void environment_is_that_of_a_login(void **state)
{
	char over[] = "PATH=/usr/bin:/bin", own[] = "WHAT=a b=c", *env[] = {over, own};
	struct task_open_msg open =
		rig_shell("echo \"$WHAT|$PATH|$MUSTER_RUN|$MUSTER_FD|$RIG_LOGIN\"; pwd; "
			  "echo \"$HOME\"");
	struct rig_task *t;
	char *expected, home[4096];

	(void)state;
	open.env = env;
	open.env_count = 2;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_non_null(realpath(getenv("HOME"), home));
	expected = xasprintf("a b=c|/usr/bin:/bin|%s|3|of the login\n%s\n%s\n", open.instance, home,
			     getenv("HOME"));
	assert_output(t, expected);
	free(expected);
}

static void directory_is_entered(void **state)
{
	char there[] = "/usr", nowhere[] = "/nowhere/at all";
	struct task_open_msg open = rig_shell("pwd");
	struct rig_task *t;

	(void)state;
	open.directory = there;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_output(t, "/usr\n");
	open.directory = nowhere;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_REFUSED);
	assert_false(t->end.began);
	assert_false(t->running);
	assert_non_null(strstr(t->end.text, "/nowhere/at all"));
}

static void no_command_is_said_as_by_a_shell(void **state)
{
	char none[] = "no-such-command-here", denied[] = "/etc/passwd", *argv[] = {none};
	struct task_open_msg open = rig_shell("");
	struct rig_task *t;

	(void)state;
	open.argv = argv;
	open.argc = 1;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_exit(t, 127);
	assert_string_equal(rig_text(t, STREAM_ERROR),
			    "muster: cannot run 'no-such-command-here': not found\n");
	argv[0] = denied;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_exit(t, 126);
}

static struct rig_task *run_script(const char *text, char **argv, size_t argc)
{
	char name[] = "my script";
	struct task_open_msg open = rig_shell("");
	struct rig_task *t;

	open.argv = argv;
	open.argc = argc;
	open.script = (uint8_t *)(uintptr_t)text;
	open.script_len = strlen(text);
	open.script_name = name;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	return t;
}

static void script_runs_with_its_arguments(void **state)
{
	char a[] = "a b", b[] = "", *argv[] = {a, b};
	struct rig_task *t;

	(void)state;
	t = run_script("#!/bin/sh\necho \"$# [$1] [$2]\"\nexit 3\n", argv, 2);
	assert_output(t, "2 [a b] []\n");
	assert_exit(t, 3);
	t = run_script("echo \"no interpreter, $#\"\n", argv, 2);
	assert_output(t, "no interpreter, 2\n");
	assert_exit(run_script("", NULL, 0), 0);
	t = run_script("#!/no/such/interpreter\n", NULL, 0);
	assert_exit(t, 127);
	assert_non_null(strstr(rig_text(t, STREAM_ERROR), "my script"));
}

static void stdin_is_empty_without_input(void **state)
{
	struct rig_task *t = rig_run(&rig, "cat; readlink /proc/self/fd/0");

	(void)state;
	assert_output(t, "/dev/null\n");
}

struct room {
	struct rig_task *task;
	uint64_t taken;
};

static bool has_taken(struct rig *r, void *arg)
{
	const struct room *room = arg;

	(void)r;
	return room->task->ended || room->task->taken >= room->taken;
}

/* Sends n bytes of a pattern as an initiator does, never more than fits there. */
static void feed(struct rig_task *t, size_t n)
{
	static char piece[LIMIT_STDIN_PIECE];
	size_t sent = 0;

	for (size_t i = 0; i < sizeof piece; i++)
		piece[i] = (char)('a' + i % 26);
	while (sent < n) {
		size_t len = n - sent < sizeof piece ? n - sent : sizeof piece;
		struct room room = {t, sent + len > (256u << 10) ? sent + len - (256u << 10) : 0};

		rig_wait(&rig, has_taken, &room);
		if (t->ended)
			return;
		rig_stdin(&rig, t, piece, len, false);
		sent += len;
	}
	rig_stdin(&rig, t, NULL, 0, true);
}

static void stdin_reaches_the_command(void **state)
{
	struct task_open_msg open = rig_shell("wc -c; exit 4");
	struct rig_task *t;

	(void)state;
	open.stdin_follows = true;
	t = rig_open(&rig, &open);
	feed(t, 3000000);
	rig_wait_end(&rig, t);
	assert_int_equal(strtol(rig_text(t, STREAM_OUTPUT), NULL, 10), 3000000);
	assert_int_equal(t->taken, 3000000);
	assert_exit(t, 4);
}

static void stdin_that_nobody_reads_is_taken(void **state)
{
	struct task_open_msg open = rig_shell("exec 0<&-; echo closed; read x <&3; sleep 30");
	struct rig_task *t;
	struct room room;

	(void)state;
	open.stdin_follows = true;
	t = rig_open(&rig, &open);
	rig_wait_output(&rig, t, "closed");
	feed(t, 1000000);
	room = (struct room){t, 1000000};
	rig_wait(&rig, has_taken, &room);
	assert_int_equal(t->taken, 1000000);
	rig_signal(&rig, t, TASK_KILL);
	rig_wait_end(&rig, t);
}

static void pty_is_a_terminal(void **state)
{
	struct task_open_msg open = rig_shell("test -t 0 && test -t 1 && test -t 2 && echo tty "
					      "$TERM; echo to error >&2; cat; stty size; exit 5");
	struct rig_task *t;

	(void)state;
	open.pty = true;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_output(t, "tty dumb\nto error\n24 80\n");
	assert_string_equal(rig_text(t, STREAM_ERROR), "");
	assert_exit(t, 5);
}

static void pty_takes_input(void **state)
{
	struct task_open_msg open = rig_shell("cat");
	struct rig_task *t;

	(void)state;
	open.pty = true;
	open.stdin_follows = true;
	t = rig_open(&rig, &open);
	rig_stdin(&rig, t, "one\nhalf", 8, true);
	rig_wait_end(&rig, t);
	assert_output(t, "one\nhalf");
	assert_exit(t, 0);
}

/* Every byte in every place of a block, and more of it than any buffer holds. */
static void raw_is_identical(void **state)
{
	struct task_open_msg open = rig_shell("head -c 3000001 /dev/urandom | tee \"$COPY\"");
	char path[] = "/tmp/muster-raw-XXXXXX", *env[1];
	struct rig_task *t;
	struct buf file = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	env[0] = xasprintf("COPY=%s", path);
	open.env = env;
	open.env_count = 1;
	open.parse = PARSE_RAW;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(fd_read_file(&file, path, 4000000), 0);
	(void)unlink(path);
	assert_int_equal(file.len, 3000001);
	assert_int_equal(t->values.len, file.len);
	assert_memory_equal(t->values.data, file.data, file.len);
	buf_done(&file);
	free(env[0]);
}

static struct rig_task *run_parse(enum agent_parse parse, const char *argument, const char *script)
{
	struct task_open_msg open = rig_shell(script);
	struct rig_task *t;

	open.parse = parse;
	open.parse_argument = (char *)(uintptr_t)argument;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	return t;
}

static void output_is_parsed(void **state)
{
	struct rig_task *t;

	(void)state;
	t = run_parse(PARSE_CSV, NULL, "printf 'a,b\\n1,x\\n2,y\\n'");
	assert_string_equal(t->columns, "a,b");
	assert_int_equal(t->count, 2);
	assert_true(t->records[1].is_typed && t->records[1].schema == 1);
	t = run_parse(PARSE_JSONL, NULL, "echo '{\"a\":1}'; echo nonsense; echo '[2]'");
	assert_int_equal(t->count, 3);
	assert_true(t->records[0].is_typed);
	assert_true(t->records[1].flags & RECORD_UNPARSED);
	t = run_parse(PARSE_NUL, NULL, "printf 'a\\nb\\0c\\0'");
	assert_int_equal(t->count, 2);
	t = run_parse(PARSE_REGEX, "(unclosed", "echo x");
	assert_int_equal(t->end.kind, TASK_REFUSED);
	assert_true(t->end.text && t->end.text[0]);
}

static void fd3_carries_records(void **state)
{
	struct rig_task *t =
		rig_run(&rig, "echo '{\"stream\":\"warning\",\"value\":\"careful\"}' >&$MUSTER_FD;"
			      "echo '{\"progress\":{\"percent\":5}}' >&3;"
			      "echo '{\"stream\":\"output\",\"value\":[1,2]}' >&3;"
			      "echo '{\"stream\":\"error\",\"value\":1}' >&3;"
			      "echo not json >&3; sleep 0; echo done");

	(void)state;
	assert_exit(t, 0);
	assert_string_equal(rig_text(t, STREAM_OUTPUT), "done\n");
	assert_int_equal(t->count, 6);
	assert_non_null(strstr(rig_text(t, STREAM_WARNING), "careful\n"));
	assert_non_null(strstr(rig_text(t, STREAM_WARNING), "no such stream"));
	assert_non_null(strstr(rig_text(t, STREAM_WARNING), "not json"));
	for (size_t i = 0; i < t->count; i++)
		if (t->records[i].stream == STREAM_PROGRESS)
			assert_true(t->records[i].is_typed);
}

static void fd3_warnings_are_bounded(void **state)
{
	struct rig_task *t = rig_run(&rig, "seq 1 5000 | sed 's/^/x/' >&3");

	(void)state;
	assert_exit(t, 0);
	assert_int_equal(t->count, 101);
	assert_non_null(strstr(rig_text(t, STREAM_WARNING), "not shown"));
}

static void nice_is_set(void **state)
{
	struct task_open_msg open = rig_shell("nice");
	struct rig_task *t;
	long base;

	(void)state;
	base = strtol(rig_text(rig_run(&rig, "nice"), STREAM_OUTPUT), NULL, 10);
	open.nice = 3;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(strtol(rig_text(t, STREAM_OUTPUT), NULL, 10), base + 3);
}

static void no_descriptor_leaks_into_the_command(void **state)
{
	struct rig_task *t = rig_run(&rig, "ls /proc/self/fd");

	(void)state;
	/* 0 to 3, and the one of the folder that ls reads. */
	assert_output(t, "0\n1\n2\n3\n4\n");
}

static void a_long_line_travels_in_pieces(void **state)
{
	struct rig_task *t = rig_run(&rig, "head -c 200000 /dev/zero | tr '\\0' x; echo");

	(void)state;
	assert_exit(t, 0);
	assert_int_equal(t->streams[STREAM_OUTPUT].len, 200001);
	assert_true(t->records[0].flags & RECORD_CONTINUES);
	assert_false(t->records[t->count - 1].flags & RECORD_CONTINUES);
}

static void output_above_the_limit_ends_it(void **state)
{
	struct task_open_msg open = rig_shell("yes");
	struct rig_task *t;

	(void)state;
	open.output_limit = 1000;
	t = rig_open(&rig, &open);
	rig_wait_end(&rig, t);
	assert_int_equal(t->end.kind, TASK_LIMIT);
	assert_int_equal(t->streams[STREAM_OUTPUT].len, 1000);
}

static void usage_is_told(void **state)
{
	struct rig_task *t = rig_run(&rig, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");

	(void)state;
	assert_true(t->end.user_us + t->end.system_us > 0);
	assert_true(t->end.max_rss > 0);
	assert_true(t->end.begin_ns > 0 && t->end.end_ns >= t->end.begin_ns);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_says_who_it_is),
		TEST(argv_is_exact),
		TEST(exit_codes_come_back),
		TEST(signals_come_back),
		TEST(streams_are_apart_and_in_order),
		TEST(environment_is_that_of_a_login),
		TEST(directory_is_entered),
		TEST(no_command_is_said_as_by_a_shell),
		TEST(script_runs_with_its_arguments),
		TEST(stdin_is_empty_without_input),
		TEST(stdin_reaches_the_command),
		TEST(stdin_that_nobody_reads_is_taken),
		TEST(pty_is_a_terminal),
		TEST(pty_takes_input),
		TEST(raw_is_identical),
		TEST(output_is_parsed),
		TEST(fd3_carries_records),
		TEST(fd3_warnings_are_bounded),
		TEST(nice_is_set),
		TEST(no_descriptor_leaks_into_the_command),
		TEST(a_long_line_travels_in_pieces),
		TEST(output_above_the_limit_ends_it),
		TEST(usage_is_told),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	(void)setenv("RIG_LOGIN", "of the login", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Exec texts through every login shell that is installed: argv must come back byte for byte. And
 * the text that ends what a run has started, on real processes (test_command_kill.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "command.h"
#include "limits.h"
#include "programs.h"

#define RUN_ID	  "0123-abcd"
#define PRINT	  "--print-argv"
#define ARGS_MOST 64u

static char home[] = "/tmp/muster-command-XXXXXX";
static char self[4096];

static const struct shell {
	const char *argv[3]; /* before "-c" */
	bool is_csh;
} shells[] = {
	{{"sh"}, false},   {{"dash"}, false},	       {{"bash"}, false}, {{"zsh"}, false},
	{{"fish"}, false}, {{"ksh93"}, false},	       {{"mksh"}, false}, {{"tcsh"}, true},
	{{"csh"}, true},   {{"busybox", "sh"}, false},
};

static bool present[ARRAY_LEN(shells)];

static int set_up(void **state)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)state;
	if (n <= 0 || !mkdtemp(home))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		present[i] = program_find(shells[i].argv[0]);
	/* What the user's own shell would read at its start is another matter. */
	(void)setenv("HOME", home, 1);
	(void)unsetenv("ENV");
	(void)unsetenv("BASH_ENV");
	(void)unsetenv("ZDOTDIR");
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_DATA_HOME");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(home);
	return 0;
}

/* As sshd does it: SHELL -c TEXT. */
static int shell_run(const struct shell *shell, const char *text, struct buf *out)
{
	const char *argv[5];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(shell->argv) && shell->argv[i]; i++)
		argv[n++] = shell->argv[i];
	argv[n++] = "-c";
	argv[n++] = text;
	argv[n] = NULL;
	return program_run(argv, out);
}

/* Runs the arguments behind our own --print-argv: they must come back, and the marker. */
static void comes_back(const struct shell *shell, const char *program, const char *const *args,
		       size_t count)
{
	const char *argv[ARGS_MOST + 2] = {program, PRINT};
	struct buf text = {0}, out = {0}, expected = {0};
	struct errmsg msg = {{0}};
	int status;

	assert_true(count <= ARGS_MOST);
	memcpy(argv + 2, args, count * sizeof *args);
	buf_add(&expected, "MUSTER_RUN=" RUN_ID, sizeof "MUSTER_RUN=" RUN_ID);
	for (size_t i = 0; i < count; i++)
		buf_add(&expected, args[i], strlen(args[i]) + 1);
	if (command_exec(&text, RUN_ID, argv, count + 2, &msg) != 0)
		fail_msg("%s", msg.text);
	status = shell_run(shell, buf_cstr(&text), &out);
	if (status != 0 || out.len != expected.len ||
	    memcmp(out.data, expected.data, out.len) != 0) {
		print_message("sent:\n%s\nreceived %zu bytes, not %zu\n", buf_cstr(&text), out.len,
			      expected.len);
		fail_msg("%s: status %d", shell->argv[0], status);
	}
	buf_done(&text);
	buf_done(&out);
	buf_done(&expected);
}

/* --- without a shell ------------------------------------------------------------------------ */

static void quotes(const char *arg, const char *expected)
{
	struct buf out = {0};

	buf_add_str(&out, "x");
	command_quote(&out, arg);
	assert_string_equal(buf_cstr(&out) + 1, expected);
	buf_done(&out);
}

static void test_quoting(void **state)
{
	(void)state;
	quotes("", "''");
	quotes("plain-1.0/x_y:z,a@b+c", "plain-1.0/x_y:z,a@b+c");
	quotes("a b", "'a b'");
	quotes("it's", "'it'\\''s'");
	quotes("'", "\\'");
	quotes("a\\b!c", "'a'\\\\'b'\\!'c'");
	quotes("''", "\\'\\'");
	quotes("\n", "'\n'");
	quotes("$HOME `x` \"", "'$HOME `x` \"'");
}

static void test_the_text(void **state)
{
	const char *plain[] = {"echo", "hello there"}, *variable[] = {"a=b", "c"};
	struct buf out = {0};

	(void)state;
	assert_int_equal(command_exec(&out, "1-2", plain, 2, NULL), 0);
	assert_string_equal(buf_cstr(&out), "env MUSTER_RUN=1-2 echo 'hello there'");
	buf_clear(&out);
	assert_int_equal(command_exec(&out, "1-2", variable, 2, NULL), 0);
	assert_string_equal(buf_cstr(&out), "env MUSTER_RUN=1-2 sh -c 'exec \"$@\"' sh 'a=b' c");
	buf_done(&out);
}

static void test_the_limit(void **state)
{
	static char longest[LIMIT_COMMAND + 1];
	const char *argv[] = {longest};
	struct buf out = {0};
	struct errmsg msg = {{0}};
	size_t room = LIMIT_COMMAND - strlen("env MUSTER_RUN=1 ");

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[room] = '\0';
	buf_add_str(&out, "what was there does not count: ");
	assert_int_equal(command_exec(&out, "1", argv, 1, &msg), 0);
	memset(longest, 'x', sizeof longest - 1);
	longest[room + 1] = '\0';
	assert_int_equal(command_exec(&out, "1", argv, 1, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "script"));
	/* Quotes count. */
	memset(longest, '\'', sizeof longest - 1);
	longest[room / 2 + 1] = '\0';
	assert_int_equal(command_exec(&out, "1", argv, 1, &msg), ERR_LIMIT);
	buf_done(&out);
}

/* --- through shells ------------------------------------------------------------------------- */

/* The whole of what has ever been special to a shell. */
static const char *const nasty[] = {
	"",
	" ",
	"  two  spaces  ",
	"\t",
	"$HOME",
	"${HOME}",
	"$(id)",
	"`id`",
	"$",
	"$$",
	"*",
	"?",
	"[a-z]*",
	"{a,b}",
	"{1..3}",
	"~",
	"~root",
	"=ls",
	"#",
	"a#b",
	"!",
	"!!",
	"!$",
	"a!b!",
	"\\",
	"\\\\",
	"\\n",
	"a\\",
	"'",
	"''",
	"it's",
	"\"",
	"\"'\"'",
	"'\\''",
	"&",
	"&&",
	";",
	"a;b",
	"|",
	"<",
	">",
	">(x)",
	"<(x)",
	"(",
	")",
	"%",
	"%1",
	"@",
	"@a",
	"^",
	"a^b^c",
	"-",
	"--",
	"-n",
	"-e",
	"=",
	"a=b",
	"\r",
	"\x01\x1b[31m",
	"\x7f",
	"caf\xc3\xa9",
	"\xf0\x9f\x98\x80",
	"\xe2\x80\xae",
	"\\!",
	"!\\'",
};

static void test_special_characters(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		if (!present[s])
			continue;
		for (size_t i = 0; i < ARRAY_LEN(nasty); i += ARGS_MOST) {
			size_t left = ARRAY_LEN(nasty) - i;

			comes_back(&shells[s], self, nasty + i,
				   left < ARGS_MOST ? left : ARGS_MOST);
		}
		comes_back(&shells[s], self, nasty, 0);
	}
}

/* csh and tcsh have no way to quote a newline in a word that comes from -c: command.h. */
static void test_newlines(void **state)
{
	static const char *const args[] = {"\n", "a\nb\n", "\n\n'", "\\\n", "!\n"};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shells); s++)
		if (!shells[s].is_csh && present[s])
			comes_back(&shells[s], self, args, ARRAY_LEN(args));
}

static void test_bytes_that_are_no_characters(void **state)
{
	static const char *const args[] = {"\xff", "\x80\x81", "a\xc3", "\xed\xa0\x80", "\xf8\x88"};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shells); s++)
		if (present[s])
			comes_back(&shells[s], self, args, ARRAY_LEN(args));
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static char *random_arg(uint32_t *seed, bool newlines)
{
	static const char special[] = "'\"\\!$`*?[]{}()<>|&;#~=^%@- \t\n";
	size_t len = random_next(seed) % (random_next(seed) % 8 ? 12 : 300);
	char *arg = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		uint32_t r = random_next(seed);

		arg[i] = r % 2 ? special[r / 2 % (sizeof special - 1)] : (char)(1 + r / 2 % 255);
		if (arg[i] == '\n' && !newlines)
			arg[i] = '\'';
	}
	arg[len] = '\0';
	return arg;
}

static void test_random_arguments(void **state)
{
	uint32_t seed = 20260301;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		if (!present[s])
			continue;
		for (unsigned round = 0; round < 10; round++) {
			char *args[ARGS_MOST];

			for (size_t i = 0; i < ARGS_MOST; i++)
				args[i] = random_arg(&seed, !shells[s].is_csh);
			comes_back(&shells[s], self, (const char *const *)args, ARGS_MOST);
			for (size_t i = 0; i < ARGS_MOST; i++)
				free(args[i]);
		}
	}
}

/* env(1) would take such a name for a variable. */
static void test_a_program_with_an_equals_sign(void **state)
{
	static const char *const args[] = {"a b", "-x", "$1", ""};
	char *link = xasprintf("%s/a=b c", home);

	(void)state;
	assert_int_equal(symlink(self, link), 0);
	for (size_t s = 0; s < ARRAY_LEN(shells); s++)
		if (present[s])
			comes_back(&shells[s], link, args, ARRAY_LEN(args));
	free(link);
}

static void ends_with(const char *const *argv, size_t argc, int status)
{
	struct buf text = {0}, out = {0};

	assert_int_equal(command_exec(&text, RUN_ID, argv, argc, NULL), 0);
	buf_add_str(&text, " 2>/dev/null");
	assert_int_equal(shell_run(&shells[0], buf_cstr(&text), &out), status);
	assert_int_equal(out.len, 0);
	buf_done(&text);
	buf_done(&out);
}

/* Nothing of the command is ever an option of env, or a variable. */
static void test_a_program_that_is_not_there(void **state)
{
	const char *none[] = {"/nonexistent/program"}, *empty[] = {""};
	const char *option[] = {"-i", self, PRINT}, *dashes[] = {"--", self, PRINT};

	(void)state;
	ends_with(none, 1, 127);
	ends_with(empty, 1, 127);
	ends_with(option, 3, 127);
	ends_with(dashes, 3, 127);
}

/* What was run: MUSTER_RUN=..., then each argument, with a NUL behind each. */
static int print_argv(int argc, char **argv)
{
	const char *marker = getenv("MUSTER_RUN");

	(void)printf("MUSTER_RUN=%s%c", marker ? marker : "", 0);
	for (int i = 2; i < argc; i++)
		(void)fwrite(argv[i], 1, strlen(argv[i]) + 1, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_the_text),
		cmocka_unit_test(test_the_limit),
		cmocka_unit_test(test_special_characters),
		cmocka_unit_test(test_newlines),
		cmocka_unit_test(test_bytes_that_are_no_characters),
		cmocka_unit_test(test_random_arguments),
		cmocka_unit_test(test_a_program_with_an_equals_sign),
		cmocka_unit_test(test_a_program_that_is_not_there),
	};

	if (argc > 1 && strcmp(argv[1], PRINT) == 0)
		return print_argv(argc, argv);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

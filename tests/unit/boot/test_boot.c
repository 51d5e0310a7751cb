/* The talk with the target, without one: what it may say, in any order and in any pieces. */
#include "talk.h"

#include "limits.h"

static void cached_at_every_split(void **state)
{
	static const char input[] = "noise without newline" N "RUN /a b/agent\nMS\n" N "RUN x\n";
	static const size_t len = sizeof input - 1;

	(void)state;
	for (size_t a = 0; a <= len; a++) {
		struct talk talk;

		talk_begin(&talk, BOOT_AS_SELF, NULL);
		boot_feed(talk.boot, false, input, a);
		if (!talk.ready)
			boot_feed(talk.boot, false, input + a, len - a);
		else
			buf_add(&talk.rest, input + a, len - a);
		assert_false(boot_has_pushed(talk.boot));
		boot_eof(talk.boot, 0);
		expect_ready(&talk, "", "MS\n" N "RUN x\n");
	}
}

static void pushed_byte_by_byte(void **state)
{
	static const char input[] =
		"hi\n" N "NEED aarch64 3 /tmp/x y\n" N "RUN /tmp/x y/agent\nrest";
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	for (const char *p = input; *p && !talk.ready; p++)
		boot_feed(talk.boot, false, p, 1);
	assert_true(boot_has_pushed(talk.boot));
	expect_ready(&talk, "ARM|", "");
}

static void damaged_once_and_twice(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "NEED x86_64 5 /d\n" N "BAD\n" N "NEED x86_64 5 /d\n" N "RUN /d/a\n");
	expect_ready(&talk, "AGENT|AGENT|", "");

	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "NEED x86_64 5 /d\n" N "BAD\n" N "NEED x86_64 5 /d\n" N "BAD\n");
	expect_failed(&talk, BOOT_DAMAGED, "damaged");
}

/* A full directory, and then one with damage: still one repetition. */
static void next_directory_then_damage(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "NEED x86_64 5 /d\n" N "NEED x86_64 5 /e\n" N "BAD\n" N "NEED x86_64 5 /e\n" N
		     "NEED x86_64 5 /f\n" N "NODIR /d (full), /e (full), /f \x1b[2J,\n");
	expect_failed(&talk, BOOT_NODIR, "it: /d (full), /e (full), /f \\x1b[2J; free");
}

static void nowhere_and_no_reason(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "NODIR\n");
	expect_failed(&talk, BOOT_NODIR, "run it; free");
}

static void architectures(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "ARCH mips\n");
	expect_failed(&talk, BOOT_ARCH, "no agent for mips, only for x86_64, aarch64;");

	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "NEED x86_64 5 /d\n" N "ARCH x86_64\n");
	expect_failed(&talk, BOOT_ARCH, "the agent for x86_64 does not run there");

	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "ARCH \n");
	expect_failed(&talk, BOOT_ARCH, "(no uname)");
}

static void answers_out_of_order(void **state)
{
	static const char *const inputs[] = {
		N "BAD\n",
		N "NEED x86_64 5 /d\n" N "BAD\n" N "RUN /d\n",
		N "NEED x86_64 5 /d\n" N "BAD\n" N "BAD\n",
		N "NEED x86_64 5 /d\n" N "BAD\n" N "NODIR\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct talk talk;

		talk_begin(&talk, BOOT_AS_SELF, NULL);
		out(&talk, inputs[i]);
		expect_failed(&talk, BOOT_NO_AGENT, "out of order");
	}
}

/* Nothing is sent that was not offered. */
static void asks_for_what_there_is_not(void **state)
{
	static const char *const inputs[] = {
		N "NEED mips 5 /d\n",
		N "NEED x86_64 6 /d\n",
		N "NEED x86_64 05 /d\n",
		N "NEED x86_64\n",
		N "NEED x86_64 \n",
		N "NEED  \n",
		N "NEED\n",
		N "NEED x86_64 55 /d\n",
		N "NEED x86_6 5 /d\n",
		N "NEED x86_64  5 /d\n",
		N "NEED x86_64 -5 /d\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct talk talk;

		talk_begin(&talk, BOOT_AS_SELF, NULL);
		out(&talk, inputs[i]);
		assert_int_equal(talk.sent.len, 0);
		expect_failed(&talk, BOOT_ARCH, "not offered");
	}
}

static void asks_without_end(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	for (int i = 0; i < 100; i++)
		out(&talk, N "NEED x86_64 5 /d\n");
	assert_int_equal(talk.sent.len, 8 * 6);
	expect_failed(&talk, BOOT_DAMAGED, "again and again");
}

/* Words that are none, words on the wrong stream, and the nonce of somebody else. */
static void what_is_not_for_us(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	error(&talk, N "RUN /a\n" N "NEED x86_64 5 /d\n");
	out(&talk, N "RUNNING\n" N "\n" N "run\n0123456789abcde0 RUN /a\n0123456789abcdef\n");
	out(&talk, N "ASK:" N "BECOME\n" N "THROUGH\n");
	assert_int_equal(talk.sent.len, 0);
	assert_int_equal(talk.ends, 0);
	out(&talk, N "RUN /a\n");
	expect_ready(&talk, "", "");
}

static void ends_without_the_marker(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, "This account\r\n\r\n  is \x1b]0;evil\a closed \n");
	error(&talk, "sh: not found\n");
	boot_eof(talk.boot, 127);
	expect_failed(&talk, BOOT_NO_AGENT,
		      "(exit status 127); --agent=never does without one. It said: sh: not found; "
		      "This account;   is \\x1b]0;evil\\x07 closed");

	talk_begin(&talk, BOOT_AS_SELF, NULL);
	out(&talk, N "NEED x86_64 5 /d\n");
	boot_eof(talk.boot, -1);
	boot_eof(talk.boot, -1);
	expect_failed(&talk, BOOT_NO_AGENT, "while the agent was sent");
}

/* The first bytes of both streams, however much there is of one. */
static void text_is_cut(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	for (int i = 0; i < 1000; i++)
		out(&talk, "\x01\x02\x03\x04");
	error(&talk, "and this");
	boot_eof(talk.boot, 1);
	assert_true(strlen(talk.text) < 4 * LIMIT_BOOT_TEXT + 200);
	expect_failed(&talk, BOOT_NO_AGENT, "It said: and this; \\x01\\x02");
}

static void noise_limit(void **state)
{
	char *noise = xmalloc(LIMIT_BOOT_NOISE + 1);
	struct talk talk;

	(void)state;
	memset(noise, '0', LIMIT_BOOT_NOISE + 1);
	/* The marker is the last that is heard. */
	memcpy(noise + LIMIT_BOOT_NOISE - 24, N "RUN /a\n", 24);
	talk_begin(&talk, BOOT_AS_SELF, NULL);
	boot_feed(talk.boot, false, noise, LIMIT_BOOT_NOISE + 1);
	expect_ready(&talk, "", "0");

	memset(noise, 'x', LIMIT_BOOT_NOISE + 1);
	for (int is_error = 0; is_error < 2; is_error++) {
		talk_begin(&talk, BOOT_AS_SELF, NULL);
		boot_feed(talk.boot, is_error != 0, noise, LIMIT_BOOT_NOISE);
		assert_int_equal(talk.ends, 0);
		boot_feed(talk.boot, is_error != 0, noise, 1);
		out(&talk, N "RUN /a\n");
		expect_failed(&talk, BOOT_NO_AGENT, "too much was printed");
	}
	free(noise);
}

static void subsystem_at_every_split(void **state)
{
	static const char input[] = "MSG of the day: MS\x01\x02 MS MS\x01\0\0\1\2rest";
	static const size_t len = sizeof input - 1;

	(void)state;
	for (size_t a = 0; a <= len; a++) {
		struct talk talk;

		talk_begin(&talk, BOOT_AS_SELF, NULL);
		boot_free(talk.boot);
		talk.spec.subsystem = true;
		talk.boot = boot_new(&talk.spec, &talk_events, &talk);
		error(&talk, "MS\x01"
			     "not here\n");
		boot_feed(talk.boot, false, input, a);
		if (!talk.ready)
			boot_feed(talk.boot, false, input + a, len - a);
		else
			buf_add(&talk.rest, input + a, len - a);
		assert_int_equal(talk.rest.len, 11);
		assert_memory_equal(talk.rest.data, "MS\x01\0\0\1\2rest", 11);
		boot_eof(talk.boot, 0);
		assert_int_equal(talk.ends, 1);
		talk_end(&talk);
	}
}

static void free_of_nothing(void **state)
{
	(void)state;
	boot_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cached_at_every_split),
		cmocka_unit_test(pushed_byte_by_byte),
		cmocka_unit_test(damaged_once_and_twice),
		cmocka_unit_test(next_directory_then_damage),
		cmocka_unit_test(nowhere_and_no_reason),
		cmocka_unit_test(architectures),
		cmocka_unit_test(answers_out_of_order),
		cmocka_unit_test(asks_for_what_there_is_not),
		cmocka_unit_test(asks_without_end),
		cmocka_unit_test(what_is_not_for_us),
		cmocka_unit_test(ends_without_the_marker),
		cmocka_unit_test(text_is_cut),
		cmocka_unit_test(noise_limit),
		cmocka_unit_test(subsystem_at_every_split),
		cmocka_unit_test(free_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A struct boot that is fed by hand, and what came of it: sent has a '|' behind each piece. */
#ifndef MUSTER_TEST_TALK_H
#define MUSTER_TEST_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "boot.h"
#include "buf.h"

#define N    "0123456789abcdef "
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct payload payloads[] = {{"x86_64", (const uint8_t *)"AGENT", 5, HASH},
					  {"aarch64", (const uint8_t *)"ARM", 3, HASH}};

struct talk {
	struct boot_spec spec;
	struct boot *boot;
	struct buf sent, rest;
	int ends; /* of ready and failed together */
	bool ready;
	enum boot_end end;
	char *text;
};

static inline void talk_send(void *arg, const void *data, size_t len)
{
	struct talk *talk = arg;

	assert_int_equal(talk->ends, 0);
	buf_add(&talk->sent, data, len);
	buf_add_char(&talk->sent, '|');
}

static inline void talk_ready(void *arg, const void *rest, size_t len)
{
	struct talk *talk = arg;

	talk->ends++;
	talk->ready = true;
	buf_add(&talk->rest, rest, len);
}

static inline void talk_failed(void *arg, enum boot_end end, const char *text)
{
	struct talk *talk = arg;

	talk->ends++;
	talk->end = end;
	talk->text = xstrdup(text);
}

static const struct boot_events talk_events = {talk_send, talk_ready, talk_failed};

static inline void talk_begin(struct talk *talk, enum boot_become become, const char *password)
{
	*talk = (struct talk){.spec = {.nonce = "0123456789abcdef",
				       .payloads = payloads,
				       .payload_count = 2,
				       .become = become,
				       .password = password}};
	talk->boot = boot_new(&talk->spec, &talk_events, talk);
}

static inline void talk_end(struct talk *talk)
{
	boot_free(talk->boot);
	buf_done(&talk->sent);
	buf_done(&talk->rest);
	free(talk->text);
}

static inline void out(struct talk *talk, const char *text)
{
	boot_feed(talk->boot, false, text, strlen(text));
}

static inline void error(struct talk *talk, const char *text)
{
	boot_feed(talk->boot, true, text, strlen(text));
}

static inline void expect_ready(struct talk *talk, const char *sent, const char *rest)
{
	assert_int_equal(talk->ends, 1);
	assert_true(talk->ready);
	assert_string_equal(buf_cstr(&talk->sent), sent);
	assert_string_equal(buf_cstr(&talk->rest), rest);
	talk_end(talk);
}

static inline void expect_failed(struct talk *talk, enum boot_end end, const char *has)
{
	assert_int_equal(talk->ends, 1);
	assert_false(talk->ready);
	assert_int_equal(talk->end, end);
	if (!strstr(talk->text, has))
		fail_msg("no \"%s\" in: %s", has, talk->text);
	talk_end(talk);
}

#endif

#include "boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "boot_private.h"
#include "boot_text.h"
#include "limits.h"
#include "log.h"

/* "MS", type HELLO, flags 0, and the high byte of a length below 16 MiB: docs/protocol.md, 2. */
static const uint8_t boot_hello[] = {0x4d, 0x53, 0x01, 0x00, 0x00};

/* Each directory once, and one repetition; more is a target that plays with us. */
#define BOOT_PUSHES 8u

void boot_nonce(char out[static BOOT_NONCE_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[BOOT_NONCE_SIZE / 2];
	ssize_t got;

	do {
		got = getrandom(bytes, sizeof bytes, 0);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof bytes) { /* up to 256 bytes come whole or not at all */
		log_error("cannot make a nonce: getrandom: %s", strerror(errno));
		abort();
	}
	for (size_t i = 0; i < sizeof bytes; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 0x0f];
	}
	out[BOOT_NONCE_SIZE - 1] = '\0';
}

static void boot_noise(void *arg, const void *data, size_t len)
{
	struct boot_stream *stream = arg;
	const char *p = data, *end = p + len;
	size_t left = LIMIT_BOOT_TEXT - stream->text.len;

	buf_add(&stream->text, data, len < left ? len : left);
	for (const char *nl; (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1)
		stream->last_len = 0;
	len = (size_t)(end - p);
	left = sizeof stream->last - stream->last_len;
	memcpy(stream->last + stream->last_len, p, len < left ? len : left);
	stream->last_len += len < left ? len : left;
}

static void boot_stream_forget(struct boot_stream *stream)
{
	buf_clear(&stream->text);
	stream->last_len = 0;
}

static void boot_stream_init(struct boot_stream *stream, const struct boot_spec *spec)
{
	char marker[BOOT_NONCE_SIZE];

	memcpy(marker, spec->nonce, BOOT_NONCE_SIZE - 1);
	marker[BOOT_NONCE_SIZE - 1] = ' ';
	boot_scan_init(&stream->scan, marker, sizeof marker);
	stream->scan.prompt = BOOT_WORD_ASK;
}

struct boot *boot_new(const struct boot_spec *spec, const struct boot_events *events, void *arg)
{
	struct boot *boot = xcalloc(1, sizeof *boot);

	boot->spec = *spec;
	boot->events = events;
	boot->arg = arg;
	boot_stream_init(&boot->out, spec);
	boot_stream_init(&boot->error, spec);
	if (spec->subsystem) {
		boot_scan_init(&boot->out.scan, boot_hello, sizeof boot_hello);
		boot->out.scan.whole = true;
	}
	boot->rise = spec->become == BOOT_AS_SELF || spec->subsystem ? RISE_THROUGH : RISE_LOGIN;
	return boot;
}

void boot_forget_answer(struct boot *boot)
{
	locked_drop(boot->answer);
	boot->answer = NULL;
}

void boot_free(struct boot *boot)
{
	if (!boot)
		return;
	boot_forget_answer(boot);
	boot_scan_done(&boot->out.scan);
	boot_scan_done(&boot->error.scan);
	buf_done(&boot->out.text);
	buf_done(&boot->error.text);
	buf_done(&boot->joined);
	explicit_bzero(boot, sizeof *boot);
	free(boot);
}

bool boot_has_pushed(const struct boot *boot)
{
	return boot->pushes > 0;
}

/* Becoming another user. */

static void rise_begin(struct boot *boot, struct boot_stream *stream)
{
	/* What the login shell said is not about becoming. */
	(void)boot;
	boot_stream_forget(stream);
	stream->asks = true;
}

static void rise_answer(struct boot *boot, struct boot_stream *stream)
{
	const char *password = boot->spec.password;

	(void)stream;
	if (!password) {
		boot_fail(boot, BOOT_BECOME, "a password is asked for and none was given");
	} else if (strchr(password, '\n')) {
		/* The second line would go to the command. */
		boot_fail(boot, BOOT_BECOME, "the password has a line break in it");
	} else {
		boot->answer = locked_line(password);
		boot->events->send(boot->arg, locked_text(boot->answer), strlen(password) + 1);
	}
}

static void rise_refused(struct boot *boot, struct boot_stream *stream)
{
	(void)stream;
	boot_fail(boot, BOOT_BECOME, "the password was not accepted");
}

static void rise_done(struct boot *boot, struct boot_stream *stream)
{
	(void)boot;
	boot_stream_forget(stream);
	stream->asks = false;
}

enum rise_event { RISE_EV_BECOME, RISE_EV_ASK, RISE_EV_THROUGH, RISE_EV_COUNT };

struct rise_row {
	void (*act)(struct boot *boot, struct boot_stream *stream); /* NULL: not to be heeded */
	enum boot_rise next;
};

/* Each word but ASK comes on both streams, and those are not in step with one another. */
static const struct rise_row rise_table[RISE_COUNT][RISE_EV_COUNT] = {
	[RISE_LOGIN] = {[RISE_EV_BECOME] = {rise_begin, RISE_ASKED}},
	[RISE_ASKED] = {[RISE_EV_BECOME] = {rise_begin, RISE_ASKED},
			[RISE_EV_ASK] = {rise_answer, RISE_ANSWERED},
			[RISE_EV_THROUGH] = {rise_done, RISE_THROUGH}},
	[RISE_ANSWERED] = {[RISE_EV_BECOME] = {rise_begin, RISE_ANSWERED},
			   [RISE_EV_ASK] = {rise_refused, RISE_ANSWERED},
			   [RISE_EV_THROUGH] = {rise_done, RISE_THROUGH}},
	[RISE_THROUGH] = {[RISE_EV_BECOME] = {rise_begin, RISE_THROUGH},
			  [RISE_EV_THROUGH] = {rise_done, RISE_THROUGH}},
};

static void boot_rise(struct boot *boot, struct boot_stream *stream, enum rise_event event)
{
	const struct rise_row *row = &rise_table[boot->rise][event];

	if (!row->act)
		return;
	boot->rise = row->next;
	row->act(boot, stream);
}

/*
 * su has no prompt of ours: an unfinished line that ends as prompts do, after BECOME. "su: " is the
 * beginning of its own complaint.
 */
static bool boot_is_su_prompt(const struct boot_stream *stream)
{
	static const char wide[] = "\xef\xbc\x9a"; /* the colon of Chinese and Japanese, U+FF1A */
	size_t n = stream->last_len;
	bool space = n > 0 && stream->last[n - 1] == ' ';

	if (!stream->asks || n == sizeof stream->last)
		return false;
	n -= space;
	if (n >= 3 && !memcmp(stream->last + n - 3, wide, 3))
		return true;
	return space && n > 0 && stream->last[n - 1] == ':' &&
	       !(n == 3 && !memcmp(stream->last, "su:", 3));
}

/* From the marker to the agent. */

static void boot_do_run(struct boot *boot, const char *rest)
{
	(void)rest;
	boot->ended = true;
	boot_forget_answer(boot);
	boot->events->ready(boot->arg, boot->rest, boot->rest_len);
}

static const struct payload *boot_payload(const struct boot *boot, const char *arch, size_t len)
{
	for (size_t i = 0; i < boot->spec.payload_count; i++) {
		const char *name = boot->spec.payloads[i].arch;

		if (strlen(name) == len && !memcmp(name, arch, len))
			return &boot->spec.payloads[i];
	}
	return NULL;
}

static void boot_do_push(struct boot *boot, const char *rest)
{
	size_t arch_len = strcspn(rest, " ");
	const struct payload *payload = boot_payload(boot, rest, arch_len);
	const char *number = rest + arch_len + (rest[arch_len] == ' ');
	char wanted[24];

	snprintf(wanted, sizeof wanted, "%zu", payload ? payload->len : 0);
	if (!payload || strcspn(number, " ") != strlen(wanted) ||
	    strncmp(number, wanted, strlen(wanted)) != 0) {
		boot_fail(boot, BOOT_ARCH, "the target asks for an agent that it was not offered");
		return;
	}
	if (boot->pushes == BOOT_PUSHES) {
		boot_fail(boot, BOOT_DAMAGED, "the target asked for the agent again and again");
		return;
	}
	boot->pushes++;
	boot->events->send(boot->arg, payload->data, payload->len);
}

static void boot_do_again(struct boot *boot, const char *rest)
{
	/* The text asks by itself. */
	(void)boot;
	(void)rest;
}

static void boot_do_damaged(struct boot *boot, const char *rest)
{
	(void)rest;
	boot_fail(boot, BOOT_DAMAGED,
		  "the agent came damaged, twice: does something there change what passes through "
		  "it?");
}

static void boot_do_nodir(struct boot *boot, const char *rest)
{
	struct buf why = {0};

	buf_addf(&why, "no directory there can hold the agent and run it: %s", rest);
	while (why.len > 0 && strchr(",: ", why.data[why.len - 1]))
		why.len--;
	boot_fail(boot, BOOT_NODIR, buf_cstr(&why));
	buf_done(&why);
}

static void boot_do_arch(struct boot *boot, const char *rest)
{
	struct buf why = {0};

	if (boot_payload(boot, rest, strlen(rest))) {
		buf_addf(&why,
			 "the agent for %s does not run there: another system, or a policy against "
			 "new programs",
			 rest);
	} else {
		buf_addf(&why, "there is no agent for %.64s", *rest ? rest : "(no uname)");
		for (size_t i = 0; i < boot->spec.payload_count; i++)
			buf_addf(&why, "%s%s", i ? ", " : ", only for ",
				 boot->spec.payloads[i].arch);
	}
	boot_fail(boot, BOOT_ARCH, buf_cstr(&why));
	buf_done(&why);
}

enum talk_event { TALK_RUN, TALK_NEED, TALK_BAD, TALK_NODIR, TALK_ARCH, TALK_EV_COUNT };

struct talk_row {
	void (*act)(struct boot *boot, const char *rest); /* NULL: out of order */
	enum boot_talk next;
};

static const struct talk_row talk_table[TALK_COUNT][TALK_EV_COUNT] = {
	[TALK_LOOKING] = {[TALK_RUN] = {boot_do_run, TALK_LOOKING},
			  [TALK_NEED] = {boot_do_push, TALK_PUSHED},
			  [TALK_NODIR] = {boot_do_nodir, TALK_LOOKING},
			  [TALK_ARCH] = {boot_do_arch, TALK_LOOKING}},
	[TALK_PUSHED] = {[TALK_RUN] = {boot_do_run, TALK_PUSHED},
			 [TALK_NEED] = {boot_do_push, TALK_PUSHED},
			 [TALK_BAD] = {boot_do_again, TALK_REPEAT},
			 [TALK_NODIR] = {boot_do_nodir, TALK_PUSHED},
			 [TALK_ARCH] = {boot_do_arch, TALK_PUSHED}},
	[TALK_REPEAT] = {[TALK_NEED] = {boot_do_push, TALK_AGAIN}},
	[TALK_AGAIN] = {[TALK_RUN] = {boot_do_run, TALK_AGAIN},
			[TALK_NEED] = {boot_do_push, TALK_AGAIN},
			[TALK_BAD] = {boot_do_damaged, TALK_AGAIN},
			[TALK_NODIR] = {boot_do_nodir, TALK_AGAIN},
			[TALK_ARCH] = {boot_do_arch, TALK_AGAIN}},
};

static void boot_talk(struct boot *boot, enum talk_event event, const char *rest)
{
	const struct talk_row *row = &talk_table[boot->talk][event];

	if (!row->act) {
		boot_fail(boot, BOOT_NO_AGENT, "the target answered out of order");
		return;
	}
	boot->talk = row->next;
	row->act(boot, rest);
}

struct boot_word {
	const char *word; /* alone, or with a space and more behind it */
	int rise;	  /* enum rise_event, or -1 */
	int talk;	  /* enum talk_event, or -1 */
};

static const struct boot_word boot_words[] = {
	{"RUN", -1, TALK_RUN},
	{"NEED", -1, TALK_NEED},
	{"BAD", -1, TALK_BAD},
	{"NODIR", -1, TALK_NODIR},
	{"ARCH", -1, TALK_ARCH},
	{BOOT_WORD_BECOME, RISE_EV_BECOME, -1},
	{BOOT_WORD_ASK, RISE_EV_ASK, -1},
	{BOOT_WORD_THROUGH, RISE_EV_THROUGH, -1},
};

static void boot_line(struct boot *boot, struct boot_stream *stream, const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(boot_words); i++) {
		const struct boot_word *word = &boot_words[i];
		size_t len = strlen(word->word);

		if (strncmp(line, word->word, len) != 0 || (line[len] && line[len] != ' '))
			continue;
		if (word->rise >= 0)
			boot_rise(boot, stream, (enum rise_event)word->rise);
		else if (stream == &boot->out)
			boot_talk(boot, (enum talk_event)word->talk,
				  line + len + (line[len] == ' '));
		return;
	}
	boot_noise(stream, line, strlen(line));
	boot_noise(stream, "\n", 1);
}

/* The HELLO of a subsystem: what was taken for the marker is already the agent's. */
static void boot_hello_found(struct boot *boot)
{
	buf_add(&boot->joined, boot_hello, sizeof boot_hello);
	buf_add(&boot->joined, boot->rest, boot->rest_len);
	boot->rest = boot->joined.data;
	boot->rest_len = boot->joined.len;
	boot_do_run(boot, "");
}

void boot_feed(struct boot *boot, bool is_error, const void *data, size_t len)
{
	struct boot_stream *stream = is_error ? &boot->error : &boot->out;
	size_t room = LIMIT_BOOT_NOISE - boot->heard, n = len < room ? len : room, used = 0;

	boot->heard += n;
	while (!boot->ended && used < n) {
		const uint8_t *at = (const uint8_t *)data + used;
		const char *line;

		used += boot_scan_feed(&stream->scan, at, n - used, &line, boot_noise, stream);
		boot->rest = (const uint8_t *)data + used;
		boot->rest_len = len - used;
		if (line && boot->spec.subsystem && !is_error)
			boot_hello_found(boot);
		else if (line)
			boot_line(boot, stream, line);
	}
	if (boot->ended)
		return;
	if (n < len) {
		boot_fail(boot, BOOT_NO_AGENT, "too much was printed before the agent began");
	} else if (boot->spec.become == BOOT_SU && boot_is_su_prompt(stream)) {
		stream->last_len = 0;
		boot_rise(boot, stream, RISE_EV_ASK);
	}
}

void boot_eof(struct boot *boot, int exit_status)
{
	static const char *const by[] = {"", "sudo", "su", "doas"};
	const char *user = boot->spec.become_user ? boot->spec.become_user : "root";
	struct buf why = {0};
	enum boot_end end = BOOT_NO_AGENT;

	if (boot->ended)
		return;
	if (boot->rise == RISE_ASKED || boot->rise == RISE_ANSWERED) {
		end = BOOT_BECOME;
		buf_addf(&why, "cannot become %.64s with %s", user, by[boot->spec.become]);
	} else if (boot_has_pushed(boot)) {
		buf_add_str(&why, "the target ended while the agent was sent to it");
	} else {
		buf_add_str(&why, "the target ended before the agent began");
	}
	if (exit_status >= 0)
		buf_addf(&why, " (exit status %d)", exit_status);
	boot_fail(boot, end, buf_cstr(&why));
	buf_done(&why);
}

/*
 * Fuzzing of what a target may say before its agent speaks. The first byte of the input chooses the
 * way to start, the second the size of the pieces; in the rest 0x80 stands for the nonce and a
 * space, and 0x81 for a change between output and error. Whatever comes: one last event, nothing
 * sent but what there is to send, and the same result when every byte comes alone.
 *
 * Build from the top of the tree (without src/loop), and run for a minute:
 *   clang -std=c17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
 *     -fno-sanitize-recover=all -iquote src -iquote initiator/boot -iquote initiator/payload \
 *     tests/fuzz/fuzz_boot.c initiator/boot/[a-z]*.c src/[a-z]*.c -o fuzz_boot
 *   ./fuzz_boot -max_total_time=60 -max_len=4096
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "boot.h"
#include "buf.h"

#define FUZZ_NONCE "0123456789abcdef"
#define FUZZ_SENDS 9 /* the agent 8 times, the password once */

static const struct payload fuzz_payloads[] = {
	{"x86_64", (const uint8_t *)"AGENT", 5,
	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
	{"aarch64", (const uint8_t *)"ARM", 3,
	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}};

struct fuzz_result {
	int sends;
	int ends;
	int end; /* enum boot_end, or -1: ready */
	struct buf text;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(bool holds)
{
	if (!holds)
		abort();
}

static void fuzz_send(void *arg, const void *data, size_t len)
{
	struct fuzz_result *result = arg;

	fuzz_require(result->ends == 0);
	fuzz_require((len == 5 && !memcmp(data, "AGENT", 5)) ||
		     (len == 3 && !memcmp(data, "ARM", 3)) ||
		     (len == 4 && !memcmp(data, "pwd\n", 4)));
	result->sends++;
}

static void fuzz_ready(void *arg, const void *rest, size_t len)
{
	struct fuzz_result *result = arg;

	fuzz_require(rest || len == 0);
	result->ends++;
	result->end = -1;
}

static void fuzz_failed(void *arg, enum boot_end end, const char *text)
{
	struct fuzz_result *result = arg;

	for (const char *p = text; *p; p++)
		fuzz_require((unsigned char)*p >= 0x20 || *p == '\t');
	result->ends++;
	result->end = (int)end;
	buf_add_str(&result->text, text);
}

static void fuzz_feed(struct boot *boot, bool is_error, const struct buf *bytes, size_t piece)
{
	for (size_t i = 0; i < bytes->len; i += piece) {
		size_t left = bytes->len - i;

		boot_feed(boot, is_error, bytes->data + i, left < piece ? left : piece);
	}
}

static void fuzz_talk(const struct boot_spec *spec, const uint8_t *data, size_t size, size_t piece,
		      struct fuzz_result *result)
{
	static const struct boot_events events = {fuzz_send, fuzz_ready, fuzz_failed};
	struct boot *boot = boot_new(spec, &events, result);
	struct buf bytes = {0};
	bool is_error = false;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0x80)
			buf_add_str(&bytes, FUZZ_NONCE " ");
		else if (data[i] != 0x81)
			buf_add(&bytes, data + i, 1);
		if (data[i] != 0x81 && i + 1 < size)
			continue;
		fuzz_feed(boot, is_error, &bytes, piece);
		buf_clear(&bytes);
		is_error = !is_error;
	}
	fuzz_require(result->ends <= 1);
	boot_eof(boot, 1);
	fuzz_require(result->ends == 1);
	fuzz_require(result->sends <= FUZZ_SENDS);
	fuzz_require(!boot_has_pushed(boot) || result->sends > 0);
	boot_free(boot);
	buf_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_spec spec = {.nonce = FUZZ_NONCE, .payloads = fuzz_payloads};
	struct fuzz_result result = {0}, again = {0};

	if (size < 2)
		return 0;
	spec.become = (enum boot_become)(data[0] & 3);
	spec.subsystem = data[0] & 4;
	spec.password = data[0] & 8 ? "pwd" : NULL;
	spec.payload_count = (data[0] >> 4) % 3u;
	fuzz_talk(&spec, data + 2, size - 2, (size_t)data[1] + 1, &result);
	fuzz_talk(&spec, data + 2, size - 2, 1, &again);
	/* What looks like a prompt of su does so only at the end of a piece. */
	if (spec.become != BOOT_SU) {
		fuzz_require(result.end == again.end && result.sends == again.sends);
		fuzz_require(!strcmp(buf_cstr(&result.text), buf_cstr(&again.text)));
	}
	buf_done(&result.text);
	buf_done(&again.text);
	return 0;
}

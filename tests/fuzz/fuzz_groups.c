// NEEDS: groups
/*
 * Fuzzing of inventories: a byte that says the kind, and a text. What can be read must settle, and
 * its lists must be whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int fuzz_ssh(struct inv *inv, const struct load_text *text, struct errmsg *msg)
{
	return load_ssh(inv, text, NULL, msg); /* no home: nothing of it is included */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int (*const loads[])(struct inv *, const struct load_text *, struct errmsg *) = {
		load_ini, load_yaml, load_list, load_hosts, load_words, fuzz_ssh};
	struct load_text text = {(const char *)data + 1, n ? n - 1 : 0, "input"};
	struct buf out = {0}, conflicts = {0};
	struct errmsg msg = {""};
	struct inv *inv;
	int rc;

	/* An absolute Include would read the files of this computer. */
	if (!n || (data[0] % 6 == 5 && memchr(data, '/', n)))
		return 0;
	inv = inv_new();
	(void)load_guess(&text);
	rc = loads[data[0] % 6](inv, &text, &msg);
	if (rc == 0)
		rc = inv_settle(inv, &conflicts, &msg);
	if (rc && !msg.text[0])
		abort();
	for (uint32_t group = 0; rc == 0 && group < inv_group_count(inv) && group < 64; group++)
		inv_members(inv, group, &out);
	if (rc == 0)
		inv_list(inv, &out);
	if (rc == 0 && inv_host_count(inv))
		inv_reverse(inv, 0, &out);
	inv_free(inv);
	buf_done(&out);
	buf_done(&conflicts);
	return 0;
}

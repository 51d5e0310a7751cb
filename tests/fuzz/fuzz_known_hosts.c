// NEEDS: ssh
/* libFuzzer: a known_hosts file, and then questions about it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "known_hosts.h"
#include "known_hosts_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line asked for its own key must not come out as "changed". */
static void fuzz_own_key(const struct known_hosts *kh)
{
	const struct known_line *line = &kh->lines[0];
	enum known_verdict verdict;
	char *name;

	if (line->kind != KNOWN_LITERAL)
		return;
	name = strdup(known_text(kh, line->names));
	if (!name)
		abort();
	name[strcspn(name, ",")] = '\0';
	verdict = known_hosts_check(&kh, 1, name, 22, 1, known_text(kh, line->type),
				    known_bytes(kh, line->blob), line->blob_len, NULL);
	if (*name && verdict != KNOWN_REVOKED && verdict != KNOWN_MATCH &&
	    line->marker == KNOWN_PLAIN)
		abort();
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t blob[] = {0, 0, 0, 7, 's', 's', 'h', '-', 'r', 's', 'a'};
	struct buf text = {0}, types = {0};
	struct known_hosts *file;
	const struct known_hosts *kh;
	struct known_where where;

	buf_add(&text, data, size);
	kh = file = known_hosts_from_text("fuzz", &text);
	(void)known_hosts_check(&kh, 1, "host", 2222, 0, "ssh-rsa", blob, sizeof blob, &where);
	known_hosts_types(&kh, 1, "host", 22, 0, 1000, &types);
	if (kh->line_count)
		fuzz_own_key(kh);
	buf_done(&types);
	known_hosts_free(file);
	return 0;
}

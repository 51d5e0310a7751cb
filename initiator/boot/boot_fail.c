#include <string.h>

#include "boot_private.h"
#include "escape.h"

static const char *const boot_cures[] = {
	[BOOT_NO_AGENT] = "--agent=never does without one",
	[BOOT_ARCH] = "--agent=never does without one",
	[BOOT_NODIR] = "free or allow one of them, or use --agent=never",
	[BOOT_DAMAGED] = "try again, or use --agent=never",
	[BOOT_BECOME] = "see what sudoers, or the like, allows there",
};

/* Lines become one; empty ones are left out. */
static void boot_fail_quote(struct buf *out, const struct buf *text)
{
	size_t next;

	for (size_t at = 0; at < text->len; at = next) {
		const char *p = (const char *)text->data + at;
		const char *stop = memchr(p, '\n', text->len - at);
		size_t n = stop ? (size_t)(stop - p) : text->len - at;

		next = at + n + 1;
		while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' '))
			n--;
		if (n == 0)
			continue;
		if (out->len > 0)
			buf_add_str(out, "; ");
		escape_display(out, p, n);
	}
}

void boot_fail(struct boot *boot, enum boot_end end, const char *why)
{
	struct buf text = {0}, said = {0};

	if (boot->ended)
		return;
	boot->ended = true;
	boot_forget_answer(boot);
	escape_display(&text, why, strlen(why));
	buf_addf(&text, "; %s", boot_cures[end]);
	boot_fail_quote(&said, &boot->error.text);
	if (end == BOOT_NO_AGENT || end == BOOT_BECOME)
		boot_fail_quote(&said, &boot->out.text);
	if (said.len > 0) {
		buf_add_str(&text, ". It said: ");
		buf_add(&text, said.data, said.len);
	}
	boot->events->failed(boot->arg, end, buf_cstr(&text));
	buf_done(&text);
	buf_done(&said);
}

#include "client_told.h"

#include <string.h>

/* A reason can name a file: each host could have one of its own. */
#define TOLD_REASONS 8u

struct told_reason {
	const char *why;
	size_t hosts;
};

static void told_line(struct buf *out, size_t hosts, const char *why)
{
	buf_addf(out, "%zu host%s by the OpenSSH client: %s\n", hosts, hosts == 1 ? "" : "s", why);
}

void client_told_hosts(struct buf *out, const struct plan_target *targets, size_t count)
{
	struct told_reason reasons[TOLD_REASONS];
	size_t reason_count = 0, others = 0;

	for (size_t i = 0; i < count; i++) {
		const char *why = targets[i].openssh_why;
		size_t at = 0;

		if (targets[i].way != PLAN_OPENSSH || !why)
			continue;
		while (at < reason_count && strcmp(reasons[at].why, why) != 0)
			at++;
		if (at == TOLD_REASONS) {
			others++;
			continue;
		}
		if (at == reason_count)
			reasons[reason_count++] = (struct told_reason){.why = why};
		reasons[at].hosts++;
	}
	for (size_t i = 0; i < reason_count; i++)
		told_line(out, reasons[i].hosts, reasons[i].why);
	if (others)
		told_line(out, others, "for other reasons");
}

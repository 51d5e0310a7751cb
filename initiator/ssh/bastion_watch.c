/*
 * What libssh says of channels. It keeps the reason of a refusal (RFC 4254, section 5.1) in the one
 * error text of the session, where the next refusal of the same packet burst overwrites it; each is
 * also said to its log, whose level and callback belong to a thread. The texts are those of libssh
 * 0.10 (channels.c); with others, bastion_io.c finds out later and with fewer words.
 */
#include <libssh/libssh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bastion_private.h"

/* Of one round: no more are opened at once. */
#define BASTION_HEARD_MAX 4096u

static void bastion_on_refused(struct bastion_heard *heard, const char *text)
{
	struct bastion_refusal *r;
	int at = 0;
	unsigned channel, reason;

	if (sscanf(text, "Channel opening failure: channel %u error (%u) %n", &channel, &reason,
		   &at) < 2 ||
	    !at || heard->count == BASTION_HEARD_MAX)
		return;
	if (heard->count == heard->size) {
		heard->size = heard->size ? heard->size * 2 : 8;
		heard->refused = xrealloc(heard->refused, heard->size, sizeof *r);
	}
	r = &heard->refused[heard->count++];
	*r = (struct bastion_refusal){.channel = channel, .reason = reason};
	(void)snprintf(r->text, sizeof r->text, "%s", text + at);
}

static void bastion_on_log(int priority, const char *function, const char *text, void *arg)
{
	struct bastion_heard *heard = arg;
	const char *found;

	(void)priority;
	(void)function;
	if (!heard)
		return;
	found = strstr(text, "Channel opening failure: ");
	if (found) {
		bastion_on_refused(heard, found);
		return;
	}
	found = strstr(text, "Creating a channel ");
	if (found)
		(void)sscanf(found, "Creating a channel %u", &heard->created);
}

void bastion_listen(struct bastion_heard *heard)
{
	heard->created = 0;
	heard->count = 0;
	(void)ssh_set_log_userdata(heard);
	(void)ssh_set_log_callback(bastion_on_log);
	(void)ssh_set_log_level(SSH_LOG_TRACE);
}

void bastion_unlisten(void)
{
	(void)ssh_set_log_level(SSH_LOG_NONE);
	(void)ssh_set_log_userdata(NULL);
}

void bastion_heard_done(struct bastion_heard *heard)
{
	free(heard->refused);
	*heard = (struct bastion_heard){0};
}

/* Which failures of a login may pass, and when to try again. */
#include <errno.h>
#include <netdb.h>

#include "alloc.h"
#include "pacer.h"

#define RETRY_FIRST_MS 500u
/* With half of it added at random: 30 s. */
#define RETRY_LAST_MS 20000u
/* Without a word of the user. What dropped or could not be resolved just now was there: others
 * (nobody listens, no route) mostly last, and their hosts are better told of at once. */
#define RETRY_DEFAULT 3u

enum pacer_end pacer_end_of_errno(int error)
{
	static const struct {
		int error;
		enum pacer_end end;
	} known[] = {
		{ECONNRESET, PACER_DROPPED},
		{EPIPE, PACER_DROPPED},
		{ECONNABORTED, PACER_DROPPED},
		{ECONNREFUSED, PACER_REFUSED},
		{EHOSTUNREACH, PACER_UNREACHABLE},
		{ENETUNREACH, PACER_UNREACHABLE},
		{ETIMEDOUT, PACER_UNREACHABLE},
		{EHOSTDOWN, PACER_UNREACHABLE},
		{ENETDOWN, PACER_UNREACHABLE},
		{EADDRNOTAVAIL, PACER_LOCAL},
		{ENOBUFS, PACER_LOCAL},
		{ENOMEM, PACER_LOCAL},
		{EMFILE, PACER_LOCAL},
		{ENFILE, PACER_LOCAL},
		{EAGAIN, PACER_LOCAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].error == error)
			return known[i].end;
	return PACER_FINAL;
}

enum pacer_end pacer_end_of_resolver(int error)
{
	return error == EAI_AGAIN    ? PACER_RESOLVE_AGAIN
	       : error == EAI_MEMORY ? PACER_LOCAL
				     : PACER_FINAL;
}

static uint64_t retry_most(enum pacer_end end, uint64_t retries)
{
	if (retries)
		return retries - 1;
	return end == PACER_DROPPED || end == PACER_RESOLVE_AGAIN ? RETRY_DEFAULT : 0;
}

static int64_t retry_delay_ms(uint64_t failed, uint64_t random)
{
	uint64_t ms = RETRY_FIRST_MS;

	while (failed-- && ms < RETRY_LAST_MS)
		ms *= 2;
	if (ms > RETRY_LAST_MS)
		ms = RETRY_LAST_MS;
	return (int64_t)(ms / 2 + random % (ms + 1));
}

int64_t pacer_retry(enum pacer_end end, uint64_t failed, uint64_t retries, uint64_t random)
{
	if (end == PACER_LOGIN || end == PACER_FINAL)
		return PACER_NO_RETRY;
	if (end != PACER_LOCAL && failed >= retry_most(end, retries))
		return PACER_NO_RETRY;
	return retry_delay_ms(failed, random);
}

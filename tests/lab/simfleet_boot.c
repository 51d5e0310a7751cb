#include "simfleet_boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "alloc.h"
#include "simfleet_agent.h"

#define SIM_NONCE_HALF 8
#define SIM_HEX	       "0123456789abcdef"

/* The nonce stands in the text in two halves: n=01234567;n=${n}89abcdef; */
static const char *sim_boot_nonce(const char *command, char ret[2 * SIM_NONCE_HALF + 1])
{
	static const char joint[] = ";n=${n}";

	for (const char *p = command; (p = strstr(p, "n=")); p += 2) {
		const char *second = p + 2 + SIM_NONCE_HALF + sizeof joint - 1;

		if (strspn(p + 2, SIM_HEX) != SIM_NONCE_HALF ||
		    strncmp(p + 2 + SIM_NONCE_HALF, joint, sizeof joint - 1) != 0 ||
		    strspn(second, SIM_HEX) < SIM_NONCE_HALF)
			continue;
		(void)snprintf(ret, 2 * SIM_NONCE_HALF + 1, "%.8s%.8s", p + 2, second);
		return second;
	}
	return NULL;
}

bool sim_boot_is(const char *command)
{
	char nonce[2 * SIM_NONCE_HALF + 1];

	return sim_boot_nonce(command, nonce) != NULL;
}

/* What stands in the text for our architecture: "x86_64)a=x86_64;s=SIZE;h=HASH;f=NAME;;". */
static bool sim_boot_field(const char *command, const char *name, char *ret, size_t size)
{
	struct utsname u;
	char key[sizeof u.machine + 8];
	const char *p;

	if (uname(&u) != 0)
		return false;
	(void)snprintf(key, sizeof key, "a=%s;", u.machine);
	p = strstr(command, key);
	p = p ? strstr(p, name) : NULL;
	if (!p)
		return false;
	p += strlen(name);
	(void)snprintf(ret, size, "%.*s", (int)strcspn(p, ";"), p);
	return true;
}

/* Where another user is to be become: it has worked, at once and without a question. */
static void sim_boot_become(struct sim_channel *ch, const char *command, const char *nonce)
{
	if (!strstr(command, "BECOME"))
		return;
	for (int i = 0; i < 2; i++) {
		buf_addf(sim_channel_out(ch, i), "%s BECOME\n%s THROUGH\n", nonce, nonce);
	}
}

void sim_boot_answer(struct sim_channel *ch, const char *command)
{
	char nonce[2 * SIM_NONCE_HALF + 1], file[64] = "agent";

	(void)sim_boot_nonce(command, nonce);
	(void)sim_boot_field(command, ";f=", file, sizeof file);
	sim_boot_become(ch, command, nonce);
	buf_addf(sim_channel_out(ch, false), "%s RUN /home/sim/.cache/muster-agent/%s\n", nonce,
		 file);
}

struct sim_boot {
	char nonce[2 * SIM_NONCE_HALF + 1];
	size_t left; /* bytes of the agent that have not come */
};

static void sim_boot_free(struct sim_channel *ch)
{
	free(ch->arg);
	ch->arg = NULL;
	ch->role = NULL;
}

static void sim_boot_feed(struct sim_channel *ch, const void *data, size_t len)
{
	struct sim_boot *boot = ch->arg;

	(void)data;
	boot->left -= len < boot->left ? len : boot->left;
	if (boot->left)
		return;
	buf_addf(sim_channel_out(ch, false), "%s RUN /home/sim/.cache/muster-agent/agent\n",
		 boot->nonce);
	sim_boot_free(ch);
	sim_agent_begin(ch);
}

static void sim_boot_end(struct sim_channel *ch)
{
	sim_channel_finish(ch, 1, NULL);
}

static const struct sim_role sim_boot_role = {
	.feed = sim_boot_feed, .end = sim_boot_end, .free = sim_boot_free};

void sim_boot_begin(struct sim_channel *ch, const char *command)
{
	struct sim_boot *boot;
	char nonce[2 * SIM_NONCE_HALF + 1], size[24] = "";
	struct utsname u;

	(void)sim_boot_nonce(command, nonce);
	sim_boot_become(ch, command, nonce);
	if (ch->conn->manner->no_agent || !sim_boot_field(command, ";s=", size, sizeof size) ||
	    uname(&u) != 0) {
		buf_addf(sim_channel_out(ch, false), "%s NODIR /home/sim/.cache (noexec),\n",
			 nonce);
		sim_channel_finish(ch, 1, NULL);
		return;
	}
	buf_addf(sim_channel_out(ch, false), "%s NEED %s %s /home/sim/.cache/muster-agent\n", nonce,
		 u.machine, size);
	boot = xcalloc(1, sizeof *boot);
	memcpy(boot->nonce, nonce, sizeof nonce);
	boot->left = strtoul(size, NULL, 10);
	ch->role = &sim_boot_role;
	ch->arg = boot;
}

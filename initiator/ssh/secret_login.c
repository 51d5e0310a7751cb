#include "secret_login.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"

/* All in one word, so that it changes at once: hosts that try it now, that have refused it, and
 * more that may try it, as others ended without an answer. */
#define SECRET_TRYING  UINT64_C(1)
#define SECRET_REFUSAL (UINT64_C(1) << 24)
#define SECRET_MORE    (UINT64_C(1) << 32)
#define SECRET_MASK    (SECRET_REFUSAL - 1)

struct secret_login {
	atomic_uint holders;
	atomic_bool taken;
	atomic_uint_fast64_t counts;
	struct locked *password;
	struct prompts *prompts;
};

struct secret_login *secret_login_new(struct locked *password, struct prompts *prompts)
{
	struct secret_login *login = xcalloc(1, sizeof *login);

	atomic_init(&login->holders, 1);
	atomic_init(&login->taken, false);
	atomic_init(&login->counts, 0);
	login->password = password;
	login->prompts = prompts;
	return login;
}

struct secret_login *secret_login_with(const struct secret_login *login, struct prompts *prompts)
{
	return secret_login_new(login ? locked_hold(login->password) : NULL, prompts);
}

struct secret_login *secret_login_hold(struct secret_login *login)
{
	if (login)
		atomic_fetch_add(&login->holders, 1);
	return login;
}

void secret_login_drop(struct secret_login *login)
{
	if (!login || atomic_fetch_sub(&login->holders, 1) != 1)
		return;
	locked_drop(login->password);
	prompts_drop(login->prompts);
	free(login);
}

const char *secret_login_text(const struct secret_login *login)
{
	return login ? locked_text(login->password) : NULL;
}

bool secret_login_has_password(const struct secret_login *login)
{
	return login && login->password;
}

struct prompts *secret_login_prompts(const struct secret_login *login)
{
	return login ? login->prompts : NULL;
}

static uint64_t secret_refusals(uint64_t counts)
{
	return counts >> 24 & 0xff;
}

enum secret_turn secret_login_begin(struct secret_login *login)
{
	uint64_t counts = atomic_load(&login->counts);

	do {
		uint64_t trying = counts & SECRET_MASK, more = counts >> 32;

		if (atomic_load(&login->taken))
			continue;
		if (secret_refusals(counts) >= SECRET_TRIES)
			return SECRET_NEVER;
		if (trying + secret_refusals(counts) >= SECRET_TRIES + more)
			return SECRET_WAIT;
	} while (!atomic_compare_exchange_weak(&login->counts, &counts, counts + SECRET_TRYING));
	return SECRET_GO;
}

void secret_login_end(struct secret_login *login, enum secret_end end)
{
	uint64_t counts = atomic_load(&login->counts), next;

	if (end == SECRET_TAKEN)
		atomic_store(&login->taken, true);
	do {
		next = counts - SECRET_TRYING;
		if (end == SECRET_REFUSED && secret_refusals(counts) < SECRET_TRIES)
			next += SECRET_REFUSAL;
		/* Hosts that hang must not keep thousands waiting: each lets one more try. */
		if (end == SECRET_UNKNOWN && counts >> 32 < UINT16_MAX)
			next += SECRET_MORE;
	} while (!atomic_compare_exchange_weak(&login->counts, &counts, next));
}

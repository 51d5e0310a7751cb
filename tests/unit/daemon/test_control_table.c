/* Which message a client may send when: every state with every number, against docs/protocol.md,
 * section 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "client.h"

static const char *const state_names[CLIENT_STATE_COUNT] = {
	[CLIENT_GREETING] = "greeting", [CLIENT_IDLE] = "idle",	      [CLIENT_FILLING] = "filling",
	[CLIENT_RUNNING] = "running",	[CLIENT_READING] = "reading", [CLIENT_WAITING] = "waiting",
	[CLIENT_STAGING] = "staging",
};

/* What is not listed is legal in no state. */
static const struct {
	uint8_t type;
	bool legal[CLIENT_STATE_COUNT]; /* greeting, idle, filling, running, reading, waiting,
					   staging */
} golden[] = {
	{MSG_HELLO, {1, 0, 0, 0, 0, 0, 0}},
	{MSG_JOB_OPEN, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_JOB_TARGETS, {0, 0, 1, 0, 0, 0, 0}},
	{MSG_JOB_RUN, {0, 0, 1, 0, 0, 0, 0}},
	{MSG_JOB_STOP, {0, 1, 0, 1, 1, 0, 0}},
	{MSG_JOB_CHILDREN, {0, 1, 0, 0, 1, 0, 0}},
	{MSG_PING, {0, 1, 1, 1, 1, 1, 1}},
	{MSG_GET, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_DO, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_RECEIVE, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_RECEIVED, {0, 1, 0, 0, 1, 0, 0}},
	{MSG_SESSION_GET, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_SESSION_DO, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_STATUS, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_SHUTDOWN, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_JOB_SECRET, {0, 0, 1, 0, 0, 0, 0}},
	{MSG_JOB_ANSWER, {0, 1, 0, 1, 1, 1, 0}},
	/* One may cross with the end of its job. */
	{MSG_JOB_STDIN, {0, 1, 1, 1, 1, 0, 0}},
	{MSG_COPY_OPEN, {0, 1, 0, 0, 0, 0, 0}},
	{MSG_COPY_ENTRY, {0, 0, 0, 0, 0, 0, 1}},
	{MSG_COPY_DATA, {0, 0, 0, 0, 0, 0, 1}},
	{MSG_COPY_END, {0, 0, 0, 0, 0, 0, 1}},
	{MSG_COPY_ANSWER, {0, 1, 0, 0, 1, 0, 0}},
	{MSG_COPY_CREDIT, {0, 1, 0, 0, 1, 0, 0}},
};

static bool golden_is_legal(enum client_state state, unsigned type)
{
	for (size_t i = 0; i < ARRAY_LEN(golden); i++)
		if (golden[i].type == type)
			return golden[i].legal[state];
	return false;
}

static void test_every_pair(void **unused)
{
	(void)unused;
	for (int state = 0; state < CLIENT_STATE_COUNT; state++)
		for (unsigned type = 0; type <= UINT8_MAX; type++) {
			bool legal = client_find_request((enum client_state)state, (uint8_t)type);
			const char *name = message_name((uint8_t)type);

			if (legal != golden_is_legal((enum client_state)state, type))
				fail_msg("%s (%u) is %s while %s", name ? name : "?", type,
					 legal ? "legal" : "illegal", state_names[state]);
		}
}

/* A message that only the daemon sends is never a request. */
static void test_only_what_clients_send(void **unused)
{
	(void)unused;
	for (int state = 0; state < CLIENT_STATE_COUNT; state++)
		for (unsigned type = 0; type <= UINT8_MAX; type++)
			if (client_find_request((enum client_state)state, (uint8_t)type))
				assert_true(message_may_send((uint8_t)type, MSG_FROM_C));
}

/* A message means the same in every state in which it is legal. */
static void test_one_handler_a_message(void **unused)
{
	(void)unused;
	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		client_request_fn *first = NULL;

		for (int state = 0; state < CLIENT_STATE_COUNT; state++) {
			client_request_fn *fn =
				client_find_request((enum client_state)state, (uint8_t)type);

			if (fn && first)
				assert_ptr_equal(fn, first);
			first = fn ? fn : first;
		}
	}
}

/* Every message of a client has a state in which it can be sent, ERROR aside: a client that sends
 * one has given up. */
static void test_every_request_is_possible(void **unused)
{
	(void)unused;
	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		bool possible = false;

		for (int state = 0; state < CLIENT_STATE_COUNT; state++)
			possible = possible ||
				   client_find_request((enum client_state)state, (uint8_t)type);
		if (type != MSG_ERROR)
			assert_int_equal(possible, message_may_send((uint8_t)type, MSG_FROM_C));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_only_what_clients_send),
		cmocka_unit_test(test_one_handler_a_message),
		cmocka_unit_test(test_every_request_is_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

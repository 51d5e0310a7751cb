/* Hashed lines of many hosts that share one key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "known_hosts_keys.h"

#define MANY   3000u
#define SHARED 7u

static const char *name_of(unsigned i)
{
	static _Thread_local char name[32];

	(void)snprintf(name, sizeof name, "host%u", i);
	return name;
}

static struct known_hosts *many_hosts(void)
{
	struct buf text = {0};

	for (unsigned i = 0; i < MANY; i++)
		key_hashed_line(&text, "", name_of(i), ED, SHARED);
	return known_hosts_from_text("kh", &text);
}

/* Whether the line of a name is found by so many HMACs. */
static bool finds(const struct known_hosts *kh, const char *name, size_t budget)
{
	struct test_key key = key_make(ED, SHARED);
	struct known_query query;
	struct known_search search = {.kh = kh, .query = &query, .budget = budget};
	const uint32_t *first = known_index_blob(kh, key.blob, key.len, &search.count);
	bool found;

	search.first = (size_t)(first - kh->hashed);
	known_query_init(&query, name, 22, false);
	found = known_memo_find(&search);
	known_query_done(&query);
	assert_int_equal(found, search.found);
	return found;
}

static void test_in_order(void **state)
{
	struct known_hosts *kh = many_hosts();

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		assert_true(finds(kh, name_of(i), 4));
	known_hosts_free(kh);
}

/* As when 256 logins are on their way at once, and end in any order. */
static void test_nearly_in_order(void **state)
{
	struct known_hosts *kh = many_hosts();

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		unsigned at = i / 250 * 250 + i * 77 % 250;

		assert_true(finds(kh, name_of(at), 260));
	}
	known_hosts_free(kh);
}

static void test_found_again(void **state)
{
	struct known_hosts *kh = many_hosts();
	size_t slow = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		assert_true(finds(kh, name_of(i * 1001 % MANY), SIZE_MAX));
	for (unsigned i = 0; i < MANY; i++)
		slow += !finds(kh, name_of(i), 10);
	/* Where many names want the same place one may not have got it. */
	assert_in_range(slow, 0, MANY / 100);
	for (unsigned i = 0; i < MANY; i++)
		assert_true(finds(kh, name_of(i), SIZE_MAX));
	assert_false(finds(kh, "stranger", SIZE_MAX));
	known_hosts_free(kh);
}

static void test_budget(void **state)
{
	struct known_hosts *kh = many_hosts();

	(void)state;
	assert_false(finds(kh, name_of(MANY - 1), 100));
	assert_false(finds(kh, name_of(0), 0));
	assert_true(finds(kh, name_of(MANY - 1), MANY));
	known_hosts_free(kh);
}

static enum known_verdict judge(const struct known_hosts *kh, const char *name, uint16_t port,
				unsigned key, bool *ret_fast)
{
	const struct known_hosts *const files[] = {kh};
	struct test_key k = key_make(ED, key);
	struct known_where where;
	enum known_verdict fast = KNOWN_ERROR, full;

	*ret_fast =
		known_hosts_check_fast(files, 1, name, port, 0, ED, k.blob, k.len, &fast, &where);
	full = known_hosts_check(files, 1, name, port, 0, ED, k.blob, k.len, &where);
	if (*ret_fast)
		assert_int_equal(fast, full);
	return full;
}

/* What is remembered changes no verdict. */
static void test_verdicts(void **state)
{
	struct buf text = {0};
	struct known_hosts *kh;
	bool fast;

	(void)state;
	key_hashed_line(&text, "", "lost", ED, SHARED);
	key_hashed_line(&text, "", "twice", ED, 1);
	for (unsigned i = 0; i < MANY; i++)
		key_hashed_line(&text, "", name_of(i), ED, SHARED);
	key_hashed_line(&text, "@revoked ", "lost", ED, SHARED);
	key_hashed_line(&text, "", "twice", ED, SHARED);
	key_hashed_line(&text, "", "twice", ED, SHARED);
	key_hashed_line(&text, "", "[port]:99", ED, 1);
	key_hashed_line(&text, "", "port", ED, SHARED);
	kh = known_hosts_from_text("kh", &text);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(judge(kh, name_of(MANY - 1), 22, SHARED, &fast), KNOWN_MATCH);
		assert_int_equal(fast, round > 0);
		assert_int_equal(judge(kh, name_of(5), 22, 1, &fast), KNOWN_CHANGED);
		assert_int_equal(judge(kh, "nobody", 22, SHARED, &fast), KNOWN_UNKNOWN);
		assert_false(fast);
		assert_int_equal(judge(kh, "lost", 22, SHARED, &fast), KNOWN_REVOKED);
		assert_true(fast);
		assert_int_equal(judge(kh, "twice", 22, SHARED, &fast), KNOWN_MATCH);
		assert_int_equal(judge(kh, "twice", 22, 1, &fast), KNOWN_MATCH);
		/* The line of its port knows another key: that of its name does not vouch. */
		assert_int_equal(judge(kh, "port", 99, SHARED, &fast), KNOWN_CHANGED);
		assert_int_equal(judge(kh, "port", 98, SHARED, &fast), KNOWN_MATCH);
	}
	known_hosts_free(kh);
}

static void *look_for_all(void *arg)
{
	size_t missing = 0;

	for (unsigned i = 0; i < MANY; i++)
		missing += !finds(arg, name_of(i), SIZE_MAX);
	return (void *)missing;
}

/* For the thread sanitizer, too. */
static void test_threads(void **state)
{
	struct known_hosts *kh = many_hosts();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_for_all, kh), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *missing;

		assert_int_equal(pthread_join(threads[i], &missing), 0);
		assert_null(missing);
	}
	known_hosts_free(kh);
}

/* Of a round of connecting: they come one after the other, and are one write. */
enum { ROUND = 40 };

struct round {
	const struct known_hosts *kh;
	unsigned number;
};

static void *offer_one(void *arg)
{
	const struct round *round = arg;
	char name[32];
	const uint8_t blob[] = {0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9'};
	struct known_new key = {.name = name,
				.port = 22,
				.type = "ssh-ed25519",
				.blob = blob,
				.blob_len = sizeof blob};
	struct known_offer *offer;
	const char *why;

	(void)snprintf(name, sizeof name, "round%u.example", round->number);
	offer = known_offer_new(round->kh, &key);
	known_offer_write(offer);
	assert_int_equal(known_offer_result(offer, &key, &why), 0);
	assert_int_equal(key.result, KNOWN_ADDED);
	known_offer_free(offer);
	return NULL;
}

static void test_round(void **state)
{
	char path[] = "/tmp/known-round.XXXXXX";
	int fd = mkstemp(path);
	struct round rounds[ROUND];
	pthread_t threads[ROUND];
	struct known_hosts *kh;
	struct errmsg msg;

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(known_hosts_load(&kh, path, &msg), 0);
	for (unsigned i = 0; i < ROUND; i++) {
		rounds[i] = (struct round){kh, i};
		assert_int_equal(pthread_create(&threads[i], NULL, offer_one, &rounds[i]), 0);
	}
	for (unsigned i = 0; i < ROUND; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* One, and more where this computer stood still in between. */
	assert_in_range(known_news_writes(kh), 1, ROUND / 4);
	known_hosts_free(kh);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),    cmocka_unit_test(test_nearly_in_order),
		cmocka_unit_test(test_found_again), cmocka_unit_test(test_budget),
		cmocka_unit_test(test_verdicts),    cmocka_unit_test(test_threads),
		cmocka_unit_test(test_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

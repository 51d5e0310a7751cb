#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "known_hosts_keys.h"

#define EC	   "ecdsa-sha2-nistp256"
#define HASHED_MAX (KNOWN_HASHED_FEW + 4)

/* One file of known hosts, and the place where the last verdict was found. */
static struct buf text;
static struct known_where where;

static const char *verdict_name(enum known_verdict verdict)
{
	static const char *const names[] = {
		[KNOWN_MATCH] = "MATCH", [KNOWN_UNKNOWN] = "UNKNOWN", [KNOWN_CHANGED] = "CHANGED",
		[KNOWN_OTHER] = "OTHER", [KNOWN_REVOKED] = "REVOKED", [KNOWN_CA_ONLY] = "CA_ONLY",
		[KNOWN_ERROR] = "ERROR",
	};

	return names[verdict];
}

static struct known_hosts *take(const char *path)
{
	return known_hosts_from_text(path, &text);
}

static enum known_verdict ask(struct known_hosts *kh, const char *name, uint16_t port, int alias,
			      const char *type, unsigned number)
{
	const struct known_hosts *const files[] = {kh};
	struct test_key k = key_make(known_type(type), number);

	return known_hosts_check(files, 1, name, port, alias, type, k.blob, k.len, &where);
}

struct row {
	const char *name;
	uint16_t port;
	int alias;
	const char *type;
	unsigned key;
	enum known_verdict verdict;
	unsigned line;
};

static void check_rows(struct known_hosts *kh, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		enum known_verdict v = ask(kh, r->name, r->port, r->alias, r->type, r->key);

		if (v != r->verdict || where.line != r->line)
			fail_msg("row %zu, %s:%u: %s in line %u", i, r->name, r->port,
				 verdict_name(v), where.line);
		if (r->line)
			assert_string_equal(where.path, "kh");
		else
			assert_null(where.path);
	}
	known_hosts_free(kh);
}

static void test_plain(void **state)
{
	static const struct row rows[] = {
		{"a", 22, 0, ED, 1, KNOWN_MATCH, 1},
		{"A", 22, 0, ED, 1, KNOWN_MATCH, 1},
		{"10.0.0.1", 0, 0, ED, 1, KNOWN_MATCH, 1},
		{"a", 22, 0, ED, 2, KNOWN_CHANGED, 1},
		{"a", 22, 0, RSA, 1, KNOWN_MATCH, 3},
		{"a", 22, 0, RSA, 2, KNOWN_CHANGED, 3},
		{"a", 22, 0, "x", 1, KNOWN_OTHER, 1},
		{"c", 22, 0, RSA, 1, KNOWN_OTHER, 2},
		{"b", 22, 0, ED, 2, KNOWN_MATCH, 2},
		{"d", 22, 0, ED, 1, KNOWN_UNKNOWN, 0},
		{"", 22, 0, ED, 1, KNOWN_UNKNOWN, 0},
		{"a,10.0.0.1", 22, 0, ED, 1, KNOWN_UNKNOWN, 0},
		{"10.0.0.", 22, 0, ED, 1, KNOWN_UNKNOWN, 0},
	};

	(void)state;
	key_line(&text, "a,,10.0.0.1", ED, 1);
	key_line(&text, "B,C", ED, 2);
	key_line(&text, "a", RSA, 1);
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

static void test_ports(void **state)
{
	static const struct row rows[] = {
		{"a", 2222, 0, ED, 1, KNOWN_MATCH, 1},
		{"a", 22, 0, ED, 1, KNOWN_CHANGED, 2},
		/* There is a line for this port: the plain name is not asked. */
		{"a", 2222, 0, ED, 2, KNOWN_CHANGED, 1},
		{"a", 2222, 0, RSA, 2, KNOWN_OTHER, 1},
		/* There is none for this port: the plain name vouches, and cannot refuse. */
		{"a", 23, 0, ED, 2, KNOWN_MATCH, 2},
		{"a", 23, 0, ED, 3, KNOWN_UNKNOWN, 0},
		{"b", 23, 0, ED, 4, KNOWN_REVOKED, 3},
		{"::1", 2222, 0, ED, 5, KNOWN_MATCH, 4},
		/* An alias has no port. */
		{"a", 2222, 1, ED, 2, KNOWN_MATCH, 2},
		{"a", 2222, 1, ED, 1, KNOWN_CHANGED, 2},
	};

	(void)state;
	key_line(&text, "[a]:2222", ED, 1);
	key_line(&text, "a", ED, 2);
	key_line(&text, "@revoked b", ED, 4);
	key_line(&text, "[::1]:2222", ED, 5);
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

static void test_patterns(void **state)
{
	static const struct row rows[] = {
		{"web1.lan", 22, 0, ED, 1, KNOWN_MATCH, 1},
		{"web2.lan", 22, 0, ED, 1, KNOWN_OTHER, 3},
		{"WEB1.LAN", 22, 0, ED, 1, KNOWN_MATCH, 1},
		{"db7", 22, 0, ED, 2, KNOWN_MATCH, 2},
		{"db77", 22, 0, ED, 2, KNOWN_OTHER, 3},
		{"plain", 22, 0, ED, 2, KNOWN_MATCH, 2},
		{"web1.lan", 99, 0, ED, 1, KNOWN_OTHER, 3},
	};

	(void)state;
	key_line(&text, "*.Lan,!web2.lan", ED, 1);
	key_line(&text, "db?,plain", ED, 2);
	key_line(&text, "*", RSA, 3);
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

static void test_hashed(void **state)
{
	static const struct row rows[] = {
		{"a", 22, 0, ED, 1, KNOWN_MATCH, 1},   {"A", 22, 0, ED, 1, KNOWN_MATCH, 1},
		{"a", 22, 0, ED, 9, KNOWN_CHANGED, 1}, {"a", 22, 0, RSA, 9, KNOWN_OTHER, 1},
		{"b", 2222, 0, ED, 2, KNOWN_MATCH, 2}, {"b", 22, 0, ED, 2, KNOWN_UNKNOWN, 0},
		{"c", 22, 0, ED, 3, KNOWN_REVOKED, 3}, {"c", 22, 0, ED, 1, KNOWN_UNKNOWN, 0},
		{"d", 22, 0, ED, 4, KNOWN_CA_ONLY, 4}, {"a", 23, 0, ED, 1, KNOWN_MATCH, 1},
		{"e", 22, 0, ED, 1, KNOWN_UNKNOWN, 0}, {"f", 22, 0, ED, 1, KNOWN_CHANGED, 6},
		{"f", 22, 0, RSA, 5, KNOWN_MATCH, 5},
	};

	(void)state;
	key_hashed_line(&text, "", "a", ED, 1);
	key_hashed_line(&text, "", "[b]:2222", ED, 2);
	key_hashed_line(&text, "@revoked ", "c", ED, 3);
	key_hashed_line(&text, "@cert-authority ", "d", ED, 4);
	/* The plain line says "other", the hashed one behind it knows better. */
	key_line(&text, "f", RSA, 5);
	key_hashed_line(&text, "", "f", ED, 6);
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

static void test_rank(void **state)
{
	static const struct row rows[] = {
		{"a", 22, 0, ED, 1, KNOWN_REVOKED, 3}, {"a", 22, 0, ED, 2, KNOWN_MATCH, 2},
		{"a", 22, 0, ED, 3, KNOWN_CHANGED, 1}, {"b", 22, 0, ED, 1, KNOWN_REVOKED, 3},
		{"b", 22, 0, ED, 2, KNOWN_CA_ONLY, 4}, {"c", 22, 0, ED, 6, KNOWN_OTHER, 6},
		{"c", 22, 0, ED, 5, KNOWN_OTHER, 6},   {"d", 22, 0, ED, 2, KNOWN_UNKNOWN, 0},
	};

	(void)state;
	key_line(&text, "a", ED, 1);
	key_line(&text, "a", ED, 2);
	key_line(&text, "@revoked *", ED, 1);
	key_line(&text, "@cert-authority b", ED, 2);
	key_line(&text, "@cert-authority c", ED, 5);
	key_line(&text, "c", RSA, 6);
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

/* A revocation in the second file outweighs a match in the first, hashed or not. */
static void test_files_together(void **state)
{
	struct known_hosts *one, *two;
	struct test_key k1 = key_make(ED, 1), k2 = key_make(ED, 2), k3 = key_make(ED, 3);

	(void)state;
	key_line(&text, "a", ED, 1);
	key_line(&text, "a", RSA, 2);
	one = take("one");
	key_hashed_line(&text, "", "a", ED, 3);
	key_hashed_line(&text, "@revoked ", "a", ED, 1);
	two = take("two");
	{
		const struct known_hosts *const files[] = {one, two};

		assert_int_equal(
			known_hosts_check(files, 2, "a", 22, 0, ED, k1.blob, k1.len, &where),
			KNOWN_REVOKED);
		assert_string_equal(where.path, "two");
		assert_int_equal(where.line, 2);
		assert_int_equal(
			known_hosts_check(files, 2, "a", 22, 0, ED, k3.blob, k3.len, &where),
			KNOWN_MATCH);
		assert_string_equal(where.path, "two");
		assert_int_equal(known_hosts_check(files, 2, "a", 22, 0, ED, k2.blob, k2.len, NULL),
				 KNOWN_CHANGED);
		assert_int_equal(
			known_hosts_check(files, 0, "a", 22, 0, ED, k1.blob, k1.len, &where),
			KNOWN_UNKNOWN);
	}
	known_hosts_free(one);
	known_hosts_free(two);
}

static void test_rsa_is_one_type(void **state)
{
	static const struct row rows[] = {
		{"a", 22, 0, "rsa-sha2-512", 1, KNOWN_MATCH, 1},
		{"a", 22, 0, "rsa-sha2-256", 2, KNOWN_CHANGED, 1},
		{"b", 22, 0, RSA, 2, KNOWN_CHANGED, 2},
	};

	(void)state;
	key_line(&text, "a", RSA, 1);
	key_line(&text, "b", "rsa-sha2-256", 1);
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

static void test_odd_lines(void **state)
{
	static const struct row rows[] = {
		{"crlf", 22, 0, ED, 1, KNOWN_MATCH, 3},
		{"blank", 22, 0, ED, 2, KNOWN_MATCH, 4},
		{"new", 22, 0, "new-type@example.org", 3, KNOWN_MATCH, 5},
		{"new", 22, 0, ED, 3, KNOWN_OTHER, 5},
		{"dsa", 22, 0, ED, 1, KNOWN_OTHER, 6},
		{"last", 22, 0, ED, 4, KNOWN_MATCH, 7},
	};

	(void)state;
	buf_add_str(&text, "# comment\n\n");
	key_line(&text, "crlf", ED, 1);
	text.len--;
	buf_add_str(&text, "\r\n \t");
	key_line(&text, "blank\t", ED, 2);
	text.len--;
	buf_add_str(&text, " root@blank has a comment\n");
	key_line(&text, "new", "new-type@example.org", 3);
	key_line(&text, "dsa", "ssh-dss", 1);
	key_line(&text, "last", ED, 4);
	text.len--;
	check_rows(take("kh"), rows, ARRAY_LEN(rows));
}

static const char *const no_lines[] = {
	"x",
	"x ssh-ed25519",
	"x ssh-ed25519 ",
	"x 1024 35 1234567890123456789",
	"x ssh-ed25519 AAAA",
	"x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5=",
	"x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoB===",
	"x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5-AAA",
	"x ssh-ed25519 ////////",
	"x ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"x ssh-ed2551 AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"@unknown x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"@revoked ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"@revoked",
	"| ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"|1| ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"|1|AAAA|AAAA ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"|2|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
	"|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA=,x ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAIFoB",
};

static void test_no_lines(void **state)
{
	struct known_hosts *kh;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_lines); i++) {
		buf_addf(&text, "%s\n", no_lines[i]);
		kh = take("kh");
		if (kh->line_count != 0)
			fail_msg("a line: %s", no_lines[i]);
		known_hosts_free(kh);
	}
	/* A NUL would let the eye of a person and ours read two different lines. */
	buf_add(&text, "a\0", 2);
	key_line(&text, "b", ED, 1);
	kh = take("kh");
	assert_int_equal(kh->line_count, 0);
	known_hosts_free(kh);
	for (unsigned i = 0; i < KNOWN_LINE_MAX; i++)
		buf_add_char(&text, 'a');
	key_line(&text, "", ED, 1);
	kh = take("kh");
	assert_int_equal(kh->line_count, 0);
	known_hosts_free(kh);
}

/* The number of HMACs does not show from outside; what may cause them does. */
static void test_index(void **state)
{
	struct known_hosts *kh;
	struct test_key k = key_make(ED, 7777);
	char name[32];
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof name, "h%u", i);
		key_hashed_line(&text, "", name, ED, i);
		key_line(&text, name, ED, i + 10000);
	}
	kh = take("kh");
	assert_int_equal(kh->hashed_count, 10000);
	assert_int_equal(kh->name_count, 10000);
	assert_int_equal(kh->walked_count, 0);
	(void)known_index_blob(kh, k.blob, k.len, &count);
	assert_int_equal(count, 1);
	(void)known_index_names(kh, "h9999", &count);
	assert_int_equal(count, 1);
	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof name, "h%u", i);
		assert_int_equal(ask(kh, name, 22, 0, ED, i), KNOWN_MATCH);
		assert_int_equal(where.line, 2 * i + 1);
	}
	assert_int_equal(ask(kh, "h5", 22, 0, ED, 6), KNOWN_CHANGED);
	known_hosts_free(kh);
}

static void check_types(struct known_hosts *kh, const char *name, uint16_t port, int alias,
			const char *expected)
{
	const struct known_hosts *const files[] = {kh};
	struct buf out = {0};

	known_hosts_types(files, 1, name, port, alias, HASHED_MAX, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_done(&out);
}

static void test_types(void **state)
{
	struct known_hosts *kh;

	(void)state;
	key_line(&text, "a*", "t1", 1);
	key_hashed_line(&text, "", "a", "t2", 1);
	key_line(&text, "a", "rsa-sha2-512", 1);
	key_line(&text, "a", "t1", 2);
	key_line(&text, "a", RSA, 3);
	key_line(&text, "@revoked a", "t4", 1);
	key_line(&text, "@cert-authority a", "t5", 1);
	key_line(&text, "[a]:23", "t6", 1);
	kh = take("kh");
	check_types(kh, "A", 22, 0, "t1,t2,ssh-rsa");
	check_types(kh, "a", 23, 0, "t6");
	check_types(kh, "a", 24, 0, "t1,t2,ssh-rsa");
	check_types(kh, "a", 23, 1, "t1,t2,ssh-rsa");
	check_types(kh, "b", 22, 0, "");
	known_hosts_free(kh);
}

/* Up to the limit each hashed line is tried; above it their types count for any name, and last. */
static void test_types_of_many_hashed(void **state)
{
	struct known_hosts *kh;

	(void)state;
	key_line(&text, "a", ED, 1);
	key_hashed_line(&text, "", "a", RSA, 0);
	for (unsigned i = 1; i < HASHED_MAX; i++)
		key_hashed_line(&text, "", "b", i % 2 ? ED : EC, i);
	kh = take("kh");
	check_types(kh, "a", 22, 0, "ssh-ed25519,ssh-rsa");
	check_types(kh, "c", 22, 0, "");
	known_hosts_free(kh);

	key_line(&text, "a", "t1", 1);
	key_hashed_line(&text, "", "a", RSA, 0);
	key_hashed_line(&text, "@revoked ", "a", "t2", 0);
	for (unsigned i = 0; i < HASHED_MAX; i++)
		key_hashed_line(&text, "", "b", i % 2 ? EC : ED, i);
	kh = take("kh");
	check_types(kh, "a", 22, 0, "t1,ssh-ed25519,ecdsa-sha2-nistp256,ssh-rsa");
	check_types(kh, "c", 22, 0, "ssh-ed25519,ecdsa-sha2-nistp256,ssh-rsa");
	known_hosts_free(kh);

	for (unsigned i = 0; i < HASHED_MAX; i++)
		key_hashed_line(&text, "", "b", i % 3 ? EC : ED, i);
	key_hashed_line(&text, "", "b", RSA, HASHED_MAX);
	kh = take("kh");
	check_types(kh, "c", 22, 0, "ecdsa-sha2-nistp256,ssh-ed25519,ssh-rsa");
	known_hosts_free(kh);
}

/* Where they all have one type there is nothing to find out, but in the few that cost nothing. */
static void test_types_of_hashed_alike(void **state)
{
	struct known_hosts *kh;

	(void)state;
	for (unsigned i = 0; i < KNOWN_HASHED_FEW; i++)
		key_hashed_line(&text, "", "b", RSA, i);
	kh = take("kh");
	check_types(kh, "a", 22, 0, "");
	check_types(kh, "b", 22, 0, "ssh-rsa");
	known_hosts_free(kh);

	key_line(&text, "a", ED, 1);
	for (unsigned i = 0; i <= KNOWN_HASHED_FEW; i++)
		key_hashed_line(&text, "", "b", RSA, i);
	kh = take("kh");
	check_types(kh, "a", 22, 0, "ssh-ed25519,ssh-rsa");
	check_types(kh, "b", 23, 0, "ssh-rsa");
	known_hosts_free(kh);
}

static void test_types_are_capped(void **state)
{
	struct known_hosts *kh;
	const struct known_hosts *files[1];
	struct buf out = {0};
	size_t commas = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		char type[16];

		(void)snprintf(type, sizeof type, "t%u", i);
		key_line(&text, "a", type, 1);
	}
	files[0] = kh = take("kh");
	known_hosts_types(files, 1, "a", 22, 0, HASHED_MAX, &out);
	for (const char *s = buf_cstr(&out); *s; s++)
		commas += *s == ',';
	assert_int_equal(commas, KNOWN_TYPES - 1);
	buf_done(&out);
	known_hosts_free(kh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_hashed),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_files_together),
		cmocka_unit_test(test_rsa_is_one_type),
		cmocka_unit_test(test_odd_lines),
		cmocka_unit_test(test_no_lines),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_types_of_many_hashed),
		cmocka_unit_test(test_types_of_hashed_alike),
		cmocka_unit_test(test_types_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

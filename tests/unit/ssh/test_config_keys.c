/* docs/ssh_config.md says of each keyword what the table of the program says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "config_private.h"

static char *read_doc(void)
{
	FILE *file = fopen(DOCS_DIR "/ssh_config.md", "re");
	struct buf text = {0};
	char part[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(part, 1, sizeof part, file)) > 0)
		buf_add(&text, part, n);
	assert_int_equal(fclose(file), 0);
	return buf_take_str(&text);
}

static char *row_of(const struct config_keyword *k)
{
	static const char *const fates[] = {[CONFIG_APPLIED] = "applied",
					    [CONFIG_BY_OPENSSH] = "OpenSSH",
					    [CONFIG_SILENT] = "silent",
					    [CONFIG_NAMED] = "named"};

	return xasprintf("| %s | %s | %s |\n", k->name, fates[k->fate], k->why);
}

static void test_each_keyword_has_its_row(void **state)
{
	char *doc = read_doc();
	const struct config_keyword *k;

	(void)state;
	for (size_t i = 0; (k = config_keyword_at(i)) != NULL; i++) {
		char *row = row_of(k);

		if (!strstr(doc, row))
			fail_msg("docs/ssh_config.md lacks: %s", row);
		assert_ptr_equal(config_keyword_find(k->name), k);
		free(row);
	}
	free(doc);
}

static void test_each_row_has_its_keyword(void **state)
{
	char *doc = read_doc(), *at = strstr(doc, "|---|---|---|\n");
	size_t rows = 0;

	(void)state;
	assert_non_null(at);
	for (at = strchr(at, '\n') + 1; strncmp(at, "| ", 2) == 0; rows++) {
		char *name = xstrndup(at + 2, strcspn(at + 2, " "));

		if (!config_keyword_find(name))
			fail_msg("docs/ssh_config.md has %s, and the program has not", name);
		free(name);
		at = strchr(at, '\n') + 1;
	}
	assert_null(config_keyword_at(rows));
	assert_non_null(config_keyword_at(rows - 1));
	free(doc);
}

/* What is applied or left to the OpenSSH client is kept; the rest is not. */
static void test_fates(void **state)
{
	const struct config_keyword *k;

	(void)state;
	for (size_t i = 0; (k = config_keyword_at(i)) != NULL; i++) {
		bool kept = k->parse != config_do_ignored && k->parse != config_do_nothing;

		assert_int_equal(kept, k->fate == CONFIG_APPLIED || k->fate == CONFIG_BY_OPENSSH);
		assert_int_equal(k->parse == config_do_ignored, k->fate == CONFIG_NAMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_keyword_has_its_row),
		cmocka_unit_test(test_each_row_has_its_keyword),
		cmocka_unit_test(test_fates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

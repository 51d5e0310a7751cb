#include "near.h"

#include <stdbool.h>
#include <string.h>

#define NEAR_MAX       3u
#define NEAR_LEN_MAX   64u
#define NEAR_LOOKED_AT 20000u

/* Levenshtein's distance, for names of at most NEAR_LEN_MAX bytes. */
static size_t near_distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[NEAR_LEN_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t change = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (change > row[j] + 1)
				change = row[j] + 1;
			if (change > row[j - 1] + 1)
				change = row[j - 1] + 1;
			row[j] = change;
		}
	}
	return row[m];
}

static bool near_is(const char *a, size_t n, const char *b, size_t m)
{
	if (!n || !m || n > NEAR_LEN_MAX || m > NEAR_LEN_MAX)
		return false;
	if ((n < m ? n : m) >= 3 && strncmp(a, b, n < m ? n : m) == 0)
		return true;
	return near_distance(a, n, b, m) <= (n > 4 || (n > 2 && *a == *b) ? 2u : 1u);
}

void near_names(struct buf *out, struct buf *names, const char *name)
{
	size_t n = strlen(name), found = 0, looked = 0;

	for (const char *at = buf_cstr(names); *at && found < NEAR_MAX && looked < NEAR_LOOKED_AT;
	     looked++) {
		size_t len = strcspn(at, "\n");

		if (near_is(name, n, at, len))
			buf_addf(out, "%s%.*s", found++ ? ", " : " (near: ", (int)len, at);
		at += len + (at[len] == '\n');
	}
	if (found)
		buf_add_char(out, ')');
}

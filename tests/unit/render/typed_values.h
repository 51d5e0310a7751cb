/* Typed values from a short notation, for the tests of this folder. */
#ifndef MUSTER_TEST_TYPED_VALUES_H
#define MUSTER_TEST_TYPED_VALUES_H

#include <stdlib.h>
#include <string.h>

#include "value.h"
#include "wire.h"

/*
 * Appends the objects that words tell, in their order: "[3" and "{2" are the heads of an array and
 * a map, "u7" and "i-7" integers, "f0.5" a float (also "fnan"), "sTEXT" a text, "bTEXT" bytes,
 * "t" and "f" booleans, "n" nil, "@7.5" a time of 7 s and 5 ns.
 */
static inline void typed_put(struct buf *out, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *w = words[i], *rest = w + 1;

		if (*w == '[')
			wire_put_array(out, strtoul(rest, NULL, 10));
		else if (*w == '{')
			value_put_map(out, strtoul(rest, NULL, 10));
		else if (*w == 'u')
			wire_put_u64(out, strtoull(rest, NULL, 10));
		else if (*w == 'i')
			wire_put_i64(out, strtoll(rest, NULL, 10));
		else if (*w == 'f' && *rest)
			value_put_float(out, strtod(rest, NULL));
		else if (*w == 's')
			wire_put_text(out, rest, strlen(rest));
		else if (*w == 'b')
			wire_put_bin(out, rest, strlen(rest));
		else if (*w == '@')
			value_put_time(out, strtoll(rest, NULL, 10),
				       (uint32_t)strtoul(strchr(w, '.') + 1, NULL, 10));
		else if (*w == 'n')
			wire_put_nil(out);
		else
			wire_put_bool(out, *w == 't');
	}
}

#define TYPED(out, ...)                                    \
	typed_put(out, (const char *const[]){__VA_ARGS__}, \
		  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#endif

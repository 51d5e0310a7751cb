/* What the fuzz targets share. */
#ifndef MUSTER_TESTS_FUZZ_H
#define MUSTER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(int ok)
{
	if (!ok)
		abort();
}

/* fuzz_MESSAGE: a body of that message. Texts over their cap are cut when they are put, so from
 * there on nothing may change. */
#define FUZZ_BODY(message)                                                                    \
	static void fuzz_##message(const uint8_t *data, size_t len)                           \
	{                                                                                     \
		struct message##_msg m, again;                                                \
		struct buf first = {0}, second = {0};                                         \
		struct errmsg msg = {""};                                                     \
                                                                                              \
		if (message##_get(&m, data, len, &msg) < 0) {                                 \
			must(msg.text[0] != '\0');                                            \
			return;                                                               \
		}                                                                             \
		message##_put(&first, &m);                                                    \
		must(message##_get(&again, first.data, first.len, &msg) == 0);                \
		message##_put(&second, &again);                                               \
		must(first.len == second.len && !memcmp(first.data, second.data, first.len)); \
		must(first.len <= LIMIT_FRAME_BODY);                                          \
		message##_done(&m);                                                           \
		message##_done(&again);                                                       \
		buf_done(&first);                                                             \
		buf_done(&second);                                                            \
	}

#endif

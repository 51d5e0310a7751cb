// NEEDS: proto
/*
 * Fuzz target: the bounded check, and the two readers of what it lets through, which must find the
 * same bytes whole. On bytes that it refuses the readers must stay inside.
 */
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#include "check.h"
#include "limits.h"
#include "value.h"
#include "wire.h"

/* How many objects there are up to the end or a fault. */
static size_t fuzz_walk(const uint8_t *data, size_t size, const uint8_t **ret_end)
{
	struct value_in in = value_in(data, size);
	struct value v;
	size_t nodes = 0;

	while (value_next(&in, &v)) {
		nodes++;
		must(in.next > data && in.next <= data + size);
		if (v.kind == VALUE_STR || v.kind == VALUE_BIN)
			must(v.data + v.len == in.next);
		if (v.kind == VALUE_TIME)
			must(v.nanoseconds < 1000000000);
		if (v.kind == VALUE_INT)
			must(v.i < 0);
	}
	*ret_end = in.next;
	return nodes;
}

static void fuzz_accepted(const uint8_t *data, size_t size)
{
	struct value_in in = value_in(data, size);
	struct wire_in *wire = NULL;
	struct errmsg msg = {""};
	const uint8_t *end;
	uint32_t nodes = 0;

	must(value_skip(&in, &nodes) && in.next == data + size);
	must(nodes <= LIMIT_MSG_NODES);
	must(fuzz_walk(data, size, &end) == nodes && end == data + size);
	if (wire_in_new(&wire, data, size, &msg) < 0) {
		must(msg.text[0] != '\0');
		return;
	}
	while (wire_has(wire))
		wire_skip(wire);
	must(wire_in_end(wire, NULL) == 0);
	wire_in_free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct value_in in = value_in(data, size);
	struct errmsg msg = {""};
	const uint8_t *end;

	if (check_body(data, size, &msg) == 0) {
		fuzz_accepted(data, size);
		return 0;
	}
	must(msg.text[0] != '\0');
	(void)fuzz_walk(data, size, &end);
	while (value_skip(&in, NULL))
		must(in.next <= data + size);
	return 0;
}

#include "splitter.h"

#include <string.h>

#include "limits.h"
#include "utf8.h"

static void splitter_emit(uint64_t stream, uint64_t flags, uint64_t time_ns, const void *data,
			  size_t len, splitter_fn *fn, void *arg)
{
	struct record r = {.stream = stream,
			   .flags = flags,
			   .time_ns = time_ns,
			   .value = data,
			   .len = len,
			   .is_text = utf8_valid(data, len)};

	fn(arg, &r);
}

/* How many of max bytes to take so that no character is cut; max where there is no good place. */
static size_t splitter_cut(const uint8_t *p, size_t max)
{
	for (size_t back = 1; back <= 3 && back < max; back++) {
		uint8_t c = p[max - back];

		if (c < 0x80)
			return max;
		if (c >= 0xc0) {
			size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

			return need > back ? max - back : max;
		}
	}
	return max;
}

/* Sends whole pieces while what there is of an open line is too long. Returns what was sent. */
static size_t splitter_pieces(uint64_t stream, uint64_t time_ns, const uint8_t *p, size_t len,
			      splitter_fn *fn, void *arg)
{
	size_t sent = 0;

	while (len - sent >= LIMIT_RECORD_VALUE) {
		size_t n = splitter_cut(p + sent, LIMIT_RECORD_VALUE);

		splitter_emit(stream, RECORD_CONTINUES, time_ns, p + sent, n, fn, arg);
		sent += n;
	}
	return sent;
}

static void splitter_line(struct splitter *s, uint64_t stream, uint64_t time_ns, const uint8_t *p,
			  size_t len, splitter_fn *fn, void *arg)
{
	size_t sent;

	if (s->partial.len) {
		buf_add(&s->partial, p, len);
		p = s->partial.data;
		len = s->partial.len;
	}
	sent = len > LIMIT_RECORD_VALUE ? splitter_pieces(stream, time_ns, p, len, fn, arg) : 0;
	splitter_emit(stream, 0, time_ns, p + sent, len - sent, fn, arg);
	s->open = false;
	buf_clear(&s->partial);
}

void splitter_add(struct splitter *s, uint64_t stream, uint64_t time_ns, const void *data,
		  size_t len, splitter_fn *fn, void *arg)
{
	const uint8_t *p = data, *end = p + len;

	while (p < end) {
		const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));

		if (!eol)
			break;
		splitter_line(s, stream, time_ns, p, (size_t)(eol - p), fn, arg);
		p = eol + 1;
	}
	if (p == end)
		return;
	buf_add(&s->partial, p, (size_t)(end - p));
	if (s->partial.len >= LIMIT_RECORD_VALUE) {
		s->open = true;
		buf_consume(&s->partial, splitter_pieces(stream, time_ns, s->partial.data,
							 s->partial.len, fn, arg));
	}
}

void splitter_end(struct splitter *s, uint64_t stream, uint64_t time_ns, splitter_fn *fn, void *arg)
{
	if (s->partial.len || s->open)
		splitter_emit(stream, RECORD_NO_EOL, time_ns, s->partial.data, s->partial.len, fn,
			      arg);
	buf_done(&s->partial);
}

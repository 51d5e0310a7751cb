#include <msgpack/pack.h>
#include <string.h>

#include "utf8.h"
#include "wire.h"

#define WIRE_CUT_MARK "..."

/* What msgpack-c calls with each piece. */
static int wire_append(void *out, const char *data, size_t len)
{
	buf_add(out, data, len);
	return 0;
}

static msgpack_packer wire_packer(struct buf *out)
{
	return (msgpack_packer){.data = out, .callback = wire_append};
}

void wire_put_array(struct buf *out, size_t count)
{
	msgpack_packer pk = wire_packer(out);

	(void)msgpack_pack_array(&pk, count);
}

void wire_put_nil(struct buf *out)
{
	msgpack_packer pk = wire_packer(out);

	(void)msgpack_pack_nil(&pk);
}

void wire_put_bool(struct buf *out, bool v)
{
	msgpack_packer pk = wire_packer(out);

	(void)(v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}

void wire_put_u64(struct buf *out, uint64_t v)
{
	msgpack_packer pk = wire_packer(out);

	(void)msgpack_pack_uint64(&pk, v);
}

void wire_put_i64(struct buf *out, int64_t v)
{
	msgpack_packer pk = wire_packer(out);

	(void)msgpack_pack_int64(&pk, v);
}

void wire_put_str(struct buf *out, const char *text)
{
	if (text)
		wire_put_text(out, text, strlen(text));
	else
		wire_put_nil(out);
}

/* Where to cut so that at most len bytes stay and no UTF-8 character is split. */
static size_t wire_cut_at(const char *text, size_t len)
{
	size_t at = len;

	while (at && len - at < 3 && ((uint8_t)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

void wire_put_str_cut(struct buf *out, const char *text, size_t max)
{
	struct buf cut = {0};

	if (!text || strlen(text) <= max) {
		wire_put_str(out, text);
		return;
	}
	buf_add(&cut, text, wire_cut_at(text, max - strlen(WIRE_CUT_MARK)));
	buf_add_str(&cut, WIRE_CUT_MARK);
	wire_put_text(out, cut.data, cut.len);
	buf_done(&cut);
}

void wire_put_text(struct buf *out, const void *data, size_t len)
{
	msgpack_packer pk = wire_packer(out);

	if (utf8_valid(data, len))
		(void)msgpack_pack_str_with_body(&pk, data, len);
	else
		(void)msgpack_pack_bin_with_body(&pk, data, len);
}

void wire_put_bin(struct buf *out, const void *data, size_t len)
{
	msgpack_packer pk = wire_packer(out);

	(void)msgpack_pack_bin_with_body(&pk, data, len);
}

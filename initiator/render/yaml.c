#include "yaml.h"

#include <string.h>

#include "json.h"
#include "utf8.h"

/* U+FFFE and U+FFFF: JSON has them as they are, YAML does not (YAML 1.2.2, section 5.1). */
static bool yaml_is_forbidden(const uint8_t *p, size_t n)
{
	return n >= 3 && p[0] == 0xef && p[1] == 0xbf && (p[2] == 0xbe || p[2] == 0xbf);
}

void yaml_escape(struct buf *out, const void *data, size_t len)
{
	const uint8_t *p = data, *end = p + len, *from = p;

	while (p < end && (p = memchr(p, 0xef, (size_t)(end - p)))) {
		if (yaml_is_forbidden(p, (size_t)(end - p))) {
			json_escape(out, from, (size_t)(p - from));
			buf_add_str(out, p[2] == 0xbe ? "\\ufffe" : "\\uffff");
			p += 3;
			from = p;
		} else {
			p++;
		}
	}
	if (from < end)
		json_escape(out, from, (size_t)(end - from));
}

void yaml_str(struct buf *out, const char *text)
{
	if (!text) {
		buf_add_str(out, "null");
	} else if (utf8_valid(text, strlen(text))) {
		buf_add_char(out, '"');
		yaml_escape(out, text, strlen(text));
		buf_add_char(out, '"');
	} else {
		buf_add_str(out, "{\"$bytes\": \"");
		json_base64(out, (const uint8_t *)text, strlen(text));
		buf_add_str(out, "\"}");
	}
}

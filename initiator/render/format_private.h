/* What several formats do alike. Only for format_*.c. */
#ifndef MUSTER_FORMAT_PRIVATE_H
#define MUSTER_FORMAT_PRIVATE_H

#include "format.h"

/* The host with what stands behind it, coloured and escaped as the style says. */
void format_host(struct buf *out, const struct render_style *style, const struct format_record *r,
		 const char *behind);

/*
 * A piece of a value for people, escaped as the style says. indent > 0: so many spaces before each
 * line of it but the first. format_shown ends the value.
 */
void format_show(struct buf *out, const struct render_style *style, struct format_state *st,
		 const void *data, size_t len, size_t indent);
void format_shown(struct buf *out, struct format_state *st);

/* A piece of a value as base64, and the end of that value. */
void format_base64(struct buf *out, struct format_state *st, const void *data, size_t len);
void format_base64_end(struct buf *out, struct format_state *st);

/* For formats that need nothing at the end. */
void format_close_nothing(struct buf *out, const struct render_style *style,
			  struct format_state *st);

#endif

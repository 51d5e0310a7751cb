/* What several formats do alike. Only for format_*.c. */
#ifndef MUSTER_FORMAT_PRIVATE_H
#define MUSTER_FORMAT_PRIVATE_H

#include "format.h"
#include "value_fields.h"

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

/* What a typed value is to people. */
enum format_kind {
	FORMAT_PLAIN,	/* a scalar or an array */
	FORMAT_FIELDS,	/* a row or a map */
	FORMAT_UNPARSED /* a line that could not be parsed */
};
/* FORMAT_FIELDS: *ret_fields are they. FORMAT_UNPARSED: *ret_fields are "$error" and "$raw". */
enum format_kind format_typed(const struct format_record *r, const void *data, size_t len,
			      struct value_fields *ret_fields);

/* A whole typed value for people, in one line but for the line breaks of a text: as format_show. */
void format_show_typed(struct buf *out, const struct render_style *style, struct format_state *st,
		       const struct format_record *r, const void *data, size_t len, size_t indent);
/* Of FORMAT_UNPARSED the value of that name ("$raw", "$error"). */
void format_show_field(struct buf *out, const struct render_style *style, struct format_state *st,
		       struct value_fields fields, const char *name, size_t indent);

/* Before and behind the line of one that could not be parsed and is no typed value. */
#define FORMAT_UNPARSED_WHY "too long to be parsed"

/* A piece of a value as base64, and the end of that value. */
void format_base64(struct buf *out, struct format_state *st, const void *data, size_t len);
void format_base64_end(struct buf *out, struct format_state *st);

/* For formats that need nothing at the end. */
void format_close_nothing(struct buf *out, const struct render_style *style,
			  struct format_state *st);

#endif

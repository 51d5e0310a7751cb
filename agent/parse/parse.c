#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "kind.h"

static const struct parse_kind *const parse_kinds[PARSE_COUNT] = {
	[PARSE_LINES] = &parse_lines_kind,   [PARSE_RAW] = &parse_raw_kind,
	[PARSE_NUL] = &parse_nul_kind,	     [PARSE_JSON] = &parse_json_kind,
	[PARSE_JSONL] = &parse_jsonl_kind,   [PARSE_CSV] = &parse_csv_kind,
	[PARSE_TSV] = &parse_tsv_kind,	     [PARSE_KV] = &parse_kv_kind,
	[PARSE_BLOCKS] = &parse_blocks_kind, [PARSE_TABLE] = &parse_table_kind,
	[PARSE_REGEX] = &parse_regex_kind,   [PARSE_AUTO] = &parse_auto_kind,
};

int parse_new(struct parse **ret, uint64_t kind, const char *argument,
	      const struct parse_events *events, void *arg, struct errmsg *msg)
{
	struct parse *p;
	int r;

	if (kind >= PARSE_COUNT)
		return err_set(msg, ERR_RANGE,
			       "parser %llu: this agent has no such parser; use one of its version",
			       (unsigned long long)kind);
	if (argument && !parse_kinds[kind]->takes_argument)
		return err_set(msg, ERR_SYNTAX,
			       "this parser takes no argument; leave out what follows the colon");
	p = xcalloc(1, parse_kinds[kind]->size);
	p->kind = parse_kinds[kind];
	p->events = *events;
	p->arg = arg;
	r = p->kind->begin ? p->kind->begin(p, argument, msg) : 0;
	if (r < 0) {
		parse_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void parse_free(struct parse *parse)
{
	if (!parse)
		return;
	if (parse->kind->done)
		parse->kind->done(parse);
	buf_done(&parse->value);
	buf_done(&parse->scratch);
	free(parse);
}

static const uint8_t parse_bom[] = {0xef, 0xbb, 0xbf};

/* Passes over a byte order mark, which may come in portions. Returns how many bytes it took. */
static size_t parse_begin(struct parse *p, const uint8_t *data, size_t len)
{
	size_t n = 0;

	while (n < len && p->bom < sizeof parse_bom && data[n] == parse_bom[p->bom]) {
		p->bom++;
		n++;
	}
	if (n == len && p->bom < sizeof parse_bom)
		return n;
	p->begun = true;
	if (p->bom && p->bom < sizeof parse_bom)
		p->kind->add(p, parse_bom, p->bom);
	return n;
}

void parse_add(struct parse *parse, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (!len)
		return;
	if (!parse->begun && parse->kind->skips_bom) {
		size_t n = parse_begin(parse, p, len);

		p += n;
		len -= n;
	}
	if (len)
		parse->kind->add(parse, p, len);
}

void parse_end(struct parse *parse)
{
	if (!parse->begun && parse->bom)
		parse->kind->add(parse, parse_bom, parse->bom);
	parse->kind->end(parse);
}

size_t parse_pending(const struct parse *parse)
{
	return parse->kind->pending(parse);
}

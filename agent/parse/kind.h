/* What a parser is made of; parse.c picks one from a table. Private to this folder. */
#ifndef MUSTER_KIND_H
#define MUSTER_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "parse.h"

/* The first member of the struct of each parser. */
struct parse {
	const struct parse_kind *kind;
	struct parse_events events;
	void *arg;
	struct buf value;   /* a typed value while it is built */
	struct buf scratch; /* of give.c */
	uint8_t bom;	    /* bytes of a byte order mark that were seen at the very beginning */
	bool begun;	    /* past it */
};

struct parse_kind {
	size_t size; /* of the struct, which is all zero before begin */
	bool skips_bom;
	bool takes_argument;
	/* May be NULL. Fails as parse_new does; done is then called. */
	int (*begin)(struct parse *p, const char *argument, struct errmsg *msg);
	void (*add)(struct parse *p, const uint8_t *data, size_t len);
	void (*end)(struct parse *p);
	/* Frees what the struct holds, not itself. May be NULL. */
	void (*done)(struct parse *p);
	size_t (*pending)(const struct parse *p);
};

extern const struct parse_kind parse_lines_kind, parse_raw_kind, parse_nul_kind;
extern const struct parse_kind parse_json_kind, parse_jsonl_kind;
extern const struct parse_kind parse_csv_kind, parse_tsv_kind;
extern const struct parse_kind parse_kv_kind, parse_blocks_kind;
extern const struct parse_kind parse_table_kind, parse_regex_kind, parse_auto_kind;

#endif

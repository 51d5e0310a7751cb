#include "format.h"

#include <string.h>

#include "alloc.h"
#include "sheet.h"

static const struct format *const format_all[] = {
	&format_text,  &format_table, &format_list, &format_json,
	&format_jsonl, &format_csv,   &format_yaml,
};

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(format_all); i++)
		if (strcmp(name, format_all[i]->name) == 0)
			return format_all[i];
	return NULL;
}

void format_state_done(struct format_state *st)
{
	sheet_free(st->sheet);
	st->sheet = NULL;
}

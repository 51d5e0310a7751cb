#include "format.h"

#include <string.h>

static const struct format *const format_all[] = {&format_text, &format_jsonl};

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < sizeof format_all / sizeof format_all[0]; i++)
		if (strcmp(name, format_all[i]->name) == 0)
			return format_all[i];
	return NULL;
}

#include "payload.h"

#include <string.h>

#include "payload_private.h"

const struct payload *payload_list(size_t *ret_count)
{
	size_t count = 0;

	while (payload_rows[count].arch)
		count++;
	*ret_count = count;
	return payload_rows;
}

const struct payload *payload_find(const char *arch)
{
	for (const struct payload *p = payload_rows; p->arch; p++)
		if (strcmp(p->arch, arch) == 0)
			return p;
	return NULL;
}

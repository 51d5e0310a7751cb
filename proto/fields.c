#include "fields.h"

#include <string.h>

#include "limits.h"

#define FIELDS_NICE_MIN (-20) /* setpriority(2) */
#define FIELDS_NICE_MAX 19

size_t fields_total(char *const *strs, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += strlen(strs[i]) + 1;
	return total;
}

void fields_versions(struct wire_in *in, uint64_t min, uint64_t max)
{
	if (!min || min > max)
		wire_fault(in, ERR_PROTO, "version_min", "is 0 or above version_max");
}

void fields_argv(struct wire_in *in, char *const *argv, size_t argc)
{
	if (fields_total(argv, argc) > LIMIT_COMMAND)
		wire_fault(in, ERR_LIMIT, "argv",
			   "the command is longer than 120 KiB in all; ship a script instead");
}

void fields_env(struct wire_in *in, char *const *env, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (env[i][0] == '=' || !strchr(env[i], '='))
			wire_fault(in, ERR_PROTO, "env", "has an element that is not NAME=VALUE");
	if (fields_total(env, count) > LIMIT_COMMAND)
		wire_fault(in, ERR_LIMIT, "env",
			   "is longer than 120 KiB in all; send the data by stdin instead");
}

void fields_nice(struct wire_in *in, int64_t nice)
{
	if (nice < FIELDS_NICE_MIN || nice > FIELDS_NICE_MAX)
		wire_fault(in, ERR_PROTO, "nice", "is not between -20 and 19");
}

void fields_schema(struct wire_in *in, uint64_t schema, char *const *columns, size_t count)
{
	if (!schema)
		wire_fault(in, ERR_PROTO, "schema", "is 0, which is no schema");
	if (!count)
		wire_fault(in, ERR_PROTO, "columns", "is empty");
	for (size_t i = 0; i < count; i++)
		if (strlen(columns[i]) > LIMIT_COLUMN_NAME)
			wire_fault(in, ERR_LIMIT, "columns", "has a name of more than 255 bytes");
}

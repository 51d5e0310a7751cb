/* What a line is to do, as long as it lives. */
#include <stdlib.h>

#include "alloc.h"
#include "line_private.h"

static char *line_copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static void line_drop(const char *text)
{
	free((char *)(uintptr_t)text);
}

struct line_spec line_spec_copy(const struct line_spec *from)
{
	struct line_spec spec = *from;

	plan_hold(spec.conn.target->plan);
	spec.conn.command = line_copy(from->conn.command);
	spec.conn.run_id = line_copy(from->conn.run_id);
	spec.conn.kex = line_copy(from->conn.kex);
	spec.conn.ciphers = line_copy(from->conn.ciphers);
	spec.conn.macs = line_copy(from->conn.macs);
	spec.conn.login = secret_login_hold(from->conn.login);
	return spec;
}

void line_spec_done(struct line_spec *spec)
{
	if (spec->side)
		spec->side->drop(spec->order);
	plan_free(spec->conn.target->plan);
	line_drop(spec->conn.command);
	line_drop(spec->conn.run_id);
	line_drop(spec->conn.kex);
	line_drop(spec->conn.ciphers);
	line_drop(spec->conn.macs);
	secret_login_drop(spec->conn.login);
}

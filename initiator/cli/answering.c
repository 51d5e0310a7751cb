#include "answering.h"

#include "login.h"

/* May come when out is closed, and nobody listens. */
static void answering_on_written(void *arg, bool written)
{
	struct answering *a = arg;
	struct errmsg msg = {{0}};
	int rc = 0;

	(void)written;
	if (!*a->over)
		rc = login_on_ask(a->control, a->body.data, a->body.len, &msg);
	buf_done(&a->body);
	if (rc)
		a->failed(a->arg, rc, &msg);
}

int answering_begin(struct answering *a, const void *body, size_t len, struct errmsg *msg)
{
	if (a->body.len)
		return err_set(msg, ERR_PROTO, "a second question before the answer");
	buf_add(&a->body, body, len);
	out_mark(a->out, answering_on_written, a);
	return 0;
}

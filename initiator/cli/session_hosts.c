#include "session_hosts.h"

#include <stdlib.h>

#include "alloc.h"
#include "ask.h"
#include "control_msg.h"
#include "exit.h"

struct session_question {
	const char *name;
	struct session_hosts *hosts;
	uint64_t id; /* of the session; 0: none has come */
};

static void session_hosts_send(void *arg, struct control *control)
{
	struct session_question *q = arg;
	char *names[] = {(char *)(uintptr_t)q->name}; /* only read */
	struct session_get_msg m = {.names = names, .name_count = 1};
	struct buf body = {0};

	session_get_put(&body, &m);
	control_send(control, MSG_SESSION_GET, &body);
}

static int session_hosts_on_message(void *arg, uint8_t type, const void *body, size_t len,
				    int *status, struct errmsg *msg)
{
	struct session_question *q = arg;
	struct session_hosts *hosts = q->hosts;
	struct session_row_msg row;
	int rc;

	(void)status;
	if (type == MSG_GET_END)
		return ASK_DONE;
	if (type != MSG_SESSION_ROW)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = session_row_get(&row, body, len, msg);
	if (rc)
		return rc;
	/* A wildcard may be several; a job that was let go of is none. */
	if (!row.is_job && (!q->id || q->id == row.id)) {
		q->id = row.id;
		hosts->labels = xrealloc(hosts->labels, hosts->count + 1, sizeof(char *));
		hosts->labels[hosts->count++] = xstrdup(row.host);
	}
	session_row_done(&row);
	return ASK_MORE;
}

int session_hosts_find(struct session_hosts *ret, const struct cmd *cmd,
		       const struct cmd_globals *globals, const struct option_texts *sessions)
{
	int status = EXIT_OK;

	*ret = (struct session_hosts){0};
	for (size_t i = 0; status == EXIT_OK && i < sessions->count; i++) {
		struct session_question q = {.name = sessions->at[i], .hosts = ret};

		status = ask(cmd, globals, CONTROL_START, session_hosts_send,
			     session_hosts_on_message, &q);
		if (status == EXIT_OK && !q.id)
			status = cmd_error(EXIT_USAGE, "there is no session '%s'", q.name);
	}
	return status;
}

void session_hosts_done(struct session_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->labels[i]);
	free(hosts->labels);
}

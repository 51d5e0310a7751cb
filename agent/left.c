#include "left.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "env.h"
#include "frame.h"
#include "limits.h"
#include "message.h"

#define SESSION_DIRECTORY "MUSTER_PWD="

void left_put(struct buf *out, const struct task_open_msg *open, char *said, size_t len)
{
	struct task_open_msg plain = {.pty = open->pty};
	struct task_session_msg m = {.task = open->task};
	char **login;
	size_t begin;

	if (len < 2 || said[len - 1] != 'x' || said[len - 2])
		return;
	login = env_new(&plain);
	m.env = xcalloc(len / 2, sizeof *m.env);
	for (char *at = said; at < said + len - 1; at += strlen(at) + 1) {
		if (strncmp(at, SESSION_DIRECTORY "/", sizeof SESSION_DIRECTORY) == 0)
			m.directory = at + sizeof SESSION_DIRECTORY - 1;
		else if (env_is_left(at, login))
			m.env[m.env_count++] = at;
	}
	if (m.env_count <= LIMIT_ENV && m.directory && strlen(m.directory) <= LIMIT_OPTION_TEXT) {
		begin = frame_begin(out);
		task_session_put(out, &m);
		(void)frame_end(out, begin, MSG_TASK_SESSION, 0, 0);
	}
	env_free(login);
	free(m.env);
}

#include "login.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "control_msg.h"
#include "escape.h"
#include "limits.h"
#include "secret.h"
#include "secret_command.h"

static const char login_prompt[] = "Password for the login on the hosts: ";

const char *login_given(const struct login_values *v)
{
	return v->user	    ? "--user"
	       : v->ask	    ? "--ask-pass"
	       : v->file    ? "--password-file"
	       : v->command ? "--password-command"
			    : NULL;
}

static int login_check_user(const char *user, struct errmsg *msg)
{
	if (!*user || *user == '-' || strlen(user) > CONTROL_USER_MAX)
		return err_set(msg, ERR_SYNTAX, "--user: '%.64s' is no user name", user);
	for (const char *c = user; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(msg, ERR_SYNTAX,
				       "--user: a user name has no blanks or control characters");
	return 0;
}

int login_check(const struct login_values *v, bool *taken, struct errmsg *msg)
{
	bool std = v->file && strcmp(v->file, "-") == 0;

	if (v->ask + (v->file != NULL) + (v->command != NULL) > 1)
		return err_set(msg, ERR_SYNTAX,
			       "--ask-pass, --password-file and --password-command: one of them");
	if (v->command && !*v->command)
		return err_set(msg, ERR_SYNTAX, "--password-command: no command");
	if (std && *taken)
		return err_set(msg, ERR_SYNTAX,
			       "--password-file -: standard input is read for something else, and "
			       "can be read once");
	*taken = *taken || std;
	return v->user ? login_check_user(v->user, msg) : 0;
}

int login_password(char **ret, const struct login_values *v, struct errmsg *msg)
{
	*ret = NULL;
	if (!v->ask && !v->file && !v->command)
		return 0;
	secret_guard();
	if (v->ask)
		return secret_ask(ret, login_prompt, "--password-file", msg);
	if (v->command)
		return secret_command(ret, v->command, "--password-command", msg);
	return secret_read(ret, v->file, "--password-file", login_prompt, msg);
}

static void login_answer(struct control *control, uint64_t number, char *text)
{
	struct job_answer_msg m = {.number = number, .given = text != NULL, .text = text};
	struct buf body = {0};

	(void)buf_room(&body, 2 * CONTROL_PASSWORD_MAX); /* must not move: no copies */
	job_answer_put(&body, &m);
	control_send(control, MSG_JOB_ANSWER, &body);
}

/* A path, or what a server says: harmless on the terminal, line by line. */
static void login_display(struct buf *out, const char *text)
{
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		escape_display(out, text, (size_t)(end - text));
		buf_add_char(out, '\n');
	}
	escape_display(out, text, strlen(text));
}

int login_on_ask(struct control *control, const void *body, size_t len, struct errmsg *msg)
{
	struct buf prompt = {0};
	struct job_ask_msg m;
	struct errmsg why;
	char *text = NULL;
	int rc = job_ask_get(&m, body, len, msg);

	if (rc)
		return rc;
	secret_guard();
	login_display(&prompt, m.text);
	rc = secret_ask_for(&text, buf_cstr(&prompt), m.echo, LIMIT_ASK_CLIENT_MS, &why);
	/* A server may want no more than that: "Press Enter". */
	if (rc == ERR_NOTFOUND && m.kind == JOB_ASK_PROMPT)
		text = xstrdup("");
	buf_done(&prompt);
	login_answer(control, m.number, text);
	secret_free(text);
	job_ask_done(&m);
	return rc == ERR_CLOSED ? err_set(msg, rc, "interrupted") : 0;
}

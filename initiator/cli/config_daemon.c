#include "config_daemon.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ask.h"
#include "control_msg.h"
#include "escape.h"

void config_daemon_settings(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		const char *text = config_written(config, (enum config_key)i);

		if (text && config_key_is_daemon((enum config_key)i))
			buf_addf(out, "%s = %s\n", config_key_name((enum config_key)i), text);
	}
}

/* Line by line: one that is of another version costs the others nothing. */
static void config_daemon_read(struct config *ret, const char *running)
{
	struct errmsg msg;

	for (const char *end; *running; running = end) {
		end = strchr(running, '\n');
		end = end ? end + 1 : running + strlen(running);
		(void)config_parse(ret, running, (size_t)(end - running), "daemon", &msg);
	}
}

static const char *config_daemon_value(const struct config *config, enum config_key key)
{
	const char *written = config_written(config, key);

	return written ? written : config_key_default(key);
}

static bool config_daemon_same(const struct config *a, const struct config *b, enum config_key key)
{
	const char *of_a = config_daemon_value(a, key), *of_b = config_daemon_value(b, key);

	if (!of_a || !of_b)
		return of_a == of_b;
	/* 600s is 10m. */
	return strcmp(of_a, of_b) == 0 ||
	       (key != CONFIG_STORE && a->keys[key].given && b->keys[key].given &&
		a->keys[key].value == b->keys[key].value);
}

void config_daemon_compare(struct buf *out, const char *running, const struct config *now)
{
	struct config *then = xcalloc(1, sizeof *then);

	config_daemon_read(then, running);
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;
		const char *old = config_daemon_value(then, key);
		const char *new = config_daemon_value(now, key);

		if (!config_key_is_daemon(key) || config_daemon_same(then, now, key))
			continue;
		buf_addf(out, "%s%s ", out->len ? ", " : "", config_key_name(key));
		escape_display(out, old ? old : "unset", strlen(old ? old : "unset"));
		buf_add_str(out, " (now ");
		escape_display(out, new ? new : "unset", strlen(new ? new : "unset"));
		buf_add_char(out, ')');
	}
	free(then);
}

static void config_daemon_send(void *arg, struct control *control)
{
	struct buf body = {0};

	(void)arg;
	control_send(control, MSG_STATUS, &body);
}

static int config_daemon_on_status(void *arg, uint8_t type, const void *body, size_t len,
				   int *status, struct errmsg *msg)
{
	struct status_reply_msg m;
	struct buf text = {0};
	int rc;

	(void)status;
	if (type != MSG_STATUS_REPLY)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = status_reply_get(&m, body, len, msg);
	if (rc)
		return rc;
	if (m.settings)
		config_daemon_compare(&text, m.settings, arg);
	if (text.len)
		(void)cmd_error(0,
				"the daemon that runs (pid %llu) has what held when it was "
				"started: %s; 'muster daemon stop', and the next command starts "
				"one with the new values",
				(unsigned long long)m.pid, buf_cstr(&text));
	buf_done(&text);
	status_reply_done(&m);
	return ASK_DONE;
}

void config_daemon_tell(const struct cmd *cmd, const struct cmd_globals *globals,
			const struct config *now)
{
	(void)ask(cmd, globals, CONTROL_IF_RUNNING, config_daemon_send, config_daemon_on_status,
		  (void *)(uintptr_t)now);
}

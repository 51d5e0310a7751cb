/* Candidates that others know: the daemon, and the sources of groups. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "ask.h"
#include "clock.h"
#include "complete.h"
#include "control_msg.h"
#include "fd.h"
#include "groups.h"
#include "hostlist.h"
#include "inventory_options.h"
#include "limits.h"

#define COMPLETE_UPCALL_MS 450u /* of which there are two, with some luck, within COMPLETE_MS */
#define COMPLETE_LATEST_S  20u	/* what is left of an upcall that hangs ends by then */

/* --- the daemon ------------------------------------------------------------------------------ */

static void complete_send_jobs(void *arg, struct control *control)
{
	struct get_msg m = {0};
	struct buf body = {0};

	(void)arg;
	get_put(&body, &m);
	control_send(control, MSG_GET, &body);
}

static void complete_send_sessions(void *arg, struct control *control)
{
	struct session_get_msg m = {0};
	struct buf body = {0};

	(void)arg;
	session_get_put(&body, &m);
	control_send(control, MSG_SESSION_GET, &body);
}

static void complete_job(struct complete *c, const struct get_row_msg *row, const char *head)
{
	char *id = xasprintf("%llu", (unsigned long long)row->id);
	char *text = xasprintf("%s: %s", row->state ? row->state : "?",
			       row->command ? row->command : "");

	complete_add(c, head, id, text);
	if (row->name && !*head)
		complete_add(c, "", row->name, text);
	free(text);
	free(id);
}

static int complete_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			       struct errmsg *msg)
{
	struct complete *c = arg;
	struct session_row_msg session;
	struct get_row_msg job;

	(void)status;
	if (type == MSG_GET_ROW && get_row_get(&job, body, len, msg) == 0) {
		complete_job(c, &job, "");
		get_row_done(&job);
	} else if (type == MSG_SESSION_ROW && session_row_get(&session, body, len, msg) == 0) {
		if (!session.is_job)
			complete_add(c, "", session.name, session.state);
		session_row_done(&session);
	} else if (type == MSG_GET_END) {
		return ASK_DONE;
	}
	return ASK_MORE;
}

static int complete_on_job(void *arg, uint8_t type, const void *body, size_t len, int *status,
			   struct errmsg *msg)
{
	struct complete *c = arg;
	struct get_row_msg job;

	(void)status;
	if (type == MSG_GET_END)
		return ASK_DONE;
	if (type == MSG_GET_ROW && get_row_get(&job, body, len, msg) == 0) {
		complete_job(c, &job, "@job:");
		get_row_done(&job);
	}
	return ASK_MORE;
}

/* --- hosts ----------------------------------------------------------------------------------- */

static int complete_group(void *ctx, enum hostlist_ask ask, const char *source, const char *name,
			  struct buf *out, struct errmsg *msg)
{
	struct groups *groups = ctx;

	switch (ask) {
	case HOSTLIST_GROUP:
		return groups_members(groups, source, name, out, msg);
	case HOSTLIST_ALL:
		return groups_all(groups, source, out, msg);
	case HOSTLIST_GROUPS:
		return groups_list(groups, source, out, msg);
	case HOSTLIST_JOB:
		break;
	}
	return err_set(msg, ERR_UNSUPPORTED, "not here");
}

static void complete_each_line(struct complete *c, const char *head, char *lines, const char *tail,
			       const char *help)
{
	char *save = NULL;

	for (char *at = strtok_r(lines, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		char *text = xasprintf("%s%s", at, tail);

		complete_add(c, head, text, help);
		free(text);
	}
}

/* "@", "@source:". */
static void complete_groups(struct complete *c, struct groups *groups)
{
	const char *colon = strchr(c->word, ':');
	char *source = colon ? xstrndup(c->word + 1, (size_t)(colon - c->word) - 1) : NULL;
	char *head = source ? xasprintf("@%s:", source) : xstrdup("@");
	struct buf lines = {0};

	buf_add_str(&lines, "");
	if (groups_list(groups, source, &lines, NULL) == 0) {
		buf_add_char(&lines, '\0');
		complete_each_line(c, head, (char *)lines.data, "", "group");
	}
	buf_clear(&lines);
	if (!source && groups_sources(groups, &lines, NULL) == 0) {
		buf_add_char(&lines, '\0');
		complete_each_line(c, "@", (char *)lines.data, ":", "source of groups");
	}
	buf_done(&lines);
	free(head);
	free(source);
}

static void complete_all(struct complete *c, struct groups *groups, const char *source,
			 const char *head, const char *help)
{
	const struct hostlist_env env = {.group = complete_group, .group_ctx = groups};
	struct hostlist *list = NULL;
	struct buf text = {0};

	if (groups_all(groups, source, &text, NULL) == 0) {
		for (size_t i = 0; i < text.len; i++)
			if (text.data[i] == '\n')
				text.data[i] = ',';
		while (text.len && text.data[text.len - 1] == ',')
			text.len--;
		buf_add_char(&text, '\0');
		if (hostlist_parse(&list, (const char *)text.data, &env, NULL) == 0) {
			for (size_t i = 0; i < hostlist_count(list); i++)
				complete_add(c, head, hostlist_at(list, i)->name, help);
			hostlist_free(list);
		}
	}
	buf_done(&text);
}

/* The last item of an expression; what stands before it stays. */
static void complete_split(struct complete *c, char **ret_prefix)
{
	size_t begin = 0, depth = 0;

	for (size_t i = 0; c->word[i]; i++) {
		if (c->word[i] == '[')
			depth++;
		else if (c->word[i] == ']' && depth)
			depth--;
		else if (!depth && strchr(",!&^ ", c->word[i]))
			begin = i + 1;
	}
	*ret_prefix = xasprintf("%s%.*s", c->prefix, (int)begin, c->word);
	c->prefix = *ret_prefix;
	c->word += begin;
}

static void complete_hosts(struct complete *c)
{
	struct inventory_options options;
	struct groups *groups;
	const char *at;
	char *prefix, *head;

	complete_split(c, &prefix);
	inventory_options_fill(&options, c->globals);
	options.groups.upcall_ms = COMPLETE_UPCALL_MS;
	options.groups.warn = NULL;
	groups = groups_new(&options.groups);
	at = strrchr(c->word, '@');
	if (*c->word == '@') {
		if (strncmp(c->word, "@job:", 5) == 0)
			(void)ask(NULL, c->globals, CONTROL_IF_RUNNING, complete_send_jobs,
				  complete_on_job, c);
		else
			complete_groups(c, groups);
	} else {
		head = at ? xstrndup(c->word, (size_t)(at - c->word) + 1) : xstrdup("");
		complete_all(c, groups, NULL, head, "");
		complete_all(c, groups, "ssh", head, "ssh_config");
		free(head);
		if (!*c->word)
			complete_groups(c, groups);
	}
	groups_free(groups);
	inventory_options_done(&options);
	c->prefix = "";
	free(prefix);
}

/* --- daemons --------------------------------------------------------------------------------- */

static void complete_daemons(struct complete *c)
{
	static const char suffix[] = ".sock";
	struct paths paths;
	const struct dirent *entry;
	DIR *dir;
	char *slash;

	if (paths_find(&paths, "default", NULL) != 0)
		return;
	slash = strrchr(paths.socket, '/');
	*slash = '\0';
	dir = opendir(paths.socket);
	while (dir && (entry = readdir(dir)) != NULL) {
		size_t n = strlen(entry->d_name), m = sizeof suffix - 1;
		char *name;

		if (n <= m || strcmp(entry->d_name + n - m, suffix) != 0)
			continue;
		name = xstrndup(entry->d_name, n - m);
		complete_add(c, "", name, "daemon");
		free(name);
	}
	if (dir)
		(void)closedir(dir);
	paths_done(&paths);
}

/* --- with a limit ---------------------------------------------------------------------------- */

static void complete_gather(struct complete *c, enum complete_source source)
{
	switch (source) {
	case COMPLETE_JOBS:
		(void)ask(NULL, c->globals, CONTROL_IF_RUNNING, complete_send_jobs,
			  complete_on_message, c);
		break;
	case COMPLETE_SESSIONS:
		(void)ask(NULL, c->globals, CONTROL_IF_RUNNING, complete_send_sessions,
			  complete_on_message, c);
		break;
	case COMPLETE_HOSTS:
		complete_hosts(c);
		break;
	case COMPLETE_DAEMONS:
		complete_daemons(c);
		break;
	}
}

/* The child's life: what it says of faults nobody reads, and nobody waits for it. */
static void complete_child(struct complete *c, enum complete_source source, int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
	}
	(void)alarm(COMPLETE_LATEST_S);
	complete_gather(c, source);
	(void)fd_write_all(fd, c->out.data, c->out.len);
	_exit(0);
}

static void complete_collect(struct buf *out, int fd)
{
	uint64_t end = clock_mono_ns() / 1000000u + COMPLETE_MS;
	char chunk[4096];

	for (;;) {
		uint64_t now = clock_mono_ns() / 1000000u;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now)) <= 0)
			return;
		n = read(fd, chunk, sizeof chunk);
		if (n <= 0)
			return;
		buf_add(out, chunk, (size_t)n);
	}
}

void complete_ask(struct complete *c, enum complete_source source)
{
	struct buf before = c->out;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		c->out = (struct buf){0};
		complete_child(c, source, fds[1]);
	}
	(void)close(fds[1]);
	c->out = before;
	if (pid > 0)
		complete_collect(&c->out, fds[0]);
	(void)close(fds[0]);
}

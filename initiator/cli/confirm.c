#include "confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "escape.h"
#include "exit.h"
#include "fd.h"
#include "fold.h"
#include "rollout.h"

/* So many must be typed as a number, where muster.conf says nothing else. */
#define CONFIRM_COUNT 100u
#define CONFIRM_LINE  64u /* bytes of an answer */

/* Names, commands and users may hold anything; what is shown cannot do anything to a terminal. */
static void confirm_add(struct buf *text, const char *label, const char *value)
{
	size_t size = 12 * strlen(value) + 1;
	char *shown = xmalloc(size);

	buf_addf(text, "%-10s%s\n", label, escape_str(shown, size, value));
	free(shown);
}

static void confirm_users(struct buf *text, const struct submit *submit)
{
	static const char *const methods[] = {
		[JOB_SUDO] = "sudo", [JOB_SU] = "su", [JOB_DOAS] = "doas"};
	const struct job_open_msg *open = submit->open;
	const char *user = NULL;
	bool several = false;

	for (size_t i = 0; submit->hosts && i < hostlist_count(submit->hosts); i++) {
		const char *own = hostlist_at(submit->hosts, i)->user;

		own = own ? own : submit->user ? submit->user : "";
		several = several || (user && strcmp(user, own) != 0);
		user = own;
	}
	confirm_add(text, "user",
		    several		  ? "several, as the hosts are written"
		    : user && *user	  ? user
		    : open->session_count ? "that of the session"
					  : "as ssh_config(5) has it");
	if (open->become && open->become < ARRAY_LEN(methods))
		buf_addf(text, "%-10s%s, by %s\n", "become",
			 open->become_user ? open->become_user : "root", methods[open->become]);
}

static void confirm_routes(struct buf *text, const struct job_open_msg *open)
{
	for (size_t i = 0; i < open->route_count; i++) {
		const struct job_route *route = &open->routes[i];
		char *gateways =
			fold_names((const char *const *)route->gateways, route->gateway_count);
		char *line = xasprintf("%s, %zu hosts", gateways, route->target_count);

		confirm_add(text, "via", line);
		free(line);
		free(gateways);
	}
}

/* The command as a shell would be given it, or with its text as the one word behind sh -c. */
static void confirm_command(struct buf *text, const struct job_open_msg *open)
{
	const char *const words[] = {"sh", "-c", open->shell ? open->argv[0] : NULL};
	char *line = open->shell ? submit_display(words, ARRAY_LEN(words), false)
				 : xstrdup(open->display ? open->display : "");

	confirm_add(text, "command", line);
	free(line);
}

static void confirm_describe(struct buf *text, const struct submit *submit,
			     const char *const *labels, size_t count)
{
	const struct job_open_msg *open = submit->open;
	char *hosts = fold_names(labels, count);
	char *line = xasprintf("%zu: %s", count, hosts);

	confirm_add(text, "hosts", line);
	free(line);
	free(hosts);
	confirm_users(text, submit);
	confirm_routes(text, open);
	rollout_describe(text, open, count);
	if (open->throttle)
		buf_addf(text, "%-10s%" PRIu64 " at once\n", "throttle", open->throttle);
	confirm_command(text, open);
}

/* A line, without its end; what is too long for any answer is none. */
static bool confirm_read(int tty, char *line, size_t size)
{
	size_t used = 0;
	char c = '\0';

	while (c != '\n') {
		ssize_t n = read(tty, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (c != '\n' && used + 1 < size)
			line[used++] = c;
	}
	line[used] = '\0';
	return used + 1 < size;
}

bool confirm_yes(int tty)
{
	char line[CONFIRM_LINE];

	return confirm_read(tty, line, sizeof line) &&
	       (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0);
}

static bool confirm_number(int tty, size_t count)
{
	char line[CONFIRM_LINE], number[24];

	(void)snprintf(number, sizeof number, "%zu", count);
	return confirm_read(tty, line, sizeof line) && strcmp(line, number) == 0;
}

static int confirm_ask(const struct cmd *cmd, const struct buf *text, size_t count, bool typed)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct buf question = {0};
	bool yes;

	if (tty < 0)
		return cmd_usage(cmd,
				 "this is to be confirmed, and there is no terminal to ask on: "
				 "--yes goes on without");
	buf_add(&question, text->data, text->len);
	if (typed)
		buf_add_str(&question, "Type the number of hosts to go on: ");
	else
		buf_addf(&question, "Run this on %zu host%s? [y/N] ", count, count == 1 ? "" : "s");
	yes = fd_write_all(tty, question.data, question.len) == 0 &&
	      (typed ? confirm_number(tty, count) : confirm_yes(tty));
	buf_done(&question);
	fd_close(&tty);
	return yes ? EXIT_OK : cmd_error(EXIT_USAGE, "not confirmed: nothing was run");
}

static bool confirm_is_wanted(const struct config *config, const struct confirm_values *v,
			      size_t count)
{
	uint64_t above = config_get(config, CONFIG_CONFIRM_ABOVE, 0);

	return !v->yes && (v->confirm || (above && count > above));
}

int confirm_submit(bool *ret_go, const struct cmd *cmd, const struct cmd_globals *globals,
		   const struct confirm_values *v, const struct submit *submit)
{
	struct buf text = {0};
	const char **labels;
	size_t count;
	int status = EXIT_OK;

	*ret_go = false;
	labels = submit_labels(submit, &count);
	if (v->dry_run) {
		confirm_describe(&text, submit, labels, count);
		status = cmd_print(&text);
	} else if (confirm_is_wanted(globals->config, v, count)) {
		uint64_t most = config_get(globals->config, CONFIG_CONFIRM_COUNT, CONFIRM_COUNT);

		confirm_describe(&text, submit, labels, count);
		status = confirm_ask(cmd, &text, count, count > most);
		*ret_go = status == EXIT_OK;
	} else {
		*ret_go = true;
	}
	buf_done(&text);
	free(labels);
	return status;
}

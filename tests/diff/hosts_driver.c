/*
 * muster hosts, many times in one process, for tests/diff/nodeset: a line of standard input is a
 * command line, with bytes of 0x1f between its words; standard output gets what the command prints,
 * and then a line of 0x1e and its exit status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd.h"
#include "exit.h"

#define DRIVER_WORDS 64

static int driver_run(char *line)
{
	static const struct config config = {0};
	struct cmd_globals *values = xcalloc(1, cmd_hosts.values_size);
	char *argv[DRIVER_WORDS + 1] = {"hosts"};
	int argc = 1, first = 1, status;
	struct errmsg msg = {""};

	for (char *word; argc < DRIVER_WORDS && (word = strsep(&line, "\x1f"));)
		argv[argc++] = word;
	values->config = &config;
	if (options_parse(cmd_hosts.options, cmd_hosts.option_count, values, false, argc, argv,
			  &first, &msg) != 0)
		status = cmd_usage(&cmd_hosts, "%s", msg.text);
	else
		status = cmd_hosts.run(&cmd_hosts, values, argc - first, argv + first);
	options_done(cmd_hosts.options, cmd_hosts.option_count, values);
	free(values);
	return status;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		struct buf end = {0};

		line[n - 1] = '\0';
		buf_addf(&end, "\x1e%d\n", driver_run(line));
		if (cmd_print(&end) != EXIT_OK)
			break;
	}
	free(line);
	return 0;
}

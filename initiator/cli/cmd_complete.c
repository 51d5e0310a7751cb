/* muster __complete: for the scripts of shells (deploy/completions). */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd.h"
#include "complete.h"
#include "exit.h"

static int complete_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	bool quoted = argc && strcmp(argv[0], "bash") == 0;
	struct buf out = {0};
	char **words;

	(void)arg;
	if (argc < 2)
		return cmd_usage(cmd, "a shell and words are needed: it is for the scripts that "
				      "complete command lines");
	words = xcalloc((size_t)argc, sizeof *words);
	for (int i = 1; i < argc; i++)
		words[i - 1] = quoted ? complete_unquote(argv[i]) : xstrdup(argv[i]);
	complete_words(&out, words, (size_t)argc - 1);
	for (int i = 1; i < argc; i++)
		free(words[i - 1]);
	free(words);
	return cmd_print(&out);
}

const struct cmd cmd_complete = {
	.name = "__complete",
	.synopsis = "SHELL WORD...",
	.summary = "What could stand in place of the last word",
	.is_hidden = true,
	.reads_config = true,
	.stop_at_word = true,
	.values_size = sizeof(struct cmd_globals),
	.run = complete_cmd_run,
};

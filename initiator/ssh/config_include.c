#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "alloc.h"
#include "config_private.h"
#include "limits.h"

static char *include_path(const struct config_parser *p, const char *word)
{
	if (*word == '/')
		return xstrdup(word);
	if (*word == '~')
		return config_words_tilde(p, word);
	if (p->source.user)
		return xasprintf("%s/.ssh/%s", p->config->home, word);
	return xasprintf("/etc/ssh/%s", word);
}

/* The errors of an included file name that file alone: it is where the cure goes. */
static int include_file(struct config_parser *p, const char *path)
{
	struct config_source source = {.name = path,
				       .user = p->source.user,
				       .depth = p->source.depth + 1,
				       .cond = p->cond};
	struct stat st;

	if (source.depth > LIMIT_SSH_CONFIG_DEPTH)
		return config_fail(p, ERR_LIMIT,
				   "Include is nested deeper than %u; does a file include itself?",
				   LIMIT_SSH_CONFIG_DEPTH);
	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode)) {
		/* A link to nothing, or a folder that "*" has found: as ssh. */
		config_trace_look(p->config, path);
		return 0;
	}
	return config_read_file(p->config, &source, true, p->msg);
}

static int include_glob(struct config_parser *p, const char *pattern)
{
	glob_t found = {0};
	int rc = 0, status;

	if (p->config->files_left == 0)
		return config_fail(p, ERR_LIMIT, "more than %u files are included; use fewer",
				   CONFIG_FILES);
	status = glob(pattern, 0, NULL, &found);
	config_trace_glob(p->config, pattern, &found);
	switch (status) {
	case 0:
		for (size_t i = 0; !rc && i < found.gl_pathc; i++)
			rc = include_file(p, found.gl_pathv[i]);
		break;
	case GLOB_NOMATCH:
		break;
	default:
		rc = config_fail(p, ERR_LIMIT, "too many files are named by %s", pattern);
		break;
	}
	globfree(&found);
	return rc;
}

int config_do_include(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, CONFIG_FILES, &words);

	if (rc < 0)
		return rc;
	for (size_t i = 0; !rc && i < words.count; i++) {
		char *pattern = include_path(p, words.word[i]);

		rc = include_glob(p, pattern);
		free(pattern);
	}
	config_words_done(&words);
	/* The included file may have left conditions of its own behind. */
	config_add_segment(p->config, p->cond);
	return rc;
}

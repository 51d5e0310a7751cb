/* Keywords of the command line: a configuration without blocks. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_private.h"
#include "escape.h"
#include "limits.h"

#define OPTION_SHOWN 200

static int options_add(struct ssh_config *c, const char *option, struct errmsg *msg)
{
	struct config_parser p = {.config = c, .option = true, .msg = msg};
	char shown[OPTION_SHOWN];

	(void)escape_str(shown, sizeof shown, option);
	/* Settings point at the name for as long as the configuration lives. */
	p.file = c->files[c->file_count++] = xasprintf("--ssh-option %s", shown);
	if (strlen(option) > LIMIT_OPTION_TEXT)
		return config_fail(&p, ERR_LIMIT, "more than %u bytes", LIMIT_OPTION_TEXT);
	if (strpbrk(option, "\r\n"))
		return config_fail(&p, ERR_SYNTAX, "a line break; one keyword for each -o");
	if (!option[strspn(option, " \t")] || option[strspn(option, " \t")] == '#')
		return config_fail(&p, ERR_SYNTAX, "no keyword; write Keyword=value");
	return config_parse_line(&p, option);
}

int ssh_config_options(struct ssh_config **ret, char *const *options, size_t count,
		       const char *home, struct errmsg *msg)
{
	struct ssh_config *c = config_new(home);
	int rc = 0;

	c->files = xcalloc(count ? count : 1, sizeof *c->files);
	for (size_t i = 0; !rc && i < count; i++)
		rc = options_add(c, options[i], msg);
	if (rc < 0) {
		ssh_config_free(c);
		return rc;
	}
	config_index(c);
	*ret = c;
	return 0;
}

#include "connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "duration.h"
#include "limits.h"

const char *connect_given(const struct connect_values *v)
{
	return v->retries	     ? "--retries"
	       : v->kex		     ? "--kex-algorithms"
	       : v->ciphers	     ? "--ciphers"
	       : v->macs	     ? "--macs"
	       : v->options.count    ? "-o"
	       : v->identities.count ? "-i"
	       : v->host_key	     ? "--host-key"
	       : v->transport	     ? "--transport"
				     : NULL;
}

/* What stands in it the daemon knows, which has libssh. */
static int connect_list(char **ret, const char *list, const char *otherwise, const char *what,
			struct errmsg *msg)
{
	if (list && !*list)
		return err_set(msg, ERR_SYNTAX, "%s: an empty list", what);
	if (list && strlen(list) > LIMIT_OPTION_TEXT)
		return err_set(msg, ERR_LIMIT, "%s: more than %u bytes", what, LIMIT_OPTION_TEXT);
	*ret = (char *)(uintptr_t)(list ? list : otherwise); /* only read */
	return 0;
}

static int connect_find(uint64_t *ret, const char *const *names, const char *text, const char *what,
			struct errmsg *msg)
{
	struct buf all = {0};
	int rc;

	for (uint64_t i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = i;
			buf_done(&all);
			return 0;
		}
		buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	rc = err_set(msg, ERR_SYNTAX, "%s: '%.60s' is none of %s", what, text, buf_cstr(&all));
	buf_done(&all);
	return rc;
}

int connect_host_key_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg)
{
	static const char *const names[] = {[JOB_HOST_KEY_CONFIG] = "ssh_config",
					    [JOB_HOST_KEY_STRICT] = "strict",
					    [JOB_HOST_KEY_NEW] = "accept-new",
					    NULL};

	return connect_find(ret, names, text, what, msg);
}

int connect_transport_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg)
{
	static const char *const names[] = {
		[JOB_BY_ANY] = "auto", [JOB_BY_LIBSSH] = "libssh", [JOB_BY_OPENSSH] = "ssh", NULL};

	return connect_find(ret, names, text, what, msg);
}

/* A key file as ssh_config has it, absolute: the daemon has another working directory. Tokens hold,
 * as with ssh -i, and so a name that has some cannot be looked for here. */
static int connect_identity(const char *file, char **ret, struct errmsg *msg)
{
	struct buf out = {0};
	char *cwd = NULL;

	if (!*file)
		return err_set(msg, ERR_SYNTAX, "-i: an empty name");
	if (!strpbrk(file, "%$") && *file != '~' && access(file, F_OK) < 0)
		return err_set(msg, ERR_NOTFOUND, "-i %.200s: %s", file, strerror(errno));
	if (*file != '/' && *file != '~') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_set(msg, ERR_SYS, "-i %.200s: no working directory: %s", file,
				       strerror(errno));
	}
	buf_addf(&out, "IdentityFile=\"%s%s", cwd ? cwd : "", cwd ? "/" : "");
	for (; *file; file++) {
		if (*file == '"' || *file == '\\')
			buf_add_char(&out, '\\');
		buf_add_char(&out, *file);
	}
	buf_add_char(&out, '"');
	free(cwd);
	*ret = buf_take_str(&out);
	return 0;
}

static int connect_options(struct job_open_msg *open, const struct connect_values *v,
			   struct errmsg *msg)
{
	size_t count = v->options.count + v->identities.count;
	int rc = 0;

	if (count > LIMIT_SSH_OPTIONS)
		return err_set(msg, ERR_LIMIT, "--ssh-option and -i: more than %u of them; use -F",
			       LIMIT_SSH_OPTIONS);
	if (!count)
		return 0;
	open->options = xcalloc(count, sizeof(char *));
	for (size_t i = 0; rc == 0 && i < v->identities.count; i++) {
		rc = connect_identity(v->identities.at[i], &open->options[open->option_count], msg);
		open->option_count += rc == 0;
	}
	for (size_t i = 0; rc == 0 && i < v->options.count; i++)
		open->options[open->option_count++] = xstrdup(v->options.at[i]);
	for (size_t i = 0; rc == 0 && i < open->option_count; i++)
		if (strlen(open->options[i]) > LIMIT_OPTION_TEXT)
			rc = err_set(msg, ERR_LIMIT, "--ssh-option %.40s...: more than %u bytes",
				     open->options[i], LIMIT_OPTION_TEXT);
	return rc;
}

void connect_done(struct job_open_msg *open)
{
	for (size_t i = 0; i < open->option_count; i++)
		free(open->options[i]);
	free(open->options);
	open->options = NULL;
	open->option_count = 0;
}

static int connect_ways(struct job_open_msg *open, const struct connect_values *v,
			const struct config *config, struct errmsg *msg)
{
	int rc = 0;

	open->host_key = config_get(config, CONFIG_HOST_KEY, JOB_HOST_KEY_CONFIG);
	open->transport = config_get(config, CONFIG_TRANSPORT, JOB_BY_ANY);
	if (v->host_key)
		rc = connect_host_key_find(&open->host_key, v->host_key, "--host-key", msg);
	if (rc == 0 && v->transport)
		rc = connect_transport_find(&open->transport, v->transport, "--transport", msg);
	return rc;
}

int connect_fill(struct job_open_msg *open, const struct connect_values *v,
		 const struct config *config, struct errmsg *msg)
{
	static const struct connect_values none;
	uint64_t retries = config_get(config, CONFIG_RETRIES, 0);
	bool given = config->keys[CONFIG_RETRIES].given;
	int rc = 0;

	v = v ? v : &none;
	if (v->retries) {
		rc = count_parse(&retries, v->retries, 0, LIMIT_RETRIES, "--retries", msg);
		given = true;
	}
	if (rc == 0)
		rc = connect_list(&open->kex, v->kex, config_text(config, CONFIG_KEX_ALGORITHMS),
				  "--kex-algorithms", msg);
	if (rc == 0)
		rc = connect_list(&open->ciphers, v->ciphers, config_text(config, CONFIG_CIPHERS),
				  "--ciphers", msg);
	if (rc == 0)
		rc = connect_list(&open->macs, v->macs, config_text(config, CONFIG_MACS), "--macs",
				  msg);
	if (rc == 0)
		open->retries = given ? 1 + retries : 0;
	if (rc == 0)
		rc = connect_ways(open, v, config, msg);
	if (rc == 0)
		rc = connect_options(open, v, msg);
	return rc;
}

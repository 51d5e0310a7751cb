#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "config_private.h"

#define EXPAND_HOST_NAME 256

static int expand_fail(const struct config_expand *e, const char *what, const char *why)
{
	char place[CONFIG_PLACE_SIZE];

	return err_set(e->msg, ERR_SYNTAX, "%s: cannot use \"%.200s\" for host %.255s: %.100s %s",
		       config_place(place, e->setting->file, e->setting->line),
		       e->setting->words.word[0], e->lookup->host, what, why);
}

static void expand_local_host(struct buf *out, bool whole)
{
	char name[EXPAND_HOST_NAME] = "";

	(void)gethostname(name, sizeof name - 1);
	buf_add(out, name, whole ? strlen(name) : strcspn(name, "."));
}

/* %C, as ssh: SHA-1 of %l%h%p%r%j in hex. */
static int expand_hash(const struct config_expand *e, struct buf *out)
{
	const struct ssh_options *o = e->options;
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct buf text = {0};
	unsigned len = 0;
	int ok;

	expand_local_host(&text, true);
	buf_addf(&text, "%s%u%s%s", o->hostname, o->port, o->user,
		 o->proxy_jump ? o->proxy_jump : "");
	ok = EVP_Digest(text.data, text.len, hash, &len, EVP_sha1(), NULL);
	buf_done(&text);
	if (ok != 1)
		return expand_fail(e, "%C", "cannot be made: there is no SHA-1");
	for (unsigned i = 0; i < len; i++)
		buf_addf(out, "%02x", hash[i]);
	return 0;
}

/*
 * What others choose (a host name, a user) stands in the command that a shell reads: only what can
 * mean nothing there, nor be an option. ssh forbids what it knows to be dangerous; a name of a host
 * or of a user needs no more than this.
 */
static bool expand_is_harmless(const uint8_t *text, size_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._-:@%+=,/";

	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x80 && (!text[i] || !strchr(good, text[i])))
			return false;
	}
	return !len || text[0] != '-';
}

static void expand_value(const struct config_expand *e, char token, struct buf *out)
{
	const struct config_lookup *l = e->lookup;
	const struct ssh_options *o = e->options;

	switch (token) {
	case '%':
		buf_add_char(out, '%');
		break;
	case 'd':
		buf_add_str(out, l->config->home);
		break;
	case 'h':
		buf_add_str(out, o && o->hostname ? o->hostname : l->host);
		break;
	case 'i':
		buf_addf(out, "%lu", (unsigned long)getuid());
		break;
	case 'j':
		buf_add_str(out, o->proxy_jump ? o->proxy_jump : "");
		break;
	case 'k':
		buf_add_str(out, o->host_key_alias ? o->host_key_alias : l->host);
		break;
	case 'L':
	case 'l':
		expand_local_host(out, token == 'l');
		break;
	case 'n':
		buf_add_str(out, l->host);
		break;
	case 'p':
		buf_addf(out, "%u", o->port);
		break;
	case 'r':
		buf_add_str(out, o->user);
		break;
	default:
		buf_add_str(out, l->local_user);
		break;
	}
}

static int expand_token(const struct config_expand *e, char token, struct buf *out)
{
	char shown[3] = {'%', token, '\0'};
	size_t before = out->len;

	if (token != '%' && (!token || !strchr(e->tokens, token)))
		return expand_fail(e, shown, "is no token that is known here; write %% for %");
	if (token == 'C')
		return expand_hash(e, out);
	expand_value(e, token, out);
	if (e->shell && strchr("hjknr", token) &&
	    !expand_is_harmless(out->data + before, out->len - before))
		return expand_fail(e, shown, "would carry what a shell reads into a command");
	return 0;
}

/* text: behind "${". Moves it behind the '}'. */
static int expand_variable(const struct config_expand *e, const char **text, struct buf *out)
{
	size_t len = strcspn(*text, "}");
	char *name = xstrndup(*text, len);
	const char *value = getenv(name);
	int rc = 0;

	if (!(*text)[len])
		rc = expand_fail(e, "${", "is not closed; add }");
	else if (!value)
		rc = expand_fail(e, name, "is not set in the environment");
	else
		buf_add_str(out, value);
	*text += len + ((*text)[len] == '}');
	free(name);
	return rc;
}

int config_expand(const struct config_expand *e, const char *text, char **ret)
{
	struct buf out = {0};
	int rc = 0;

	while (!rc && *text) {
		size_t plain = strcspn(text, "%$");

		if (plain) {
			buf_add(&out, text, plain);
			text += plain;
		} else if (*text == '%') {
			rc = expand_token(e, text[1], &out);
			text += text[1] ? 2 : 1;
		} else if (e->environment && text[0] == '$' && text[1] == '{') {
			text += 2;
			rc = expand_variable(e, &text, &out);
		} else {
			buf_add_char(&out, *text++);
		}
		if (!rc && out.len > CONFIG_VALUE)
			rc = expand_fail(e, "it", "becomes too long");
	}
	if (rc < 0)
		buf_done(&out);
	else
		*ret = buf_take_str(&out);
	return rc;
}

int config_expand_path(const struct config_expand *e, const char *text, char **ret)
{
	char *path = NULL;
	int rc;

	if (*text == '~')
		return expand_fail(e, "~", "names a user who does not exist");
	rc = config_expand(e, text, &path);
	if (rc < 0)
		return rc;
	if (*path == '/') {
		*ret = path;
	} else {
		*ret = xasprintf("%s/%s", e->lookup->config->home, path);
		free(path);
	}
	return 0;
}

char *config_expand_hostname(const struct config_lookup *l, struct errmsg *msg)
{
	const struct config_setting *s = l->first[CONFIG_HOSTNAME];
	struct config_expand e = {.lookup = l, .setting = s, .tokens = "h", .msg = msg};
	char *name = NULL;

	if (l->hostname)
		return xstrdup(l->hostname);
	if (!s)
		name = xstrdup(l->host);
	else if (config_expand(&e, s->words.word[0], &name) < 0)
		return NULL;
	/* In an address the case counts: the name of an interface stands behind '%'. */
	if (strpbrk(name, ":%"))
		return name;
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

int config_expand_exec(const struct config_lookup *l, const struct config_cond *cond,
		       const char *command, char **ret, struct errmsg *msg)
{
	char *words[] = {(char *)(uintptr_t)command}; /* only read */
	const struct config_setting s = {
		.words = {words, 1}, .file = cond->file, .line = cond->line};
	const struct config_setting *port = l->first[CONFIG_PORT];
	const struct config_setting *alias = l->first[CONFIG_HOST_KEY_ALIAS];
	struct ssh_options o = {.hostname = config_expand_hostname(l, msg),
				.user = (char *)(uintptr_t)config_user(l),
				.port = l->port ? l->port : (uint16_t)(port ? port->number : 22),
				.host_key_alias = alias ? alias->words.word[0] : NULL};
	const struct config_expand e = {.lookup = l,
					.options = &o,
					.setting = &s,
					.tokens = CONFIG_TOKENS,
					.shell = true,
					.msg = msg};
	int rc = o.hostname ? config_expand(&e, command, ret) : ERR_SYNTAX;

	free(o.hostname);
	return rc;
}

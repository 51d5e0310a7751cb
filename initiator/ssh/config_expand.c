#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "config_private.h"

#define EXPAND_HOST_NAME 256

/* A value on its way from the file to its use. */
struct expand {
	const struct config_lookup *lookup;
	const struct ssh_options *options; /* as far as known */
	const struct config_setting *setting;
	const char *tokens; /* the letters that may follow '%', besides '%' */
	bool environment;   /* ${NAME} too */
	struct errmsg *msg;
};

static int expand_fail(const struct expand *e, const char *what, const char *why)
{
	return err_set(e->msg, ERR_SYNTAX,
		       "%s:%u: cannot use \"%.200s\" for host %.255s: %.100s %s", e->setting->file,
		       e->setting->line, e->setting->words.word[0], e->lookup->host, what, why);
}

static void expand_local_host(struct buf *out, bool whole)
{
	char name[EXPAND_HOST_NAME] = "";

	(void)gethostname(name, sizeof name - 1);
	buf_add(out, name, whole ? strlen(name) : strcspn(name, "."));
}

static int expand_token(const struct expand *e, char token, struct buf *out)
{
	const struct config_lookup *l = e->lookup;
	const struct ssh_options *o = e->options;
	char shown[3] = {'%', token, '\0'};

	if (token != '%' && (!token || !strchr(e->tokens, token)))
		return expand_fail(e, shown, "is no token that is known here; write %% for %");
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
	return 0;
}

/* text: behind "${". Moves it behind the '}'. */
static int expand_variable(const struct expand *e, const char **text, struct buf *out)
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

static int expand_text(const struct expand *e, const char *text, char **ret)
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

/* A path is taken from the home directory: a daemon has no working directory worth the name. */
static int expand_path(const struct expand *e, const char *text, char **ret)
{
	char *path = NULL;
	int rc;

	if (*text == '~')
		return expand_fail(e, "~", "names a user who does not exist");
	rc = expand_text(e, text, &path);
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
	struct expand e = {.lookup = l, .setting = s, .tokens = "h", .msg = msg};
	char *name = NULL;

	if (!s)
		name = xstrdup(l->host);
	else if (expand_text(&e, s->words.word[0], &name) < 0)
		return NULL;
	/* In an address the case counts: the name of an interface stands behind '%'. */
	if (strpbrk(name, ":%"))
		return name;
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

static bool expand_is_none(const char *text)
{
	return strcasecmp(text, "none") == 0;
}

static char *expand_default(const struct config_lookup *l, const char *file)
{
	return xasprintf("%s/.ssh/%s", l->config->home, file);
}

static int fill_identities(struct expand e, struct ssh_options *o)
{
	/* ssh's order, without kinds that need a security key or that nobody has any more. */
	static const char *const defaults[] = {"id_rsa", "id_ecdsa", "id_ed25519"};
	const struct config_lookup *l = e.lookup;
	int rc = 0;

	o->identity_files = xcalloc(l->identity_count + ARRAY_LEN(defaults), sizeof(char *));
	o->identities_default = l->identity_count == 0;
	for (size_t i = 0; o->identities_default && i < ARRAY_LEN(defaults); i++)
		o->identity_files[o->identity_count++] = expand_default(l, defaults[i]);
	for (size_t i = 0; !rc && i < l->identity_count; i++) {
		e.setting = l->identities[i];
		if (expand_is_none(e.setting->words.word[0]))
			continue;
		rc = expand_path(&e, e.setting->words.word[0],
				 &o->identity_files[o->identity_count]);
		if (!rc)
			o->identity_count++;
	}
	return rc;
}

static int fill_user_known_hosts(struct expand e, struct ssh_options *o)
{
	const struct config_setting *s = e.lookup->first[CONFIG_USER_KNOWN_HOSTS];
	int rc = 0;

	o->user_known_hosts = xcalloc(s ? s->words.count : 2, sizeof(char *));
	if (!s) {
		o->user_known_hosts[0] = expand_default(e.lookup, "known_hosts");
		o->user_known_hosts[1] = expand_default(e.lookup, "known_hosts2");
		o->user_known_hosts_count = 2;
		return 0;
	}
	e.setting = s;
	for (size_t i = 0; !rc && i < s->words.count; i++) {
		if (expand_is_none(s->words.word[i]))
			break;
		rc = expand_path(&e, s->words.word[i],
				 &o->user_known_hosts[o->user_known_hosts_count]);
		if (!rc)
			o->user_known_hosts_count++;
	}
	return rc;
}

static void fill_global_known_hosts(const struct config_lookup *l, struct ssh_options *o)
{
	static const char *const defaults[] = {"/etc/ssh/ssh_known_hosts",
					       "/etc/ssh/ssh_known_hosts2"};
	const struct config_setting *s = l->first[CONFIG_GLOBAL_KNOWN_HOSTS];
	size_t count = s ? s->words.count : ARRAY_LEN(defaults);

	o->global_known_hosts = xcalloc(count, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		const char *path = s ? s->words.word[i] : defaults[i];

		if (!expand_is_none(path))
			o->global_known_hosts[o->global_known_hosts_count++] = xstrdup(path);
	}
}

static int fill_agent(struct expand e, struct ssh_options *o)
{
	const struct config_setting *s = e.lookup->first[CONFIG_IDENTITY_AGENT];
	const char *value = s ? s->words.word[0] : NULL;

	if (!value || strcmp(value, "SSH_AUTH_SOCK") == 0)
		return 0;
	if (value[0] == '$' && value[1] != '{') {
		value = getenv(value + 1);
		o->identity_agent = xstrdup(value && *value ? value : "none");
		return 0;
	}
	if (expand_is_none(value)) {
		o->identity_agent = xstrdup("none");
		return 0;
	}
	e.setting = s;
	return expand_path(&e, value, &o->identity_agent);
}

static int fill_proxy(struct expand e, struct ssh_options *o)
{
	const struct config_setting *jump = e.lookup->first[CONFIG_PROXY_JUMP];
	const struct config_setting *command = e.lookup->first[CONFIG_PROXY_COMMAND];

	/* Its tokens stay: a host name must not reach a shell before it was checked. */
	if (command && !expand_is_none(command->words.word[0]))
		o->proxy_command = xstrdup(command->words.word[0]);
	if (!jump || expand_is_none(jump->words.word[0]))
		return 0;
	e.setting = jump;
	e.tokens = "hnpr";
	e.environment = false;
	return expand_text(&e, jump->words.word[0], &o->proxy_jump);
}

static unsigned fill_number(const struct config_lookup *l, enum config_key key, unsigned otherwise)
{
	return l->first[key] ? l->first[key]->number : otherwise;
}

static const char *fill_string(const struct config_lookup *l, enum config_key key,
			       const char *otherwise)
{
	return l->first[key] ? l->first[key]->words.word[0] : otherwise;
}

int config_options_fill(const struct config_lookup *l, struct ssh_options *ret, struct errmsg *msg)
{
	struct ssh_options o = {.hostname = config_expand_hostname(l, msg)};
	struct expand e = {.lookup = l,
			   .options = &o,
			   .tokens = "dhikLlnpru",
			   .environment = true,
			   .msg = msg};
	const char *alias = fill_string(l, CONFIG_HOST_KEY_ALIAS, NULL);
	int rc = o.hostname ? 0 : ERR_SYNTAX;

	o.user = xstrdup(l->user ? l->user : fill_string(l, CONFIG_USER, l->local_user));
	o.port = l->port ? l->port : (uint16_t)fill_number(l, CONFIG_PORT, 22);
	o.host_key_alias = alias ? xstrdup(alias) : NULL;
	o.identities_only = fill_number(l, CONFIG_IDENTITIES_ONLY, 0) != 0;
	o.strict = (enum ssh_strict)fill_number(l, CONFIG_STRICT, SSH_STRICT_YES);
	o.connect_timeout_s = fill_number(l, CONFIG_CONNECT_TIMEOUT, 0);
	fill_global_known_hosts(l, &o);
	if (!rc)
		rc = fill_identities(e, &o);
	if (!rc)
		rc = fill_user_known_hosts(e, &o);
	if (!rc)
		rc = fill_agent(e, &o);
	if (!rc)
		rc = fill_proxy(e, &o);
	if (rc < 0)
		ssh_options_done(&o);
	else
		*ret = o;
	return rc;
}

static void options_free_list(char **list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		free(list[i]);
	free(list);
}

void ssh_options_done(struct ssh_options *o)
{
	if (!o)
		return;
	free(o->hostname);
	free(o->user);
	options_free_list(o->identity_files, o->identity_count);
	free(o->identity_agent);
	options_free_list(o->user_known_hosts, o->user_known_hosts_count);
	options_free_list(o->global_known_hosts, o->global_known_hosts_count);
	free(o->host_key_alias);
	free(o->proxy_jump);
	free(o->proxy_command);
	*o = (struct ssh_options){0};
}

/* From what a lookup has collected to what a connection needs. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "config_private.h"

static bool expand_is_none(const char *text)
{
	return strcasecmp(text, "none") == 0;
}

static char *expand_default(const struct config_lookup *l, const char *file)
{
	return xasprintf("%s/.ssh/%s", l->config->home, file);
}

static int fill_identities(struct config_expand e, struct ssh_options *o)
{
	/* ssh's order, without kinds that nobody has any more. */
	static const char *const defaults[] = {"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519",
					       "id_ed25519_sk"};
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
		rc = config_expand_path(&e, e.setting->words.word[0],
					&o->identity_files[o->identity_count]);
		if (!rc)
			o->identity_count++;
	}
	return rc;
}

static int fill_user_known_hosts(struct config_expand e, struct ssh_options *o)
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
		rc = config_expand_path(&e, s->words.word[i],
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

static int fill_agent(struct config_expand e, struct ssh_options *o)
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
	return config_expand_path(&e, value, &o->identity_agent);
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

static int fill_certificates(struct config_expand e, struct ssh_options *o)
{
	const struct config_lookup *l = e.lookup;
	int rc = 0;

	if (l->certificate_count)
		o->certificate_files = xcalloc(l->certificate_count, sizeof(char *));
	for (size_t i = 0; !rc && i < l->certificate_count; i++) {
		e.setting = l->certificates[i];
		if (expand_is_none(e.setting->words.word[0]))
			continue;
		rc = config_expand_path(&e, e.setting->words.word[0],
					&o->certificate_files[o->certificate_count]);
		if (!rc)
			o->certificate_count++;
	}
	return rc;
}

static int fill_jump(struct config_expand e, struct ssh_options *o)
{
	const struct config_setting *jump = e.lookup->first[CONFIG_PROXY_JUMP];

	if (!jump || expand_is_none(jump->words.word[0]))
		return 0;
	e.setting = jump;
	e.tokens = "hnpr";
	e.environment = false;
	return config_expand(&e, jump->words.word[0], &o->proxy_jump);
}

static int fill_command(struct config_expand e, struct ssh_options *o)
{
	const struct config_setting *command = e.lookup->first[CONFIG_PROXY_COMMAND];
	char *text;
	int rc;

	/* As ssh: a jump hands nothing over. */
	o->proxy_fdpass = o->proxy_fdpass && !o->proxy_jump;
	if (!command || expand_is_none(command->words.word[0]))
		return 0;
	e.setting = command;
	e.tokens = "hknpr";
	e.environment = false;
	e.shell = true;
	/* As ssh: no shell stays behind between us and it. */
	text = xasprintf("exec %s", command->words.word[0]);
	rc = config_expand(&e, text, &o->proxy_command);
	free(text);
	return rc;
}

/* The keyword by which this host is one for the OpenSSH client; NULL: none. */
static const char *fill_special(const struct config_lookup *l)
{
	static const struct {
		enum config_key key;
		const char *name;
	} rows[] = {
		{CONFIG_BIND_ADDRESS, "BindAddress"},
		{CONFIG_BIND_INTERFACE, "BindInterface"},
		{CONFIG_KNOWN_HOSTS_COMMAND, "KnownHostsCommand"},
		{CONFIG_PKCS11, "PKCS11Provider"},
		{CONFIG_REVOKED_HOST_KEYS, "RevokedHostKeys"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = fill_string(l, rows[i].key, "none");

		if (!expand_is_none(value))
			return rows[i].name;
	}
	if (fill_number(l, CONFIG_CANONICALIZE, 0) && l->first[CONFIG_CANONICAL_DOMAINS] &&
	    !expand_is_none(fill_string(l, CONFIG_CANONICAL_DOMAINS, "none")))
		return "CanonicalDomains";
	return NULL;
}

static unsigned fill_count(const struct config_lookup *l, enum config_key key, unsigned otherwise)
{
	unsigned n = fill_number(l, key, otherwise);

	return n ? n : 1;
}

static void fill_auth(const struct config_lookup *l, struct ssh_options *o)
{
	o->preferred = fill_string(l, CONFIG_PREFERRED, NULL);
	o->pubkey_auth = fill_number(l, CONFIG_PUBKEY_AUTH, 1);
	o->password_auth = fill_number(l, CONFIG_PASSWORD_AUTH, 1);
	o->keyboard_auth = fill_number(l, CONFIG_KEYBOARD_AUTH, 1);
	o->gssapi_auth = fill_number(l, CONFIG_GSSAPI_AUTH, 0);
	o->hostbased_auth = fill_number(l, CONFIG_HOSTBASED_AUTH, 0);
	o->prompts = fill_count(l, CONFIG_PROMPTS, 3);
	o->identities_only = fill_number(l, CONFIG_IDENTITIES_ONLY, 0);
}

static void fill_plain(const struct config_lookup *l, struct ssh_options *o)
{
	const char *alias = fill_string(l, CONFIG_HOST_KEY_ALIAS, NULL);

	o->user = xstrdup(config_user(l));
	o->port = l->port ? l->port : (uint16_t)fill_number(l, CONFIG_PORT, 22);
	o->host_key_alias = alias ? xstrdup(alias) : NULL;
	o->strict = (enum ssh_strict)fill_number(l, CONFIG_STRICT, SSH_STRICT_YES);
	o->hash_known_hosts = fill_number(l, CONFIG_HASH_KNOWN_HOSTS, 0);
	o->connect_timeout_s = fill_number(l, CONFIG_CONNECT_TIMEOUT, 0);
	o->attempts = fill_count(l, CONFIG_ATTEMPTS, 1);
	o->alive_interval_s = fill_number(l, CONFIG_ALIVE_INTERVAL, 0);
	o->alive_count = fill_number(l, CONFIG_ALIVE_COUNT, 3);
	o->family = (enum ssh_family)fill_number(l, CONFIG_FAMILY, SSH_FAMILY_ANY);
	o->proxy_fdpass = fill_number(l, CONFIG_PROXY_FDPASS, 0);
	o->kex = fill_string(l, CONFIG_KEX, NULL);
	o->ciphers = fill_string(l, CONFIG_CIPHERS, NULL);
	o->macs = fill_string(l, CONFIG_MACS, NULL);
	o->host_key_algs = fill_string(l, CONFIG_HOST_KEY_ALGS, NULL);
	o->pubkey_algs = fill_string(l, CONFIG_PUBKEY_ALGS, NULL);
	o->refuse = fill_string(l, CONFIG_REFUSE, NULL);
	o->special = fill_special(l);
}

int config_options_fill(const struct config_lookup *l, struct ssh_options *ret, struct errmsg *msg)
{
	/* Each step may use what those before it have filled in. */
	static int (*const steps[])(struct config_expand e, struct ssh_options * o) = {
		fill_jump,  fill_identities, fill_certificates, fill_user_known_hosts,
		fill_agent, fill_command,
	};
	struct ssh_options o = {.hostname = config_expand_hostname(l, msg)};
	struct config_expand e = {.lookup = l,
				  .options = &o,
				  .tokens = CONFIG_TOKENS,
				  .environment = true,
				  .msg = msg};
	int rc = o.hostname ? 0 : ERR_SYNTAX;

	fill_plain(l, &o);
	fill_auth(l, &o);
	fill_global_known_hosts(l, &o);
	for (size_t i = 0; !rc && i < ARRAY_LEN(steps); i++)
		rc = steps[i](e, &o);
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
	options_free_list(o->certificate_files, o->certificate_count);
	free(o->identity_agent);
	options_free_list(o->user_known_hosts, o->user_known_hosts_count);
	options_free_list(o->global_known_hosts, o->global_known_hosts_count);
	free(o->host_key_alias);
	free(o->proxy_jump);
	free(o->proxy_command);
	*o = (struct ssh_options){0};
}

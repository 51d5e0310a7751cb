/* The one file here, but for cmd_daemon.c, that knows of ssh/: its known_hosts.h alone. */
#include "doctor_keys.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "exit.h"
#include "fold.h"
#include "known_hosts.h"
#include "limits.h"

/* A key and the file that it is for. Its strings are its own. */
struct doctor_key {
	size_t host;
	char *file, *name, *type;
	uint8_t *blob;
	size_t len;
	uint16_t port;
	bool alias, hashed;
};

static int keys_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* False: it is no base64. */
static bool keys_decode(struct doctor_key *key, const char *text)
{
	size_t len = strlen(text);
	uint32_t bits = 0;
	unsigned have = 0;

	key->blob = xmalloc(len + 1);
	for (; *text && *text != '='; text++) {
		int digit = keys_digit(*text);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			key->blob[key->len++] = (uint8_t)(bits >> have);
		}
	}
	return key->len > 0;
}

static bool keys_flag(const struct doctor_host *host, const char *name)
{
	char *text = doctor_field(host, name);
	bool yes = text && strcmp(text, "1") == 0;

	free(text);
	return yes;
}

static bool keys_read(struct doctor_key *key, const struct doctor_host *host)
{
	char *blob = doctor_field(host, "blob"), *port = doctor_field(host, "port");
	bool ok;

	key->file = doctor_field(host, "file");
	key->name = doctor_field(host, "name");
	key->type = doctor_field(host, "key_type");
	key->alias = keys_flag(host, "alias");
	key->hashed = keys_flag(host, "hashed");
	ok = blob && port && key->file && key->name && key->type && keys_decode(key, blob);
	if (ok)
		key->port = (uint16_t)strtoul(port, NULL, 10);
	free(blob);
	free(port);
	return ok;
}

static void keys_free(struct doctor_key *key)
{
	free(key->file);
	free(key->name);
	free(key->type);
	free(key->blob);
}

static int keys_by_file(const void *va, const void *vb)
{
	const struct doctor_key *a = va, *b = vb;
	int rc = strcmp(a->file, b->file);

	return rc ? rc : (a->host > b->host) - (a->host < b->host);
}

/* Those that another program has written differently meanwhile: nobody decides that but people. */
static void keys_say_conflicts(const struct doctor *doctor, const struct doctor_key *keys,
			       const struct known_new *news, size_t count)
{
	const char **names = xcalloc(count, sizeof *names);
	size_t n = 0;
	char *folded;

	for (size_t i = 0; i < count; i++)
		if (news[i].result == KNOWN_CONFLICT || news[i].result == KNOWN_UNFIT)
			names[n++] = doctor->hosts[keys[i].host].label;
	folded = fold_names(names, n);
	if (n)
		(void)cmd_error(0,
				"%zu not written: %s has another key for the name by now, or "
				"cannot hold the name: %s",
				n, keys[0].file, folded);
	free(folded);
	free(names);
}

/* Those of one file. */
static int keys_write_file(const struct doctor *doctor, const struct doctor_key *keys, size_t count,
			   bool *ret_written, bool quiet)
{
	struct known_new *news = xcalloc(count, sizeof *news);
	struct errmsg msg;
	size_t added = 0;
	int rc;

	for (size_t i = 0; i < count; i++)
		news[i] = (struct known_new){.name = keys[i].name,
					     .port = keys[i].port,
					     .alias = keys[i].alias,
					     .hashed = keys[i].hashed,
					     .type = keys[i].type,
					     .blob = keys[i].blob,
					     .blob_len = keys[i].len};
	rc = known_hosts_append_all(keys[0].file, news, count, &msg);
	if (rc == 0) {
		for (size_t i = 0; i < count; i++) {
			ret_written[keys[i].host] =
				news[i].result == KNOWN_ADDED || news[i].result == KNOWN_PRESENT;
			added += news[i].result == KNOWN_ADDED;
		}
		if (!quiet)
			(void)cmd_error(0, "%zu new key%s written to %s", added,
					added == 1 ? "" : "s", keys[0].file);
		keys_say_conflicts(doctor, keys, news, count);
	}
	free(news);
	return rc ? cmd_error(EXIT_INTERNAL, "%s", msg.text) : EXIT_OK;
}

int doctor_keys_write(const struct doctor *doctor, bool *ret_written, bool quiet)
{
	struct doctor_key *keys = xcalloc(doctor->count ? doctor->count : 1, sizeof *keys);
	size_t count = 0, first = 0;
	int status = EXIT_OK;

	for (size_t i = 0; i < doctor->count; i++) {
		if (!doctor_is_new_key(&doctor->hosts[i]))
			continue;
		keys[count] = (struct doctor_key){.host = i};
		if (keys_read(&keys[count], &doctor->hosts[i])) {
			count++;
			continue;
		}
		(void)cmd_error(0, "%s: there is no file for its key (UserKnownHostsFile)",
				doctor->hosts[i].label);
		keys_free(&keys[count]);
	}
	qsort(keys, count, sizeof *keys, keys_by_file);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && strcmp(keys[i].file, keys[first].file) == 0)
			continue;
		status = exit_worse(status, keys_write_file(doctor, &keys[first], i - first,
							    ret_written, quiet));
		first = i;
	}
	for (size_t i = 0; i < count; i++)
		keys_free(&keys[i]);
	free(keys);
	return status;
}

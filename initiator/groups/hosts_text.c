/* Files of hosts, as pssh has them, and words that are hosts. */
#include <string.h>

#include "ansible.h"
#include "load.h"

static bool hosts_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t hosts_word(const char *text, size_t n)
{
	size_t len = 0;

	while (len < n && !hosts_blank(text[len]))
		len++;
	return len;
}

/* [USER@]HOST[:PORT], and perhaps a user that stands behind it. */
static int hosts_put(struct inv *inv, const char *word, size_t n, const char *user, size_t user_len,
		     struct errmsg *msg)
{
	const char *at = memchr(word, '@', n);
	struct ansible_hosts hosts = {0};
	int rc;

	if (at && user_len)
		return err_set(msg, ERR_SYNTAX, "two users for one host");
	if (at) {
		user = word;
		user_len = (size_t)(at - word);
		if (!user_len)
			return err_set(msg, ERR_SYNTAX, "no user in front of '@'");
		n -= user_len + 1;
		word = at + 1;
	}
	rc = ansible_expand(inv, word, n, true, &hosts, msg);
	if (rc == 0 && user_len)
		rc = inv_hosts_set(inv, hosts.at, hosts.count, INV_USER, user, user_len, msg);
	ansible_hosts_done(&hosts);
	return rc;
}

static int hosts_line(struct inv *inv, const char *data, size_t n, bool words, struct errmsg *msg)
{
	int rc = 0;

	while (rc == 0 && n) {
		size_t word = hosts_word(data, n), next = word, second = 0;

		while (next < n && hosts_blank(data[next]))
			next++;
		if (!words) {
			second = hosts_word(data + next, n - next);
			if (next + second < n)
				return err_set(msg, ERR_SYNTAX,
					       "more than HOST and USER in one line");
		}
		rc = hosts_put(inv, data, word, data + next, second, msg);
		data += next + second;
		n -= next + second;
	}
	return rc;
}

static int hosts_load(struct inv *inv, const struct load_text *text, bool words, struct errmsg *msg)
{
	struct load_line line = {0};
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && load_next(text, &at, &line)) {
		const char *comment = line.n ? memchr(line.data, '#', line.n) : NULL;

		if (comment)
			line.n = (size_t)(comment - line.data);
		while (line.n && hosts_blank(line.data[line.n - 1]))
			line.n--;
		rc = hosts_line(inv, line.data, line.n, words, msg);
	}
	return rc ? load_fail(text, line.number, rc, msg) : 0;
}

int load_hosts(struct inv *inv, const struct load_text *text, struct errmsg *msg)
{
	return hosts_load(inv, text, false, msg);
}

int load_words(struct inv *inv, const struct load_text *text, struct errmsg *msg)
{
	return hosts_load(inv, text, true, msg);
}

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "known_hosts_private.h"
#include "limits.h"

_Static_assert(LIMIT_KNOWN_HOSTS < UINT32_MAX, "offsets have 32 bits");

/* A line while it is read: what is left of it. Its words end in NUL already. */
struct known_parser {
	struct known_hosts *kh;
	uint8_t scratch[KNOWN_LINE_MAX];
};

static bool known_is_base64(const char *s, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t body = strspn(s, digits);

	if (len % 4 || len == 0 || body > len)
		return false;
	return body == len || (body + 1 == len && s[body] == '=') ||
	       (body + 2 == len && s[body] == '=' && s[body + 1] == '=');
}

/* Decodes len characters at s in place. Returns the number of bytes; 0: no base64. */
static uint32_t known_decode(struct known_parser *p, char *s, size_t len)
{
	int n;

	if (!known_is_base64(s, len) || len > sizeof p->scratch)
		return 0;
	n = EVP_DecodeBlock(p->scratch, (const unsigned char *)s, (int)len);
	if (n < 0)
		return 0;
	/* EVP_DecodeBlock counts the padding as bytes. */
	n -= s[len - 1] == '=';
	n -= s[len - 2] == '=';
	memcpy(s, p->scratch, (size_t)n);
	return (uint32_t)n;
}

/* Cuts the next word off *rest; NULL if there is none. */
static char *known_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	size_t len = strcspn(word, " \t");

	if (!len)
		return NULL;
	*rest = word + len + (word[len] != '\0');
	word[len] = '\0';
	return word;
}

/* |1|salt|hash, both of 20 bytes, becomes the 40 bytes. */
static bool known_parse_hashed(struct known_parser *p, char *names)
{
	static const char magic[] = "|1|";
	char *salt = names + strlen(magic), *hash;

	if (strncmp(names, magic, strlen(magic)) != 0)
		return false;
	hash = strchr(salt, '|');
	if (!hash)
		return false;
	*hash++ = '\0';
	if (known_decode(p, hash, strlen(hash)) != KNOWN_HASH_SIZE ||
	    known_decode(p, salt, strlen(salt)) != KNOWN_HASH_SIZE)
		return false;
	memmove(names, salt, KNOWN_HASH_SIZE);
	memmove(names + KNOWN_HASH_SIZE, hash, KNOWN_HASH_SIZE);
	return true;
}

static bool known_parse_names(struct known_parser *p, char *names, struct known_line *line)
{
	line->names = (uint32_t)(names - known_text(p->kh, 0));
	line->names_len = (uint32_t)strlen(names);
	if (*names == '|') {
		line->kind = KNOWN_HASHED;
		line->names_len = 2 * KNOWN_HASH_SIZE;
		return known_parse_hashed(p, names);
	}
	line->kind = strpbrk(names, "*?!") ? KNOWN_WALKED : KNOWN_LITERAL;
	for (; *names; names++) {
		if (*names >= 'A' && *names <= 'Z')
			*names = (char)(*names + ('a' - 'A'));
	}
	return true;
}

/* The key names its own type, RFC 4253 section 6.6; a line that says another is a forgery. */
static bool known_parse_key(struct known_parser *p, const char *type, char *blob,
			    struct known_line *line)
{
	const uint8_t *bytes = (const uint8_t *)blob;
	size_t type_len = strlen(type), inner_len;

	line->type = (uint32_t)(type - known_text(p->kh, 0));
	line->blob = (uint32_t)(blob - known_text(p->kh, 0));
	line->blob_len = known_decode(p, blob, strlen(blob));
	if (type_len > KNOWN_TYPE_MAX || line->blob_len < 4)
		return false;
	inner_len =
		(size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
	type = known_type(type);
	return inner_len == strlen(type) && inner_len <= line->blob_len - 4 &&
	       memcmp(bytes + 4, type, inner_len) == 0;
}

static bool known_parse_line(struct known_parser *p, char *text, struct known_line *line)
{
	char *names = known_word(&text), *type, *blob;

	if (!names || *names == '#')
		return false;
	if (*names == '@') {
		if (strcmp(names, "@revoked") == 0)
			line->marker = KNOWN_REVOKED_KEY;
		else if (strcmp(names, "@cert-authority") == 0)
			line->marker = KNOWN_CA_KEY;
		else
			return false;
		names = known_word(&text);
	}
	type = known_word(&text);
	blob = known_word(&text);
	return names && type && blob && known_parse_key(p, type, blob, line) &&
	       known_parse_names(p, names, line);
}

static void known_add_line(struct known_hosts *kh, const struct known_line *line)
{
	if (kh->line_count == kh->line_size) {
		kh->line_size = kh->line_size ? kh->line_size * 2 : 64;
		kh->lines = xrealloc(kh->lines, kh->line_size, sizeof *kh->lines);
	}
	kh->lines[kh->line_count++] = *line;
}

struct known_hosts *known_hosts_from_text(const char *path, struct buf *text)
{
	struct known_hosts *kh = xcalloc(1, sizeof *kh);
	struct known_parser *p = xmalloc(sizeof *p);
	uint32_t number = 0;
	char *at, *end;

	kh->path = xstrdup(path);
	/* The last line may have no end, and is to end in NUL as well. */
	buf_add_char(text, '\n');
	kh->text = *text;
	*text = (struct buf){0};
	p->kh = kh;
	at = (char *)kh->text.data;
	end = at + kh->text.len;
	while (at < end) {
		char *eol = memchr(at, '\n', (size_t)(end - at));
		struct known_line line = {.number = ++number};
		size_t len = (size_t)(eol - at);

		*eol = '\0';
		if (len && at[len - 1] == '\r')
			at[--len] = '\0';
		if (len <= KNOWN_LINE_MAX && strlen(at) == len && known_parse_line(p, at, &line))
			known_add_line(kh, &line);
		at = eol + 1;
	}
	free(p);
	known_index_build(kh);
	return kh;
}

int known_hosts_load(struct known_hosts **ret, const char *path, struct errmsg *msg)
{
	struct file_stamp stamp;
	struct buf text = {0};
	int rc = file_stamp_read(&stamp, &text, path, LIMIT_KNOWN_HOSTS);
	size_t len = text.len;

	if (rc == ERR_SYS && (errno == ENOENT || errno == ENOTDIR))
		rc = 0;
	if (rc == 0) {
		*ret = known_hosts_from_text(path, &text);
		(*ret)->stamp = stamp;
		(*ret)->news = known_news_new(&stamp, len);
	} else if (rc == ERR_LIMIT) {
		err_set(msg, rc, "%s: more than %u MiB; remove lines that are not needed", path,
			LIMIT_KNOWN_HOSTS >> 20);
	} else {
		err_set(msg, rc, "cannot read %s: %s", path, strerror(errno));
	}
	buf_done(&text);
	return rc;
}

void known_hosts_hold(struct known_hosts *kh)
{
	atomic_fetch_add(&kh->holds, 1);
}

void known_hosts_free(struct known_hosts *kh)
{
	if (!kh || atomic_fetch_sub(&kh->holds, 1))
		return;
	free(kh->path);
	buf_done(&kh->text);
	free(kh->lines);
	free(kh->names);
	free(kh->walked);
	free(kh->hashed);
	known_memo_free(kh->memo);
	known_news_free(kh->news);
	free(kh);
}

const char *known_hosts_path(const struct known_hosts *kh)
{
	return kh->path;
}

bool known_hosts_is_settled(const struct known_hosts *kh)
{
	return kh->stamp.kind != FILE_STAMP_UNSURE;
}

bool known_hosts_is_current(const struct known_hosts *kh)
{
	return file_stamp_holds(&kh->stamp, kh->path);
}

size_t known_hosts_size(const struct known_hosts *kh)
{
	return kh->text.size + kh->line_size * sizeof *kh->lines +
	       kh->name_count * sizeof *kh->names +
	       ((size_t)kh->walked_count + kh->hashed_count) * sizeof *kh->walked +
	       known_memo_size(kh);
}

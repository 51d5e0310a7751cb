#include "keys.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"
#include "limits.h"

int key_blob(ssh_key key, uint8_t **ret_blob, size_t *ret_len)
{
	char *text = NULL;
	uint8_t *blob;
	size_t len, pad = 0;
	int n;

	if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
		return ERR_CRYPTO;
	len = strlen(text);
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	blob = xmalloc(len / 4 * 3 + 1);
	n = EVP_DecodeBlock(blob, (const unsigned char *)text, (int)len);
	ssh_string_free_char(text);
	if (n < (int)pad || n == 0) {
		free(blob);
		return ERR_CRYPTO;
	}
	*ret_blob = blob;
	*ret_len = (size_t)n - pad; /* EVP_DecodeBlock counts the padding as zero bytes */
	return 0;
}

/* libssh asks for a passphrase: there is none, but now we know that the key has one. */
static int key_on_passphrase(const char *prompt, char *out, size_t size, int echo, int verify,
			     void *asked)
{
	(void)prompt;
	(void)out;
	(void)size;
	(void)echo;
	(void)verify;
	*(bool *)asked = true;
	return -1;
}

static void key_load_public(struct key_file *file)
{
	char *path = xasprintf("%s.pub", file->path);
	ssh_key key = NULL;

	if (ssh_pki_import_pubkey_file(path, &key) == SSH_OK)
		(void)key_blob(key, &file->blob, &file->blob_len);
	ssh_key_free(key);
	free(path);
}

static void key_load_private(struct key_file *file, const char *text)
{
	bool asked = false;

	if (ssh_pki_import_privkey_base64(text, NULL, key_on_passphrase, &asked, &file->key) ==
	    SSH_OK) {
		(void)key_blob(file->key, &file->blob, &file->blob_len);
		return;
	}
	file->key = NULL;
	file->locked = asked;
	if (asked)
		(void)err_set(&file->fault, 0,
			      "%s: has a passphrase, and ssh-agent does not hold it (ssh-add %s)",
			      file->path, file->path);
	else
		(void)err_set(&file->fault, 0, "%s: not a private key that can be read",
			      file->path);
}

/* As ssh: a key that others can read is no secret, and is not used. */
static bool key_is_open(struct key_file *file)
{
	struct stat st;

	if (stat(file->path, &st) < 0 || st.st_uid != geteuid() || !(st.st_mode & 077))
		return false;
	(void)err_set(&file->fault, 0, "%s: others may read it (mode %04o): chmod 600 %s",
		      file->path, (unsigned)(st.st_mode & 07777), file->path);
	return true;
}

void key_file_load(struct key_file *ret, const char *path)
{
	struct buf text = {0};
	int rc;

	*ret = (struct key_file){.path = xstrdup(path)};
	rc = fd_read_file(&text, path, LIMIT_KEY_FILE);
	if (rc == ERR_SYS) {
		ret->missing = errno == ENOENT;
		(void)err_set(&ret->fault, rc, "%s: %s", path, strerror(errno));
	} else if (rc) {
		(void)err_set(&ret->fault, rc, "%s: larger than %u bytes, no key file", path,
			      LIMIT_KEY_FILE);
	} else if (!key_is_open(ret)) {
		key_load_private(ret, buf_cstr(&text));
	}
	if (!ret->key)
		key_load_public(ret);
	if (text.data)
		explicit_bzero(text.data, text.size);
	buf_done(&text);
}

static int key_unlock_text(struct key_file *file, const char *text, const char *passphrase)
{
	bool asked = false;
	ssh_key key = NULL;

	if (ssh_pki_import_privkey_base64(text, passphrase, key_on_passphrase, &asked, &key) !=
	    SSH_OK) {
		/* It was a key a moment ago. */
		return ERR_DENIED;
	}
	file->key = key;
	file->locked = false;
	if (!file->blob)
		(void)key_blob(key, &file->blob, &file->blob_len);
	return 0;
}

int key_file_unlock(struct key_file *file, const char *passphrase)
{
	struct buf text = {0};
	int rc = fd_read_file(&text, file->path, LIMIT_KEY_FILE);

	if (rc == 0)
		rc = key_unlock_text(file, buf_cstr(&text), passphrase);
	if (text.data)
		explicit_bzero(text.data, text.size);
	buf_done(&text);
	return rc;
}

void key_file_done(struct key_file *file)
{
	free(file->path);
	ssh_key_free(file->key);
	free(file->blob);
	*file = (struct key_file){0};
}

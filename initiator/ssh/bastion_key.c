/* Which bastions are the same. */
#include "alloc.h"
#include "bastion_private.h"
#include "buf.h"

static void key_add_blob(struct buf *key, const uint8_t *blob, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addf(key, "%02x", blob[i]);
	buf_add_char(key, '\n');
}

static void key_add_login(struct buf *key, const struct plan_login *login)
{
	if (!login)
		return;
	for (size_t i = 0; i < login->file_count; i++) {
		buf_addf(key, "file %s ", login->files[i]->path);
		key_add_blob(key, login->files[i]->blob, login->files[i]->blob_len);
	}
	if (login->agent_count)
		buf_addf(key, "agent %s\n", login->agent_path);
	for (size_t i = 0; i < login->agent_count; i++)
		key_add_blob(key, login->agent[i]->blob, login->agent[i]->len);
}

static void key_add_text(struct buf *key, const char *text)
{
	buf_addf(key, "%s\n", text ? text : "");
}

static void key_add_auth(struct buf *key, const struct plan_auth *auth)
{
	for (unsigned i = 0; i < auth->count; i++)
		buf_addf(key, "%u ", auth->order[i]);
	buf_add_char(key, '\n');
}

char *bastion_key(const struct plan_target *bastion)
{
	const struct plan_target *t = bastion;
	struct buf key = {0};

	for (unsigned hops = 0; t && hops <= LIMIT_JUMPS; hops++) {
		buf_addf(&key, "%s\n%s:%u\n%s\n%d %d\n", t->user, t->hostname, t->port, t->key_name,
			 (int)t->way, (int)t->accept_new);
		key_add_text(&key, t->kex);
		key_add_text(&key, t->ciphers);
		key_add_text(&key, t->macs);
		key_add_text(&key, t->pubkey_algs);
		key_add_auth(&key, &t->auth);
		key_add_login(&key, t->login);
		if (t->way == PLAN_COMMAND)
			buf_addf(&key, "%s\n", t->proxy_command);
		t = t->way == PLAN_JUMP ? t->jump : NULL;
	}
	return buf_take_str(&key);
}

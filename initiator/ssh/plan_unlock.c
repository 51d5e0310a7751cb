#include "plan_unlock.h"

#include <stdlib.h>

#include "alloc.h"
#include "plan_private.h"

struct plan_unlock {
	struct plan *plan;
	struct key_file *file;
	struct locked *passphrase;
	int rc;
	plan_unlock_fn *fn;
	void *arg;
	struct work_task *task;
};

size_t plan_locked(const struct plan *plan, size_t from, bool last_resort)
{
	for (size_t i = from; i < plan->key_paths.count; i++) {
		const struct key_file *file = plan->keys[i];

		if (file->locked && (file->wanted || (file->last_resort && last_resort)))
			return i;
	}
	return PLAN_LOCKED_NONE;
}

const char *plan_locked_path(const struct plan *plan, size_t key)
{
	return plan->keys[key]->path;
}

static void plan_unlock_run(void *arg)
{
	struct plan_unlock *unlock = arg;

	unlock->rc = key_file_unlock(unlock->file, locked_text(unlock->passphrase));
}

static void plan_settle_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->login_names.count; i++)
		plan_login_settle(plan->logins[i]);
}

static void plan_unlock_done(void *arg, bool cancelled)
{
	struct plan_unlock *unlock = arg;

	locked_drop(unlock->passphrase);
	if (!cancelled) {
		if (unlock->rc == 0)
			plan_settle_all(unlock->plan);
		unlock->fn(unlock->arg, unlock->rc);
	}
	plan_free(unlock->plan);
	free(unlock);
}

struct plan_unlock *plan_unlock_start(struct ssh_engine *engine, struct plan *plan, size_t key,
				      struct locked *passphrase, plan_unlock_fn *fn, void *arg)
{
	struct plan_unlock *unlock = xcalloc(1, sizeof *unlock);

	plan_hold(plan);
	unlock->plan = plan;
	unlock->file = plan->keys[key];
	unlock->passphrase = locked_hold(passphrase);
	unlock->fn = fn;
	unlock->arg = arg;
	unlock->task =
		work_submit(ssh_engine_files(engine), plan_unlock_run, plan_unlock_done, unlock);
	return unlock;
}

void plan_unlock_cancel(struct plan_unlock *unlock)
{
	if (unlock)
		work_cancel(unlock->task);
}

void plan_locked_fault(struct plan *plan, size_t key, const char *why)
{
	struct key_file *file = plan->keys[key];

	(void)err_set(&file->fault, 0, "%s: %s", file->path, why);
	plan_settle_all(plan);
}

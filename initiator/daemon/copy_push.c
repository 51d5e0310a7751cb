#include "copy_push.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "copy_push_private.h"
#include "limits.h"

/* Names that were told and are not finished. */
#define COPY_PUSH_TOLD 512u
/* Bytes that are read at once: what goes through several hands is in the cache of a processor. */
#define COPY_PUSH_PIECE (64u << 10)

/* --- items ---------------------------------------------------------------------------------- */

static const struct copy_name *push_name(const struct copy_push *push, size_t at_plan)
{
	return copy_plan_at(push->spec.plan, at_plan);
}

static void push_say(const struct copy_push *push, size_t at_plan, bool is_error, const char *text)
{
	const struct copy_name *name = push_name(push, at_plan);

	push->spec.ops->say(push->spec.arg, is_error, name->path + name->name_at, text);
}

static void push_add(struct copy_push *push, size_t at_plan, bool again)
{
	struct push_item *item = xcalloc(1, sizeof *item);

	item->at_plan = at_plan;
	item->index = push->index;
	item->size = push_name(push, at_plan)->size;
	item->mtime_ns = push_name(push, at_plan)->mtime_ns;
	item->again = again;
	*push->last = item;
	push->last = &item->next;
	push->count++;
	push->large += item->size >= SINK_LARGE;
}

void push_drop(struct copy_push *push, struct push_item *item)
{
	struct push_item **at = &push->first;

	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	if (!item->next)
		push->last = at;
	push->count--;
	push->large -= item->size >= SINK_LARGE;
	free(item);
}

struct push_item *push_find(const struct copy_push *push, uint64_t index)
{
	struct push_item *item = push->first;

	while (item && item->index != index)
		item = item->next;
	return item;
}

/* --- names ---------------------------------------------------------------------------------- */

void push_send(struct copy_push *push, struct buf *frame, size_t begin, enum message_type type)
{
	if (frame_end(frame, begin, (uint8_t)type, 0, 0) != 0)
		abort();
	push->spec.ops->send(push->spec.arg, frame);
}

static void push_put_entry(struct copy_push *push, size_t at_plan, uint8_t *hash)
{
	const struct copy_name *name = push_name(push, at_plan);
	struct copy_entry_msg m = {.task = push->task,
				   .index = ++push->index,
				   .kind = name->kind,
				   .name = name->path + name->name_at,
				   .mode = name->mode,
				   .mtime_ns = name->mtime_ns,
				   .size = name->size,
				   .text = name->text,
				   .hash = hash,
				   .hash_len = hash ? CONTENT_SIZE : 0};
	struct buf frame = {0};
	size_t begin = frame_begin(&frame);

	copy_entry_put(&frame, &m);
	push_send(push, &frame, begin, MSG_COPY_ENTRY);
}

void push_fail(struct copy_push *push, size_t at_plan, const char *text)
{
	push->tally.failed++;
	push_say(push, at_plan, true, text);
}

/* Told, or said why not. False: its hash is not known so far. */
static bool push_tell(struct copy_push *push, size_t at_plan, bool again)
{
	const struct copy_name *name = push_name(push, at_plan);
	uint8_t hash[CONTENT_SIZE];
	enum copy_hash known = COPY_HASH_NONE;

	if (name->kind == FILE_SPECIAL) {
		push_say(push, at_plan, false, name->text);
		return true;
	}
	if (name->kind == FILE_TROUBLE || strlen(name->path + name->name_at) > LIMIT_OPTION_TEXT) {
		push_fail(push, at_plan, name->text ? name->text : "its name is too long");
		return true;
	}
	if (push->spec.checksum && name->kind == FILE_PLAIN) {
		known = copy_plan_hash(push->spec.plan, at_plan, hash);
		if (known == COPY_HASH_LATER)
			return false;
		if (known == COPY_HASH_NONE) {
			push_fail(push, at_plan, "it cannot be read, or has changed while it was");
			return true;
		}
	}
	push_put_entry(push, at_plan, known == COPY_HASH_KNOWN ? hash : NULL);
	push_add(push, at_plan, again);
	return true;
}

static struct push_redo *push_redo_find(const struct copy_push *push, size_t at_plan)
{
	if (at_plan < push->redo_low)
		return NULL;
	for (size_t i = 0; i < push->redo_count; i++)
		if (push->redo[i].at_plan == at_plan)
			return &push->redo[i];
	return NULL;
}

static void push_redo_add(struct copy_push *push, size_t at_plan, bool again)
{
	if (!push->redo_count || at_plan < push->redo_low)
		push->redo_low = at_plan;
	push->redo = xrealloc(push->redo, push->redo_count + 1, sizeof *push->redo);
	push->redo[push->redo_count++] = (struct push_redo){at_plan, again};
	if (push->known < push->next)
		push->known = push->next;
}

void push_tell_again(struct copy_push *push, size_t at_plan)
{
	push_redo_add(push, at_plan, true);
	if (push->next > at_plan)
		push->next = at_plan;
}

/* What is told next. False: nothing can be now. */
static bool push_tell_next(struct copy_push *push)
{
	struct push_redo *redo;

	while (push->next < push->known && push_name(push, push->next)->kind != FILE_FOLDER &&
	       !push_redo_find(push, push->next))
		push->next++;
	if (push->next == copy_plan_count(push->spec.plan) || push->count >= COPY_PUSH_TOLD ||
	    push->large)
		return false;
	redo = push->next < push->known ? push_redo_find(push, push->next) : NULL;
	if (!push_tell(push, push->next, redo && redo->again)) {
		copy_plan_wait(push->spec.plan, &push->wait);
		return false;
	}
	if (redo)
		*redo = push->redo[--push->redo_count];
	push->next++;
	return true;
}

static void push_consider_end(struct copy_push *push)
{
	struct copy_end_msg m = {.task = push->task};
	struct buf frame = {0};
	size_t begin;

	if (push->ended || push->count || push->next < copy_plan_count(push->spec.plan))
		return;
	push->ended = true;
	begin = frame_begin(&frame);
	copy_end_put(&frame, &m);
	push_send(push, &frame, begin, MSG_COPY_END);
}

void push_pump(struct copy_push *push)
{
	if (!push->task || push->pumping)
		return;
	push->pumping = true;
	while (push_tell_next(push) || push_read_next(push))
		;
	push_consider_end(push);
	push->pumping = false;
}

static void push_on_plan(void *arg)
{
	push_pump(arg);
}

/* --- what comes ----------------------------------------------------------------------------- */

/* A folder that is told again was counted before. */
static void push_count(struct copy_push *push, const struct push_item *item,
		       const struct copy_answer_msg *m)
{
	const struct copy_name *name = push_name(push, item->at_plan);

	if (m->verdict == SINK_FAILED) {
		push_fail(push, item->at_plan, m->text ? m->text : "the host does not say why");
	} else if (name->kind != FILE_FOLDER && m->verdict == SINK_SAME) {
		push->tally.same++;
	} else if (name->kind != FILE_FOLDER) {
		push->tally.files++;
		push->tally.bytes += item->size;
	}
}

static int push_on_answer(struct copy_push *push, const struct frame *frame, struct errmsg *msg)
{
	struct copy_answer_msg m;
	struct push_item *item;
	int rc = copy_answer_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	item = push_find(push, m.index);
	if (m.index > push->index) {
		rc = err_set(msg, ERR_PROTO, "COPY_ANSWER for a file that was not told of");
	} else if (item && m.verdict == SINK_WANT &&
		   (m.offset > item->size || push_name(push, item->at_plan)->kind != FILE_PLAIN)) {
		rc = err_set(msg, ERR_PROTO, "COPY_ANSWER wants what is not there");
	} else if (item && m.verdict == SINK_WANT) {
		item->wanted = true;
		item->at = m.offset;
	} else if (item) {
		push_count(push, item, &m);
		push_drop(push, item);
	}
	copy_answer_done(&m);
	return rc;
}

static int push_on_credit(struct copy_push *push, const struct frame *frame, struct errmsg *msg)
{
	struct copy_credit_msg m;
	int rc = copy_credit_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (m.bytes > push->in_flight)
		return err_set(msg, ERR_PROTO, "COPY_CREDIT for more than was sent");
	push->in_flight -= m.bytes;
	return 0;
}

int copy_push_on_frame(struct copy_push *push, const struct frame *frame, struct errmsg *msg)
{
	int rc = frame->type == MSG_COPY_ANSWER ? push_on_answer(push, frame, msg)
		 : frame->type == MSG_COPY_CREDIT
			 ? push_on_credit(push, frame, msg)
			 : err_set(msg, ERR_PROTO, "message %u of a copy to a host", frame->type);

	if (rc == 0)
		push_pump(push);
	return rc;
}

bool copy_push_is_over(const struct copy_push *push)
{
	return push->ended;
}

const struct copy_tally *copy_push_tally(const struct copy_push *push)
{
	return &push->tally;
}

/* --- its life ------------------------------------------------------------------------------- */

struct copy_push *copy_push_new(const struct copy_push_spec *spec)
{
	struct copy_push *push = xcalloc(1, sizeof *push);

	push->spec = *spec;
	push->last = &push->first;
	push->piece = COPY_PUSH_PIECE;
	push->wait.fn = push_on_plan;
	push->wait.arg = push;
	return push;
}

void copy_push_begin(struct copy_push *push, uint64_t task)
{
	push->task = task;
	push->index = 0;
	push->in_flight = 0;
	push->ended = false;
	push_pump(push);
}

void copy_push_pause(struct copy_push *push)
{
	push->task = 0;
	copy_plan_unwait(&push->wait);
	push_read_cancel(push);
	if (push->known < push->next)
		push->known = push->next;
	while (push->first) {
		push_redo_add(push, push->first->at_plan, push->first->again);
		push_drop(push, push->first);
	}
	push->next = 0;
}

void copy_push_free(struct copy_push *push)
{
	if (!push)
		return;
	copy_push_pause(push);
	free(push->redo);
	free(push);
}

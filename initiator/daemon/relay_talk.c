#include "relay_talk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "escape.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "relay_talk_private.h"

/* Columns that all children together may have announced, and the bytes of their names. */
#define TALK_SCHEMAS	  16384u
#define TALK_SCHEMA_BYTES (16u << 20)
/* HELLO, and an ERROR in its place, are short: what claims to be longer is noise. */
#define TALK_GREETING (8u << 10)

struct relay_talk *relay_talk_new(const struct relay_talk_ops *ops, void *arg)
{
	struct relay_talk *talk = xcalloc(1, sizeof *talk);

	talk->ops = ops;
	talk->arg = arg;
	return talk;
}

void relay_talk_free(struct relay_talk *talk)
{
	if (!talk)
		return;
	buf_done(&talk->in);
	free(talk->children);
	free(talk->schemas);
	free(talk);
}

void relay_talk_put_hello(struct buf *out)
{
	struct hello_msg hello = {.version_min = CONTROL_VERSION,
				  .version_max = CONTROL_VERSION,
				  .pid = (uint64_t)getpid()};
	char program[] = "muster, for a gateway";
	size_t begin = frame_begin(out);

	hello.program = program;
	hello_put(out, &hello);
	if (frame_end(out, begin, MSG_HELLO, 0, 0) != 0)
		abort();
}

void relay_talk_asked(struct relay_talk *talk, size_t count, bool files)
{
	talk->files = files;
	talk->phase = TALK_ASKED;
	talk->count = count;
	talk->children = xcalloc(count, sizeof *talk->children);
	for (size_t i = 0; i < count; i++)
		talk->children[i].next_seq = 1;
}

/* --- messages ------------------------------------------------------------------------------- */

static int talk_on_hello(struct relay_talk *talk, const struct frame *frame)
{
	struct hello_msg m;
	char name[64];
	int rc = hello_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	if (m.version_min > CONTROL_VERSION || m.version_max < CONTROL_VERSION)
		rc = err_set(talk->msg, ERR_VERSION,
			     "%s there speaks version %llu to %llu of the protocol, this one "
			     "version %u: install the same muster on both",
			     escape_str(name, sizeof name, m.program ? m.program : "muster"),
			     (unsigned long long)m.version_min, (unsigned long long)m.version_max,
			     CONTROL_VERSION);
	hello_done(&m);
	if (rc)
		return rc;
	talk->phase = TALK_GREETED;
	talk->ops->hello(talk->arg);
	return 0;
}

static int talk_on_error(struct relay_talk *talk, const struct frame *frame)
{
	struct error_msg m;
	char text[LIMIT_OUTCOME_TEXT];
	int rc = error_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	(void)escape_str(text, sizeof text, m.text ? m.text : "no reason given");
	if (talk->phase == TALK_ASKED) {
		talk->phase = TALK_OVER;
		talk->refused = true;
		talk->ops->refused(talk->arg, (int)m.code, text);
	} else {
		rc = err_set(talk->msg, m.code == ERR_VERSION ? ERR_VERSION : ERR_CLOSED, "%s",
			     text);
	}
	error_done(&m);
	return rc;
}

static int talk_on_accepted(struct relay_talk *talk, const struct frame *frame)
{
	struct job_accepted_msg m;
	int rc = job_accepted_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	talk->job = m.job;
	talk->first_child = m.first_child;
	if (!m.job || !m.first_child || m.first_child > UINT64_MAX - talk->count)
		rc = err_set(talk->msg, ERR_PROTO, "a job of impossible ids");
	job_accepted_done(&m);
	if (rc)
		return rc;
	talk->phase = TALK_ACCEPTED;
	talk->ops->accepted(talk->arg);
	return 0;
}

static void talk_text(char *out, size_t size, const char *text)
{
	(void)escape_str(out, size, text ? text : "");
}

static int talk_outcome(struct relay_talk *talk, const struct child_state_msg *m,
			struct outcome *ret)
{
	*ret = (struct outcome){.exit_code = -1, .began = m->begin_ns != 0};
	if (!m->cause || strcmp(m->cause, cause_name(CAUSE_NONE)) == 0)
		return err_set(talk->msg, ERR_PROTO, "a child has ended without a cause");
	talk_text(ret->text, sizeof ret->text, m->text);
	if (!cause_find(m->cause, &ret->cause)) {
		/* A later muster may have more of them. */
		ret->cause = CAUSE_GATEWAY;
		talk_text(ret->text, sizeof ret->text, m->cause);
	}
	if (ret->cause == CAUSE_EXITED) {
		if (m->exit_code < 0 || m->exit_code > UINT8_MAX)
			return err_set(talk->msg, ERR_PROTO, "a child has exited with %lld",
				       (long long)m->exit_code);
		ret->exit_code = (int)m->exit_code;
	}
	if (ret->cause == CAUSE_SIGNALLED)
		talk_text(ret->signal, sizeof ret->signal, m->signal);
	/* What has ended by itself, or while it ran, has begun. */
	if (ret->cause == CAUSE_EXITED || ret->cause == CAUSE_SIGNALLED)
		ret->began = true;
	return 0;
}

static int talk_on_state(struct relay_talk *talk, const struct frame *frame)
{
	struct child_state_msg m;
	struct outcome outcome;
	enum job_state state;
	size_t at = 0;
	int rc = child_state_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	rc = relay_talk_find(talk, m.child, &at);
	if (rc == 0 && m.finished)
		rc = talk_outcome(talk, &m, &outcome);
	if (rc == 0 && m.finished) {
		talk->children[at].ended = true;
		talk->ended++;
		talk->ops->end(talk->arg, at, &outcome);
	} else if (rc == 0) {
		bool known = job_state_parse(m.state, &state, NULL) == 0;

		if (m.starting || !known || state != JOB_STATE_NOT_STARTED)
			talk->children[at].may_begin = true;
		if (known)
			talk->ops->state(talk->arg, at, state);
	}
	child_state_done(&m);
	return rc;
}

static int talk_on_schema(struct relay_talk *talk, const struct frame *frame)
{
	size_t n = talk->schema_count;
	struct schema_msg m;
	int rc = schema_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	for (size_t i = 0; i < m.column_count; i++)
		talk->schema_bytes += strlen(m.columns[i]) + 1;
	if (n && m.schema <= talk->schemas[n - 1].theirs)
		rc = err_set(talk->msg, ERR_PROTO, "schema %llu comes after %llu",
			     (unsigned long long)m.schema,
			     (unsigned long long)talk->schemas[n - 1].theirs);
	else if (n >= TALK_SCHEMAS || n >= talk->count * LIMIT_SCHEMAS ||
		 talk->schema_bytes > TALK_SCHEMA_BYTES)
		rc = err_set(talk->msg, ERR_LIMIT, "too many columns");
	if (rc == 0) {
		if (n == talk->schema_size) {
			talk->schema_size = n ? n * 2 : 4;
			talk->schemas =
				xrealloc(talk->schemas, talk->schema_size, sizeof *talk->schemas);
		}
		talk->schemas[talk->schema_count++] =
			(struct talk_schema){m.schema, talk->ops->schema(talk->arg, &m)};
	}
	schema_done(&m);
	return rc;
}

static uint64_t talk_our_schema(const struct relay_talk *talk, uint64_t theirs)
{
	size_t lo = 0, hi = talk->schema_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (talk->schemas[mid].theirs < theirs)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < talk->schema_count && talk->schemas[lo].theirs == theirs
		       ? talk->schemas[lo].ours
		       : 0;
}

struct talk_records {
	struct relay_talk *talk;
	size_t at;
	bool found;
};

static int talk_on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct talk_records *r = arg;
	struct relay_talk *talk = r->talk;
	struct record own = *record;
	int rc = r->found ? 0 : relay_talk_find(talk, child, &r->at);

	if (rc)
		return rc;
	r->found = true;
	if (seq != talk->children[r->at].next_seq)
		return err_set(talk->msg, ERR_PROTO, "record %llu in place of %llu",
			       (unsigned long long)seq,
			       (unsigned long long)talk->children[r->at].next_seq);
	talk->children[r->at].next_seq++;
	if (record->stream != STREAM_WARNING)
		talk->children[r->at].may_begin = true;
	own.flags &= RECORD_CONTINUES | RECORD_NO_EOL | RECORD_UNPARSED;
	if (own.schema) {
		own.schema = talk_our_schema(talk, own.schema);
		if (!own.schema)
			return err_set(talk->msg, ERR_PROTO,
				       "a row of schema %llu, which was not told",
				       (unsigned long long)record->schema);
	}
	talk->ops->record(talk->arg, r->at, &own);
	return 0;
}

static int talk_on_records(struct relay_talk *talk, const struct frame *frame)
{
	struct talk_records r = {.talk = talk};
	int rc = records_get(frame->body, frame->len, talk_on_record, &r, talk->msg);

	if (r.found)
		talk->ops->burst_end(talk->arg, r.at);
	return rc;
}

static int talk_on_warning(struct relay_talk *talk, const struct frame *frame)
{
	char text[LIMIT_OPTION_TEXT];
	struct warning_msg m;
	int rc = warning_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	talk_text(text, sizeof text, m.text);
	warning_done(&m);
	talk->ops->warning(talk->arg, text);
	return 0;
}

static int talk_on_end(struct relay_talk *talk, const struct frame *frame)
{
	struct job_end_msg m;
	int rc = job_end_get(&m, frame->body, frame->len, talk->msg);

	if (rc)
		return rc;
	job_end_done(&m);
	if (talk->ended < talk->count)
		return err_set(talk->msg, ERR_PROTO, "the job has ended, and %zu children have not",
			       talk->count - talk->ended);
	talk->phase = TALK_OVER;
	talk->ops->over(talk->arg);
	return 0;
}

/* That it is there is all that the answer to PING says. */
static int talk_on_ping(struct relay_talk *talk, const struct frame *frame)
{
	(void)talk;
	(void)frame;
	return 0;
}

#define IN(phase) (1u << TALK_##phase)

static const struct {
	uint8_t type;
	uint8_t phases;
	int (*fn)(struct relay_talk *talk, const struct frame *frame);
} talk_messages[] = {
	{MSG_HELLO, IN(GREETED_NOT), talk_on_hello},
	{MSG_ERROR, IN(GREETED_NOT) | IN(GREETED) | IN(ASKED) | IN(ACCEPTED), talk_on_error},
	{MSG_PING, IN(GREETED) | IN(ASKED) | IN(ACCEPTED) | IN(OVER), talk_on_ping},
	{MSG_JOB_ACCEPTED, IN(ASKED), talk_on_accepted},
	{MSG_CHILD_STATE, IN(ACCEPTED), talk_on_state},
	{MSG_RECORDS, IN(ACCEPTED), talk_on_records},
	{MSG_SCHEMA, IN(ACCEPTED), talk_on_schema},
	{MSG_WARNING, IN(ACCEPTED), talk_on_warning},
	{MSG_JOB_END, IN(ACCEPTED), talk_on_end},
	{MSG_COPY_OPEN, IN(GREETED) | IN(ACCEPTED), relay_talk_on_copy_open},
	{MSG_COPY_ANSWER, IN(GREETED), relay_talk_on_stage},
	{MSG_COPY_CREDIT, IN(GREETED), relay_talk_on_stage},
	{MSG_COPY_END, IN(GREETED), relay_talk_on_stage},
	{MSG_COPY_ENTRY, IN(ACCEPTED), relay_talk_on_copy_files},
	{MSG_COPY_DATA, IN(ACCEPTED), relay_talk_on_copy_files},
};

static int talk_on_frame(struct relay_talk *talk, const struct frame *frame)
{
	const char *name = message_name(frame->type);

	for (size_t i = 0; i < ARRAY_LEN(talk_messages); i++)
		if (talk_messages[i].type == frame->type &&
		    (talk_messages[i].phases & 1u << talk->phase) != 0)
			return talk_messages[i].fn(talk, frame);
	return err_set(talk->msg, ERR_PROTO, "message %s (%u) is not legal now", name ? name : "?",
		       frame->type);
}

/* --- bytes ---------------------------------------------------------------------------------- */

/* Whether HELLO, or ERROR in its place, may begin so. */
static bool talk_may_begin(const uint8_t *p, size_t n)
{
	static const uint8_t magic[2] = {0x4d, 0x53};
	uint32_t len;

	if (p[0] != magic[0] || (n > 1 && p[1] != magic[1]) ||
	    (n > 2 && p[2] != MSG_HELLO && p[2] != MSG_ERROR))
		return false;
	if (n < 8)
		return true;
	len = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
	return len <= TALK_GREETING;
}

/* One frame, or one byte that is none. Returns how many bytes were taken, 0 if more must come. */
static int64_t talk_take_one(struct relay_talk *talk, const uint8_t *p, size_t n)
{
	bool greeting = talk->phase == TALK_GREETED_NOT;
	struct frame frame;
	int64_t used = -1;
	int rc;

	if (!greeting || talk_may_begin(p, n))
		used = frame_parse(p, n, &frame, talk->msg);
	if (used < 0 && greeting) {
		if (++talk->noise > LIMIT_BOOT_NOISE)
			return err_set(talk->msg, ERR_PROTO, "what answers there is not muster");
		return 1;
	}
	if (used <= 0)
		return used;
	rc = talk_on_frame(talk, &frame);
	return rc ? rc : used;
}

int relay_talk_take(struct relay_talk *talk, const void *data, size_t len, struct errmsg *msg)
{
	const uint8_t *p = data;
	size_t at = 0;
	int64_t used = 1;
	bool kept = talk->in.len > 0;

	talk->msg = msg;
	if (kept) {
		buf_add(&talk->in, data, len);
		p = talk->in.data;
		len = talk->in.len;
	}
	while (at < len && used > 0) {
		used = talk_take_one(talk, p + at, len - at);
		at += used > 0 ? (size_t)used : 0;
	}
	if (kept)
		buf_consume(&talk->in, at);
	else if (used == 0)
		buf_add(&talk->in, p + at, len - at);
	return used < 0 ? (int)used : 0;
}

bool relay_talk_is_greeted(const struct relay_talk *talk)
{
	return talk->phase >= TALK_GREETED;
}

bool relay_talk_is_accepted(const struct relay_talk *talk)
{
	return talk->phase >= TALK_ACCEPTED;
}

bool relay_talk_is_over(const struct relay_talk *talk)
{
	return talk->phase == TALK_OVER;
}

bool relay_talk_may_have_begun(const struct relay_talk *talk, size_t at, bool all_said)
{
	if (talk->phase < TALK_ASKED || talk->refused)
		return false;
	return !all_said || talk->children[at].may_begin;
}

uint64_t relay_talk_job(const struct relay_talk *talk)
{
	return talk->job;
}

uint64_t relay_talk_child(const struct relay_talk *talk, size_t at)
{
	return talk->first_child + at;
}

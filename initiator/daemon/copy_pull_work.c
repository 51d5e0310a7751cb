/* The files of one host, on a thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "copy_pull_private.h"
#include "fd.h"
#include "frame.h"
#include "message.h"

/* --- what is said --------------------------------------------------------------------------- */

void pull_words_free(struct pull_word *words)
{
	while (words) {
		struct pull_word *next = words->next;

		free(words->name);
		free(words->text);
		free(words);
		words = next;
	}
}

static void pull_say(struct pull_desk *desk, bool is_error, const char *name, const char *text)
{
	struct pull_word *word = xcalloc(1, sizeof *word);

	desk->tally.failed += is_error;
	word->is_error = is_error;
	word->name = xstrdup(name);
	word->text = xstrdup(text && *text ? text : "the host does not say why");
	*desk->last_word = word;
	desk->last_word = &word->next;
}

/* --- names ---------------------------------------------------------------------------------- */

static void pull_name_add(struct pull_desk *desk, const struct copy_entry_msg *m)
{
	struct pull_name *name = xcalloc(1, sizeof *name);

	name->index = m->index;
	name->size = m->size;
	name->counts = m->kind != FILE_FOLDER;
	name->name = xstrdup(m->name);
	name->next = desk->names;
	desk->names = name;
}

static void pull_name_drop(struct pull_desk *desk, uint64_t index)
{
	struct pull_name **at = &desk->names, *name;

	while (*at && (*at)->index != index)
		at = &(*at)->next;
	name = *at;
	if (!name)
		return;
	*at = name->next;
	free(name->name);
	free(name);
}

static void pull_names_free(struct pull_desk *desk)
{
	while (desk->names)
		pull_name_drop(desk, desk->names->index);
}

static void pull_count(struct pull_desk *desk, const struct pull_name *name,
		       enum sink_verdict verdict, const char *text)
{
	if (verdict == SINK_FAILED) {
		pull_say(desk, true, name->name, text);
	} else if (name->counts && verdict == SINK_SAME) {
		desk->tally.same++;
	} else if (name->counts) {
		desk->tally.files++;
		desk->tally.bytes += name->size;
	}
}

static void pull_on_tell(void *arg, uint64_t index, enum sink_verdict verdict, uint64_t offset,
			 const char *text)
{
	struct pull_desk *desk = arg;
	struct copy_answer_msg m = {.task = desk->task,
				    .index = index,
				    .verdict = verdict,
				    .offset = offset,
				    .text = (char *)(uintptr_t)text}; /* only read */
	const struct pull_name *name = desk->names;
	size_t begin = frame_begin(&desk->out);

	copy_answer_put(&desk->out, &m);
	(void)frame_end(&desk->out, begin, MSG_COPY_ANSWER, 0, 0);
	if (verdict == SINK_WANT)
		return;
	while (name && name->index != index)
		name = name->next;
	if (name)
		pull_count(desk, name, verdict, text);
	pull_name_drop(desk, index);
}

/* --- the folder ----------------------------------------------------------------------------- */

/* DEST/HOST: the last step is no link, whoever made it. */
static int pull_open_folder(const struct pull_desk *desk, struct errmsg *msg)
{
	int above, fd;

	if (mkdir(desk->folder, 0777) < 0 && errno != EEXIST)
		return err_set(msg, ERR_SYS, "the folder '%s': %s", desk->folder, strerror(errno));
	above = open(desk->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0)
		return err_set(msg, ERR_SYS, "the folder '%s': %s", desk->folder, strerror(errno));
	if (mkdirat(above, desk->name, 0777) < 0 && errno != EEXIST)
		fd = -1;
	else
		fd = openat(above, desk->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		(void)err_set(msg, ERR_SYS, "the folder '%s/%s': %s", desk->folder, desk->name,
			      strerror(errno));
	fd_close(&above);
	return fd < 0 ? ERR_SYS : fd;
}

static int pull_restart(struct pull_desk *desk)
{
	struct sink_spec spec = {.checksum = desk->checksum,
				 .max_bytes = desk->max_bytes,
				 .tell = pull_on_tell,
				 .arg = desk};

	sink_free(desk->sink);
	desk->sink = NULL;
	pull_names_free(desk);
	/* Everything is told anew, and what has come is there already. */
	desk->before = copy_tally_sum(&desk->before, &desk->tally);
	desk->tally = (struct copy_tally){0};
	spec.root = pull_open_folder(desk, &desk->msg);
	if (spec.root < 0)
		return ERR_SYS;
	desk->sink = sink_new(&spec);
	return 0;
}

/* --- messages ------------------------------------------------------------------------------- */

static int pull_on_entry(struct pull_desk *desk, const struct frame *frame)
{
	struct copy_entry_msg m;
	int rc = copy_entry_get(&m, frame->body, frame->len, &desk->msg);
	struct file_entry entry;

	if (rc)
		return rc;
	entry = (struct file_entry){.index = m.index,
				    .kind = (enum file_kind)m.kind,
				    .name = m.name,
				    .mode = (uint32_t)m.mode,
				    .mtime_ns = m.mtime_ns,
				    .size = m.size,
				    .text = m.text,
				    .hash = m.hash};
	if (m.kind == FILE_SPECIAL || m.kind == FILE_TROUBLE) {
		pull_say(desk, m.kind == FILE_TROUBLE, m.name, m.text);
	} else {
		pull_name_add(desk, &m);
		rc = sink_entry(desk->sink, &entry, &desk->msg);
	}
	copy_entry_done(&m);
	return rc;
}

static int pull_on_data(struct pull_desk *desk, const struct frame *frame)
{
	struct copy_data_msg m;
	int rc = copy_data_borrow(&m, frame->body, frame->len, &desk->msg);
	struct sink_piece piece;

	if (rc)
		return rc;
	piece = (struct sink_piece){.index = m.index,
				    .data = m.data,
				    .len = m.len,
				    .end = m.end,
				    .hash = m.hash,
				    .failed = m.failed};
	if (m.failed)
		pull_name_drop(desk, m.index);
	rc = sink_data(desk->sink, &piece, &desk->msg);
	desk->tally.moved += m.len;
	return rc;
}

void pull_desk_run(void *arg)
{
	struct pull_desk *desk = arg;
	uint64_t moved;
	size_t at = 0;

	desk->rc = desk->restart || !desk->sink ? pull_restart(desk) : 0;
	moved = desk->tally.moved;
	desk->restart = false;
	while (desk->rc == 0 && at < desk->in.len) {
		struct frame frame;

		at += frame_next(desk->in.data + at, &frame);
		desk->rc = frame.type == MSG_COPY_ENTRY ? pull_on_entry(desk, &frame)
							: pull_on_data(desk, &frame);
	}
	buf_clear(&desk->in);
	if (desk->sink && desk->end && !desk->rc) {
		sink_end(desk->sink);
		for (const struct pull_name *name = desk->names; name; name = name->next)
			pull_say(desk, true, name->name, "the host ended before it was whole");
	}
	if (desk->sink && !desk->end && !desk->rc)
		sink_flush(desk->sink);
	if (desk->tally.moved > moved) {
		struct copy_credit_msg m = {.task = desk->task, .bytes = desk->tally.moved - moved};
		size_t begin = frame_begin(&desk->out);

		copy_credit_put(&desk->out, &m);
		(void)frame_end(&desk->out, begin, MSG_COPY_CREDIT, 0, 0);
	}
	if (desk->end || desk->rc) {
		sink_free(desk->sink);
		desk->sink = NULL;
	}
}

void pull_desk_free(struct pull_desk *desk)
{
	sink_free(desk->sink);
	pull_names_free(desk);
	pull_words_free(desk->words);
	buf_done(&desk->in);
	buf_done(&desk->out);
	free(desk->folder);
	free(desk->name);
	free(desk);
}

/* Files that go to the initiator. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "content.h"
#include "copy_private.h"
#include "fd.h"
#include "message.h"
#include "sink.h"
#include "walk.h"

#define COPY_GIVE_ENTRIES 256u /* told and not finished */
#define COPY_GIVE_PIECE	  (128u << 10)
#define COPY_GIVE_CHANGED "it has changed while it was read"

struct copy_file {
	struct copy_file *next;
	uint64_t index;
	char *path;
	size_t top; /* of path, walk_top() */
	char *name;
	uint64_t size; /* as was told, and its time */
	int64_t mtime_ns;
	struct stat st;
	bool large;
	bool wanted;
	bool again; /* it has changed once */
	int fd;
	uint64_t at;
	struct content *content;
};

struct copy_give {
	struct copy_child *c;
	struct walk *walk;
	char **from;
	struct copy_file *first;
	struct copy_file **last;
	size_t count;
	size_t large;
	uint64_t index;
	uint64_t credit;
	bool walked;
	uint8_t piece[COPY_GIVE_PIECE];
};

/* --- names ---------------------------------------------------------------------------------- */

static void copy_give_say(struct copy_give *g, const struct file_entry *e)
{
	struct copy_entry_msg m = {
		.task = g->c->open.task,
		.index = e->index,
		.kind = e->kind,
		.name = (char *)(uintptr_t)e->name, /* only read, as those below */
		.mode = e->mode,
		.mtime_ns = e->mtime_ns,
		.size = e->size,
		.text = (char *)(uintptr_t)e->text,
		.hash = (uint8_t *)(uintptr_t)e->hash,
		.hash_len = e->hash ? CONTENT_SIZE : 0};
	size_t begin = copy_child_begin(g->c);

	copy_entry_put(&g->c->said, &m);
	copy_child_end(g->c, begin, MSG_COPY_ENTRY);
}

static void copy_give_trouble(struct copy_give *g, const char *name, const char *text)
{
	struct file_entry e = {
		.index = ++g->index, .kind = FILE_TROUBLE, .name = name, .text = text};

	copy_give_say(g, &e);
}

static int copy_give_hash(const char *path, size_t top, uint64_t size, uint8_t ret[CONTENT_SIZE])
{
	struct content *content = content_new();
	struct stat st;
	int fd = walk_open(path, top, &st);
	int rc = fd < 0 ? ERR_SYS : content_add_file(content, fd, size);

	fd_close(&fd);
	content_end(content, ret);
	content_free(content);
	return rc;
}

static void copy_give_add(struct copy_give *g, const struct file_entry *e, const char *path,
			  size_t top, bool again)
{
	struct copy_file *file = xcalloc(1, sizeof *file);

	file->index = e->index;
	file->path = xstrdup(path);
	file->top = top;
	file->name = xstrdup(e->name);
	file->size = e->size;
	file->mtime_ns = e->mtime_ns;
	file->large = e->size >= SINK_LARGE;
	file->again = again;
	file->fd = -1;
	g->large += file->large;
	*g->last = file;
	g->last = &file->next;
	g->count++;
}

/* Tells of a name, and remembers what an answer comes for. */
static void copy_give_tell(struct copy_give *g, struct file_entry *e, const char *path, size_t top,
			   bool again)
{
	uint8_t hash[CONTENT_SIZE];
	int rc;

	if (strlen(e->name) > LIMIT_OPTION_TEXT ||
	    (e->text && strlen(e->text) > LIMIT_OPTION_TEXT)) {
		copy_give_trouble(g, "(a long name)", "its name is too long to be copied");
		return;
	}
	e->index = ++g->index;
	if (e->kind == FILE_PLAIN && g->c->open.checksum) {
		rc = copy_give_hash(path, top, e->size, hash);
		if (rc < 0) {
			copy_give_trouble(g, e->name,
					  rc == ERR_SYS ? strerror(errno) : COPY_GIVE_CHANGED);
			return;
		}
		e->hash = hash;
	}
	copy_give_say(g, e);
	e->hash = NULL;
	if (e->kind != FILE_SPECIAL && e->kind != FILE_TROUBLE)
		copy_give_add(g, e, path, top, again);
}

static void copy_give_drop(struct copy_give *g, struct copy_file *file)
{
	struct copy_file **at = &g->first;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	if (!file->next)
		g->last = at;
	g->count--;
	g->large -= file->large;
	fd_close(&file->fd);
	content_free(file->content);
	free(file->path);
	free(file->name);
	free(file);
}

static bool copy_give_may_tell(const struct copy_give *g)
{
	/* One large file at a time: what comes behind it can wait. */
	return !g->walked && g->count < COPY_GIVE_ENTRIES && !g->large;
}

static void copy_give_walk(struct copy_give *g)
{
	struct file_entry e;
	const char *path;

	if (walk_next(g->walk, &e, &path))
		copy_give_tell(g, &e, path, walk_top(g->walk), false);
	else
		g->walked = true;
}

/* --- bytes ---------------------------------------------------------------------------------- */

static void copy_give_data(struct copy_give *g, const struct copy_file *file, size_t len, bool end,
			   bool failed)
{
	uint8_t hash[CONTENT_SIZE];
	struct copy_data_msg m = {.task = g->c->open.task,
				  .index = file->index,
				  .data = g->piece,
				  .len = len,
				  .end = end,
				  .failed = failed};
	size_t begin = copy_child_begin(g->c);

	if (end) {
		content_end(file->content, hash);
		m.hash = hash;
		m.hash_len = sizeof hash;
	}
	copy_data_put(&g->c->said, &m);
	copy_child_end(g->c, begin, MSG_COPY_DATA);
}

/* It is not what was told: once it is told anew. */
static void copy_give_changed(struct copy_give *g, struct copy_file *file, int error)
{
	struct file_entry e = {0};
	struct stat st;
	int fd = file->again || error ? ERR_CLOSED : walk_open(file->path, file->top, &st);

	copy_give_data(g, file, 0, false, true);
	if (fd >= 0) {
		walk_fill(&e, &st);
		e.name = file->name;
		copy_give_tell(g, &e, file->path, file->top, true);
	} else {
		copy_give_trouble(g, file->name, error ? strerror(error) : COPY_GIVE_CHANGED);
	}
	fd_close(&fd);
	copy_give_drop(g, file);
}

static bool copy_give_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ino == b->st_ino;
}

static int copy_give_open(struct copy_file *file)
{
	struct file_entry now;

	file->fd = walk_open(file->path, file->top, &file->st);
	if (file->fd < 0)
		return ERR_SYS;
	file->content = content_new();
	walk_fill(&now, &file->st);
	if (now.size != file->size || now.mtime_ns != file->mtime_ns || now.size < file->at)
		return ERR_CLOSED;
	return content_add_file(file->content, file->fd, file->at);
}

/* The next piece of the file at the front of those that are wanted. */
static void copy_give_piece(struct copy_give *g, struct copy_file *file)
{
	struct stat now;
	uint64_t left;
	ssize_t n = 0;
	int rc = file->fd < 0 ? copy_give_open(file) : 0;

	if (rc) {
		copy_give_changed(g, file, rc == ERR_SYS ? errno : 0);
		return;
	}
	left = (uint64_t)file->st.st_size - file->at;
	if (left)
		n = read(file->fd, g->piece,
			 left < COPY_GIVE_PIECE ? (size_t)left : COPY_GIVE_PIECE);
	if (n < 0 || (left && n == 0)) {
		copy_give_changed(g, file, n < 0 ? errno : 0);
		return;
	}
	content_add(file->content, g->piece, (size_t)n);
	file->at += (uint64_t)n;
	g->credit -= g->credit < (uint64_t)n ? g->credit : (uint64_t)n;
	if (file->at < (uint64_t)file->st.st_size) {
		copy_give_data(g, file, (size_t)n, false, false);
		return;
	}
	if (fstat(file->fd, &now) < 0 || !copy_give_is_same(&now, &file->st)) {
		copy_give_changed(g, file, 0);
		return;
	}
	copy_give_data(g, file, (size_t)n, true, false);
	file->wanted = false;
	fd_close(&file->fd);
	content_free(file->content);
	file->content = NULL;
}

static struct copy_file *copy_give_wanted(const struct copy_give *g)
{
	struct copy_file *file = g->first;

	while (file && !file->wanted)
		file = file->next;
	return file;
}

/* --- answers -------------------------------------------------------------------------------- */

static int copy_give_answer(struct copy_give *g, const uint8_t *body, size_t len,
			    struct errmsg *msg)
{
	struct copy_answer_msg m;
	struct copy_file *file = g->first;
	int rc = copy_answer_get(&m, body, len, msg);

	if (rc)
		return rc;
	while (file && file->index != m.index)
		file = file->next;
	if (file && m.verdict == SINK_WANT) {
		fd_close(&file->fd);
		content_free(file->content);
		file->content = NULL;
		file->wanted = true;
		file->at = m.offset;
	} else if (file) {
		copy_give_drop(g, file);
	}
	copy_answer_done(&m);
	return 0;
}

static int copy_give_credit(struct copy_give *g, const uint8_t *body, size_t len,
			    struct errmsg *msg)
{
	struct copy_credit_msg m;
	int rc = copy_credit_get(&m, body, len, msg);

	if (rc == 0)
		g->credit += m.bytes;
	return rc;
}

static void copy_give_hear(struct copy_give *g, int wait_ms)
{
	struct errmsg msg;
	const uint8_t *body;
	size_t len;
	uint32_t type;
	int rc;

	if (wait_ms < 0)
		copy_child_flush(g->c);
	rc = copy_child_next(g->c, wait_ms, &type, &body, &len);
	if (rc < 0)
		_exit(0);
	if (rc && type == MSG_COPY_ANSWER)
		rc = copy_give_answer(g, body, len, &msg);
	else if (rc && type == MSG_COPY_CREDIT)
		rc = copy_give_credit(g, body, len, &msg);
	else
		rc = 0; /* nothing came, or nothing for us */
	if (rc)
		copy_child_over(g->c, msg.text);
}

static void copy_give_from(struct copy_give *g)
{
	const struct copy_open_msg *open = &g->c->open;

	g->from = xcalloc(open->from_count, sizeof(char *));
	for (size_t i = 0; i < open->from_count; i++)
		g->from[i] = walk_home(open->from[i]);
	g->walk = walk_new((const char *const *)g->from, open->from_count, open->recurse);
}

void copy_give(struct copy_child *c)
{
	struct copy_give *g = xcalloc(1, sizeof *g);

	g->c = c;
	g->last = &g->first;
	g->credit = c->open.window;
	copy_give_from(g);
	while (!g->walked || g->count) {
		struct copy_file *file = copy_give_wanted(g);
		bool tells = copy_give_may_tell(g), gives = file && g->credit;

		if (tells)
			copy_give_walk(g);
		if (gives)
			copy_give_piece(g, file);
		copy_give_hear(g, tells || gives ? 0 : -1);
	}
	copy_child_over(c, NULL);
}

#include "tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"

#define TREE_FILE_MAX	  (1u << 20)
#define TREE_STOP_PASSES  50
#define TREE_MARK_PASSES  200
#define TREE_KTHREADD	  2
#define TREE_MARK_WAIT_MS 5
/* So many passes in a row that find nobody, and so many at most for those of whom nothing is known.
 */
#define TREE_MARK_CLEAN	 2
#define TREE_MARK_UNSURE 40

void tree_pids_done(struct tree_pids *list)
{
	free(list->pids);
	*list = (struct tree_pids){0};
}

static bool tree_pids_add(struct tree_pids *list, pid_t pid)
{
	if (list->count == TREE_MAX)
		return false;
	if (list->count == list->size) {
		list->size = list->size ? list->size * 2 : 64;
		list->pids = xrealloc(list->pids, list->size, sizeof *list->pids);
	}
	list->pids[list->count++] = pid;
	return true;
}

static int tree_compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x > y ? -1 : x < y;
}

static bool tree_pids_has(const struct tree_pids *sorted, size_t count, pid_t pid)
{
	return count && bsearch(&pid, sorted->pids, count, sizeof pid, tree_compare) != NULL;
}

/* The state letter and the parent of a process. False if there is no such process. */
static bool tree_stat(pid_t pid, char *ret_state, pid_t *ret_parent)
{
	char path[64], text[512], *after;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	fd_close(&fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The name may hold anything, a parenthesis too. */
	after = strrchr(text, ')');
	if (!after || strlen(after) < 5)
		return false;
	*ret_state = after[2];
	*ret_parent = (pid_t)strtol(after + 4, NULL, 10);
	return true;
}

static bool tree_is_alive(pid_t pid)
{
	pid_t parent;
	char state;

	return tree_stat(pid, &state, &parent) && state != 'Z' && state != 'X';
}

/* --- finding them --------------------------------------------------------------------------- */

struct tree_search {
	struct tree_pids found;
	tree_fn *fn;
	void *arg;
	bool unknown; /* this kernel does not list children */
};

static void tree_found(struct tree_search *s, pid_t pid, pid_t parent)
{
	if (tree_pids_add(&s->found, pid) && s->fn)
		s->fn(s->arg, pid, parent);
}

static void tree_children_of_thread(struct tree_search *s, pid_t pid, const char *thread)
{
	struct buf text = {0};
	char path[64 + 256];
	char *at, *end;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, thread);
	if (fd_read_file(&text, path, TREE_FILE_MAX) < 0) {
		/* The process may be gone; that the kernel has no such file is seen at our own. */
		s->unknown = s->unknown || pid == getpid();
		buf_done(&text);
		return;
	}
	at = text.len ? (char *)(uintptr_t)buf_cstr(&text) : NULL;
	while (at && *at) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		if (child > 0)
			tree_found(s, (pid_t)child, pid);
		for (at = end; *at == ' ' || *at == '\n'; at++)
			;
	}
	buf_done(&text);
}

static void tree_children(struct tree_search *s, pid_t pid)
{
	const struct dirent *entry;
	char path[64];
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir) {
		s->unknown = s->unknown || pid == getpid();
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			tree_children_of_thread(s, pid, entry->d_name);
	(void)closedir(dir);
}

struct tree_link {
	pid_t pid, parent;
};

/* Every process and its parent, where children are not listed. The caller frees it. */
static struct tree_link *tree_scan(size_t *ret_count)
{
	struct tree_link *links = NULL;
	const struct dirent *entry;
	size_t count = 0, size = 0;
	DIR *dir = opendir("/proc");
	char state;

	while (dir && count < TREE_MAX && (entry = readdir(dir)) != NULL) {
		struct tree_link link = {.pid = (pid_t)strtol(entry->d_name, NULL, 10)};

		if (link.pid <= 0 || !tree_stat(link.pid, &state, &link.parent))
			continue;
		if (count == size) {
			size = size ? size * 2 : 256;
			links = xrealloc(links, size, sizeof *links);
		}
		links[count++] = link;
	}
	if (dir)
		(void)closedir(dir);
	*ret_count = count;
	return links;
}

static int tree_link_compare(const void *a, const void *b)
{
	const struct tree_link *x = a, *y = b;

	return x->parent < y->parent ? -1 : x->parent > y->parent;
}

static void tree_scan_children(struct tree_search *s, const struct tree_link *links, size_t count,
			       pid_t parent)
{
	size_t lo = 0, hi = count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (links[mid].parent < parent)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < count && links[lo].parent == parent; lo++)
		tree_found(s, links[lo].pid, parent);
}

static void tree_walk_by_scan(struct tree_search *s)
{
	size_t count;
	struct tree_link *links = tree_scan(&count);

	if (count)
		qsort(links, count, sizeof *links, tree_link_compare);
	tree_scan_children(s, links, count, getpid());
	for (size_t i = 0; i < s->found.count; i++)
		tree_scan_children(s, links, count, s->found.pids[i]);
	free(links);
}

size_t tree_walk(tree_fn *fn, void *arg)
{
	struct tree_search s = {.fn = fn, .arg = arg};
	size_t count;

	tree_children(&s, getpid());
	for (size_t i = 0; i < s.found.count; i++)
		tree_children(&s, s.found.pids[i]);
	if (s.unknown)
		tree_walk_by_scan(&s);
	count = s.found.count;
	tree_pids_done(&s.found);
	return count;
}

size_t tree_walk_all(tree_fn *fn, void *arg)
{
	size_t count;
	struct tree_link *links = tree_scan(&count);

	for (size_t i = 0; i < count; i++)
		if (links[i].pid != getpid())
			fn(arg, links[i].pid, links[i].parent);
	free(links);
	return count;
}

/* --- what is done to them ------------------------------------------------------------------- */

struct tree_terming {
	struct tree_pids *known;
	size_t sorted; /* so many of known are from earlier walks */
};

static void tree_term_one(void *arg, pid_t pid, pid_t parent)
{
	struct tree_terming *t = arg;

	if (t->sorted && (tree_pids_has(t->known, t->sorted, pid) || parent != getpid()))
		return;
	if (!tree_pids_add(t->known, pid))
		return;
	(void)kill(pid, SIGTERM);
	(void)kill(pid, SIGCONT); /* one that is stopped would not see it */
}

void tree_term(struct tree_pids *known)
{
	struct tree_terming t = {.known = known, .sorted = known->count};

	(void)tree_walk(tree_term_one, &t);
	if (known->count)
		qsort(known->pids, known->count, sizeof *known->pids, tree_compare);
}

static void tree_kill_one(void *arg, pid_t pid, pid_t parent)
{
	size_t *alive = arg;

	(void)parent;
	(void)kill(pid, SIGKILL);
	*alive += tree_is_alive(pid);
}

size_t tree_kill(void)
{
	size_t alive = 0;

	(void)tree_walk(tree_kill_one, &alive);
	return alive;
}

static void tree_stop_one(void *arg, pid_t pid, pid_t parent)
{
	size_t *running = arg;
	char state;

	(void)parent;
	if (!tree_stat(pid, &state, &parent) || strchr("TtZX", state))
		return;
	if (kill(pid, SIGSTOP) == 0)
		++*running;
}

void tree_stop(void)
{
	for (int i = 0; i < TREE_STOP_PASSES; i++) {
		size_t running = 0;

		(void)tree_walk(tree_stop_one, &running);
		if (!running)
			return;
		if (i)
			(void)poll(NULL, 0, 2);
	}
}

static void tree_cont_one(void *arg, pid_t pid, pid_t parent)
{
	(void)arg;
	(void)parent;
	(void)kill(pid, SIGCONT);
}

void tree_cont(void)
{
	(void)tree_walk(tree_cont_one, NULL);
}

static void tree_count_one(void *arg, pid_t pid, pid_t parent)
{
	size_t *alive = arg;

	(void)parent;
	*alive += tree_is_alive(pid);
}

size_t tree_count(void)
{
	size_t alive = 0;

	(void)tree_walk(tree_count_one, &alive);
	return alive;
}

/* --- what a supervisor has left ------------------------------------------------------------- */

struct tree_marking {
	const char *mark;
	struct tree_pids marked; /* in the order in which they were found */
	size_t alive;
	size_t unsure; /* have no environment, as in the middle of execve(2) */
};

static bool tree_has_mark(pid_t pid, const char *mark, bool *ret_unsure)
{
	size_t len = strlen(mark);
	struct buf env = {0};
	char path[64];
	bool has = false;

	(void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	*ret_unsure = false;
	if (fd_read_file(&env, path, TREE_FILE_MAX) == 0) {
		const char *text = buf_cstr(&env);

		*ret_unsure = !env.len;
		for (size_t at = 0; at < env.len && !has; at += strlen(text + at) + 1)
			has = strncmp(text + at, mark, len) == 0 && !text[at + len];
	}
	buf_done(&env);
	return has;
}

static void tree_mark_one(void *arg, pid_t pid, pid_t parent)
{
	struct tree_marking *m = arg;
	bool marked = false, unsure = false;

	for (size_t i = 0; i < m->marked.count && !marked; i++)
		marked = m->marked.pids[i] == parent;
	if (!marked && !tree_has_mark(pid, m->mark, &unsure)) {
		/* The kernel's own have none either. */
		m->unsure += unsure && pid != TREE_KTHREADD && parent != TREE_KTHREADD &&
			     tree_is_alive(pid);
		return;
	}
	(void)tree_pids_add(&m->marked, pid);
	(void)kill(pid, SIGKILL);
	m->alive += tree_is_alive(pid);
}

void tree_kill_marked(const char *mark, tree_walk_fn *walk)
{
	for (int i = 0, clean = 0; i < TREE_MARK_PASSES; i++) {
		struct tree_marking m = {.mark = mark};

		(void)walk(tree_mark_one, &m);
		tree_pids_done(&m.marked);
		clean = m.alive ? 0 : clean + 1;
		if (clean >= TREE_MARK_CLEAN && (!m.unsure || i >= TREE_MARK_UNSURE))
			return;
		(void)poll(NULL, 0, TREE_MARK_WAIT_MS);
	}
}

#include "board.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "escape.h"
#include "exit.h"
#include "fold.h"
#include "progress.h"
#include "table.h"
#include "verdict.h"

#define BOARD_TICK_MS	   100u
#define BOARD_WIDTH	   80u
#define BOARD_NO_EXIT_CODE 255
#define BOARD_NOTE_GAP	   2u
#define BOARD_NOTE_MAX	   1024u /* bytes of a note */

struct board_child {
	bool running;
	bool disconnected;
	bool finished;
	int exit_status; /* of muster, that it argues for */
	int exit_code;	 /* of the command; -1: none */
	char *why;	 /* of one that did not end well */
};

struct board {
	struct out *out;
	const char *const *labels;
	struct board_child *children;
	size_t count;
	struct progress progress;
	struct buf note; /* "web1: 45% copying", harmless; empty: none */
	size_t note_child;
	uint64_t began_ns;
	struct event *tick; /* NULL: no progress line */
	bool colour;
	bool shown;
	uint64_t job; /* its id, once a child has ended */
};

static size_t board_width(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return BOARD_WIDTH;
}

/* The note may have half of the line; what the counts need not, it may have too. */
static void board_draw_line(struct board *board, struct buf *text, size_t width)
{
	const char *note = buf_cstr(&board->note);
	size_t wanted = table_width(note), room = wanted < width / 2 ? wanted : width / 2;

	if (!wanted || room <= BOARD_NOTE_GAP) {
		progress_line(text, &board->progress, width, board->colour);
		return;
	}
	progress_line(text, &board->progress, width - room - BOARD_NOTE_GAP, board->colour);
	buf_addf(text, "%*s", (int)BOARD_NOTE_GAP, "");
	buf_add(text, note, table_fit(note, room));
}

static void board_draw(struct board *board)
{
	struct buf text = {0};

	board->progress.elapsed_ns = clock_mono_ns() - board->began_ns;
	buf_add_str(&text, "\r\033[K");
	/* Not the last column: some terminals would wrap. */
	board_draw_line(board, &text, board_width() - 1);
	out_add(board->out, STDERR_FILENO, &text);
	board->shown = true;
}

static void board_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct board *board = arg;

	(void)fd;
	(void)what;
	/* A terminal that does not keep up is not given more. */
	if (!out_is_full(board->out))
		board_draw(board);
}

struct board *board_new(struct loop *loop, struct out *out, const char *const *labels, size_t count,
			bool progress, bool colour)
{
	struct board *board = xcalloc(1, sizeof *board);
	struct timeval tv = loop_ms(BOARD_TICK_MS);

	board->out = out;
	board->labels = labels;
	board->count = count;
	board->children = xcalloc(count, sizeof *board->children);
	board->progress.total = count;
	board->began_ns = clock_mono_ns();
	board->colour = colour;
	if (!progress)
		return board;
	board->tick = event_new(loop_base(loop), -1, EV_PERSIST, board_on_tick, board);
	if (!board->tick || event_add(board->tick, &tv) != 0)
		abort();
	return board;
}

void board_free(struct board *board)
{
	if (!board)
		return;
	for (size_t i = 0; i < board->count; i++)
		free(board->children[i].why);
	buf_done(&board->note);
	if (board->tick)
		event_free(board->tick);
	free(board->children);
	free(board);
}

/* "exited 2", "signalled TERM", "unreachable: connection refused" */
static char *board_why(const struct child_state_msg *m)
{
	struct buf why = {0};

	buf_add_str(&why, m->cause ? m->cause : "?");
	if (m->exit_code >= 0)
		buf_addf(&why, " %lld", (long long)m->exit_code);
	if (m->signal)
		buf_addf(&why, " %s", m->signal);
	if (m->text)
		buf_addf(&why, ": %s", m->text);
	return buf_take_str(&why);
}

void board_child(struct board *board, size_t index, const struct child_state_msg *m)
{
	struct board_child *c = &board->children[index];
	bool disconnected = !m->finished && m->state && strcmp(m->state, "Disconnected") == 0;
	bool running = !m->finished && !disconnected && m->begin_ns;

	if (c->finished)
		return;
	board->progress.running += running;
	board->progress.running -= c->running;
	c->running = running;
	board->progress.disconnected += disconnected;
	board->progress.disconnected -= c->disconnected;
	c->disconnected = disconnected;
	if (!m->finished)
		return;
	c->finished = true;
	/* Children have the ids behind that of their job (docs/protocol.md, section 6.5). */
	board->job = m->child - index - 1;
	c->exit_status = (int)m->exit_status;
	c->exit_code = (int)m->exit_code;
	board->progress.done++;
	if (board->note_child == index)
		buf_clear(&board->note);
	if (!c->exit_status)
		return;
	board->progress.failed++;
	c->why = board_why(m);
}

void board_note(struct board *board, size_t index, const char *text)
{
	size_t len = strlen(text);

	if (index >= board->count)
		return;
	buf_clear(&board->note);
	escape_display(&board->note, board->labels[index], strlen(board->labels[index]));
	buf_add_str(&board->note, ": ");
	escape_display(&board->note, text, len < BOARD_NOTE_MAX ? len : BOARD_NOTE_MAX);
	for (size_t i = 0; i < board->note.len; i++)
		if (board->note.data[i] == '\t')
			board->note.data[i] = ' ';
	board->note_child = index;
}

void board_hide(struct board *board)
{
	struct buf text = {0};

	if (!board->shown)
		return;
	buf_add_str(&text, "\r\033[K");
	out_add(board->out, STDERR_FILENO, &text);
	board->shown = false;
}

void board_stop(struct board *board)
{
	board_hide(board);
	if (board->tick)
		(void)event_del(board->tick);
}

void board_pending(const struct board *board, struct buf *out)
{
	const char **names = xcalloc(board->count, sizeof(char *));
	size_t n = 0;
	char *folded;

	for (size_t i = 0; i < board->count; i++)
		if (!board->children[i].finished)
			names[n++] = board->labels[i];
	folded = fold_names(names, n);
	buf_addf(out, "%zu of %zu not finished", n, board->count);
	if (n) {
		buf_add_str(out, ": ");
		escape_display(out, folded, strlen(folded));
	}
	free(folded);
	free(names);
}

/* What brings their keys, and all others, to known_hosts at once. */
static void board_cure(const struct board *board, struct buf *out, size_t failed)
{
	static const char unknown[] = "host-key: not known";
	size_t n = 0;

	for (size_t i = 0; failed && i < board->count; i++)
		n += board->children[i].why &&
		     strncmp(board->children[i].why, unknown, sizeof unknown - 1) == 0;
	if (n)
		buf_addf(out, "; %s: muster doctor -H '@job:%llu:cause=host-key'",
			 n == 1 ? "to see its key and take it" : "to see their keys and take them",
			 (unsigned long long)board->job);
}

void board_verdict(const struct board *board, struct buf *out)
{
	struct verdict_item *items = xcalloc(board->progress.failed, sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < board->count && n < board->progress.failed; i++)
		if (board->children[i].why)
			items[n++] = (struct verdict_item){.host = board->labels[i],
							   .why = board->children[i].why};
	verdict_line(out, items, n, board->count, fold_names);
	board_cure(board, out, n);
	free(items);
}

int board_exit_status(const struct board *board)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < board->count; i++)
		status = exit_worse(status, board->children[i].exit_status);
	return status;
}

int board_largest_exit_code(const struct board *board)
{
	int largest = 0;

	for (size_t i = 0; i < board->count; i++) {
		int code = board->children[i].exit_code;

		if (code < 0)
			code = BOARD_NO_EXIT_CODE;
		if (code > largest)
			largest = code;
	}
	return largest;
}

/* What is known of each child of a job: the progress line, who is still running, the verdict. */
#ifndef MUSTER_BOARD_H
#define MUSTER_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "control_msg.h"
#include "loop.h"
#include "out.h"

struct board;

/*
 * labels: the hosts in target order, borrowed. progress: a line on stderr, which is a terminal;
 * colour: for it. Freed by board_free.
 */
struct board *board_new(struct loop *loop, struct out *out, const char *const *labels, size_t count,
			bool progress, bool colour);
void board_free(struct board *board); /* NULL is fine */

/* Takes what the daemon says of the child at index; takes over nothing. */
void board_child(struct board *board, size_t index, const struct child_state_msg *m);

/* What a command at the child at index says of its progress: shown behind the progress line until
 * another one speaks or this child ends. Made harmless here. */
void board_note(struct board *board, size_t index, const char *text);

/* Before anything else is written to the terminal: takes the progress line away. It comes back by
 * itself. board_stop: for good. */
void board_hide(struct board *board);
void board_stop(struct board *board);

/* Appends "12 of 200 still running: web[01-12]" (or "none"), harmless on a terminal. */
void board_pending(const struct board *board, struct buf *out);

/* Appends the verdict, nothing if all went well (render/verdict.h). */
void board_verdict(const struct board *board, struct buf *out);

/* The exit status that the children argue for, and the largest exit status of a remote command
 * (255 for a host that has none). */
int board_exit_status(const struct board *board);
int board_largest_exit_code(const struct board *board);

#endif

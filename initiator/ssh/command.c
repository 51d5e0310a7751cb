#include "command.h"

#include <stdbool.h>
#include <string.h>

#include "limits.h"

/* Characters that no shell treats in a special way anywhere in a word. */
static const char command_safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-./,:@+";

void command_quote(struct buf *out, const char *arg)
{
	bool open = false;

	/* csh and fish expand a leading '-' or '@' in no way; an empty word needs quotes. */
	if (*arg && strspn(arg, command_safe) == strlen(arg)) {
		buf_add_str(out, arg);
		return;
	}
	if (!*arg)
		buf_add_str(out, "''");
	for (; *arg; arg++) {
		bool outside = *arg == '\'' || *arg == '\\' || *arg == '!';

		if (outside == open) {
			buf_add_char(out, '\'');
			open = !open;
		}
		if (outside)
			buf_add_char(out, '\\');
		buf_add_char(out, *arg);
	}
	if (open)
		buf_add_char(out, '\'');
}

int command_exec(struct buf *out, const char *run_id, const char *const *argv, size_t argc,
		 struct errmsg *msg)
{
	size_t begin = out->len;

	buf_addf(out, "env MUSTER_RUN=%s", run_id);
	/* A command that begins with NAME=value would be taken for a variable by env. */
	if (argc && strchr(argv[0], '='))
		buf_add_str(out, " sh -c 'exec \"$@\"' sh");
	for (size_t i = 0; i < argc; i++) {
		buf_add_char(out, ' ');
		command_quote(out, argv[i]);
	}
	if (out->len - begin > LIMIT_COMMAND)
		return err_set(msg, ERR_LIMIT,
			       "the command is %zu bytes long when quoted for the target's shell; "
			       "at most %u fit: make a script of it, for --file-path",
			       out->len - begin, LIMIT_COMMAND);
	return 0;
}

/*
 * The marker is looked for in /proc/PID/environ, which only the owner and root can read. Quoted for
 * every login shell: no single quote, backslash, '!' or newline inside. k SIGNAL sends, and fails
 * when there was nobody to send it to. Processes that are born between the search and the kill are
 * found by the next round: hence the loops.
 */
#define COMMAND_SEARCH                                                                  \
	"sh -c '"                                                                       \
	"test -r /proc/self/environ || exit 2; "                                        \
	"k() { l=$(grep -l \"MUSTER_RUN=$m\" /proc/[0-9]*/environ 2>/dev/null); "       \
	"for f in $l; do p=${f#/proc/}; p=${p%%/*}; " /* A zombie's environ is empty */ \
	"kill -$1 $p 2>/dev/null; done; test \"$l\"; }; "                               \
	"n() { k $1 || { sleep 0.1 2>/dev/null || sleep 1; k $1; }; }; "                \
	"m=$0; g=$1; i=0; "

static const char command_signal_text[] = COMMAND_SEARCH "n $g || exit 1; k $g; exit 0"
							 "' %s %s";

/* A halted process takes TERM only when it goes on. */
static const char command_kill_text[] =
	COMMAND_SEARCH "n TERM || exit 0; k CONT; "
		       "while test $i -lt $g; do "
		       "sleep 0.1 2>/dev/null || { sleep 1; i=$((i+9)); }; "
		       "i=$((i+1)); n 0 || exit 0; "
		       "done; i=0; "
		       "while test $i -lt 50; do n KILL || exit 0; i=$((i+1)); "
		       "sleep 0.1 2>/dev/null || sleep 1; done; exit 1"
		       "' %s %u";

void command_kill(struct buf *out, const char *run_id, unsigned grace_s)
{
	/* The text is a format: its only conversions are the two at the end, %% is one percent. */
	buf_addf(out, command_kill_text, run_id, grace_s * 10);
}

void command_signal(struct buf *out, const char *run_id, const char *signal)
{
	buf_addf(out, command_signal_text, run_id, signal);
}

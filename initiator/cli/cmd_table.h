/* Which commands there are, by all of their names, and the options that each of them has. */
#ifndef MUSTER_CMD_TABLE_H
#define MUSTER_CMD_TABLE_H

#include <stddef.h>

#include "cmd.h"

/* All, in the order of --help. */
const struct cmd *const *cmd_table(size_t *ret_count);

/* The command of that name, in any case; NULL: none. *ret_word: what stands behind its name, as
 * "new" of New-PSSession; NULL: nothing. */
const struct cmd *cmd_find(const char *name, const char **ret_word);

#define CMD_GLOBALS 11u

/* The options that stand before or behind every command: of struct cmd_globals. */
const struct option_row *cmd_global_rows(size_t *ret_count);

/* The options of a command and the global ones behind them; freed by the caller. NULL: these alone.
 */
struct option_row *cmd_rows(const struct cmd *cmd, size_t *ret_count);

#endif

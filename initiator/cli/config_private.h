/* Between the files of muster.conf: the table of values, the text, and the files. */
#ifndef MUSTER_CONFIG_PRIVATE_H
#define MUSTER_CONFIG_PRIVATE_H

#include "config.h"

#define CONFIG_SHOWN 60 /* bytes of what stands in a line, in an error */

/* A file while it is read. */
struct config_reader {
	struct config *config; /* what it sets */
	const char *path;
	unsigned line;
	enum config_level level; /* of the file: system or user */
	const char *profile;	 /* that is wanted; NULL: none */
	char *section;		 /* the profile that the lines are of; NULL: of none */
	bool idle;		 /* a profile that is not wanted: looked at, and nothing set */
	unsigned lines[CONFIG_KEY_COUNT]; /* where each key was set in this section */
	const struct config_loading *loading;
	unsigned faults;
	struct errmsg first; /* of the faults */
};

/* The value of a text. what begins msg. ERR_SYNTAX, ERR_RANGE. */
int config_judge(uint64_t *ret, enum config_key key, const char *text, const char *what,
		 struct errmsg *msg);

/* May stand several times. */
bool config_is_repeated(enum config_key key);

/* Puts a text into the arena. ERR_LIMIT with msg: there is no room. */
int config_keep(uint32_t *ret, struct config *config, const char *text, struct errmsg *msg);

/* Puts a value that was judged in its place, where at->level outweighs what is there. */
int config_put(struct config *config, enum config_key key, uint64_t value, const char *text,
	       const struct config_text *at, struct errmsg *msg);

/* The same for option.NAME. */
int config_put_extra(struct config *config, const char *name, const char *text,
		     const struct config_text *at, struct errmsg *msg);

/* Reads the text of a file into reader->config; ERR_* with msg at the first fault, unless
 * loading->fault takes them. Frees section. */
int config_read_text(struct config_reader *reader, const char *text, size_t len,
		     struct errmsg *msg);

/* Says a fault: 0 if reading goes on. */
int config_fault(struct config_reader *reader, int rc, struct errmsg *msg);

/* A name for a profile: letters, digits, '-', '_', '.', at most 64, and not '.' in front. */
bool config_is_profile(const char *name);

#endif

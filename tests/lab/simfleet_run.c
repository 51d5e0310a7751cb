#include "simfleet_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define SIM_WORDS_MAX  256
#define SIM_FLOOD_SIZE (32u << 10)
#define SIM_SHELLS_MAX 3 /* one inside of the other */
#define SIM_SLEEP_MAX  86400.0

struct sim_argv {
	char *word[SIM_WORDS_MAX];
	size_t count;
};

/* --- the words of a text --------------------------------------------------------------------- */

/* One word, as a shell has it that expands nothing. Moves *text behind it. */
static char *sim_shell_word(const char **text)
{
	struct buf word = {0};
	const char *p = *text;
	char quote = 0;

	for (; *p && (quote || !strchr(" \t\n;", *p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? 0 : *p;
		else if (*p == '\\' && quote != '\'' && p[1])
			buf_add_char(&word, *++p);
		else
			buf_add_char(&word, *p);
	}
	*text = p;
	return buf_take_str(&word);
}

static void sim_argv_split(struct sim_argv *argv, const char *text)
{
	argv->count = 0;
	while (argv->count < SIM_WORDS_MAX) {
		text += strspn(text, " \t\n");
		if (!*text || *text == ';')
			return;
		argv->word[argv->count++] = sim_shell_word(&text);
	}
}

static void sim_argv_done(struct sim_argv *argv)
{
	for (size_t i = 0; i < argv->count; i++)
		free(argv->word[i]);
}

/* --- commands -------------------------------------------------------------------------------- */

static void sim_do_nothing(struct sim_run *run, char *const *argv, size_t argc)
{
	(void)run;
	(void)argv;
	(void)argc;
}

static void sim_do_false(struct sim_run *run, char *const *argv, size_t argc)
{
	(void)argv;
	(void)argc;
	run->status = 1;
}

static void sim_do_exit(struct sim_run *run, char *const *argv, size_t argc)
{
	run->status = argc > 1 ? atoi(argv[1]) & 255 : 0;
}

static void sim_do_sleep(struct sim_run *run, char *const *argv, size_t argc)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0;

	if (!(seconds > 0))
		return;
	run->takes_ms = (uint64_t)((seconds < SIM_SLEEP_MAX ? seconds : SIM_SLEEP_MAX) * 1000);
}

static void sim_run_say(struct sim_run *run, char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(&run->out, "%s%s", i ? " " : "", words[i]);
	buf_add_char(&run->out, '\n');
}

static void sim_do_echo(struct sim_run *run, char *const *argv, size_t argc)
{
	sim_run_say(run, argv + 1, argc - 1);
}

static const struct {
	const char *name;
	void (*fn)(struct sim_run *run, char *const *argv, size_t argc);
} sim_commands[] = {
	{"true", sim_do_nothing}, {":", sim_do_nothing},   {"false", sim_do_false},
	{"exit", sim_do_exit},	  {"sleep", sim_do_sleep}, {"echo", sim_do_echo},
};

static bool sim_run_builtin(struct sim_run *run, char *const *argv, size_t argc)
{
	for (size_t i = 0; i < ARRAY_LEN(sim_commands); i++) {
		if (strcmp(sim_commands[i].name, argv[0]) != 0)
			continue;
		sim_commands[i].fn(run, argv, argc);
		return true;
	}
	return false;
}

/* --- the scenario ---------------------------------------------------------------------------- */

static void sim_run_expand(struct buf *out, const struct sim_fleet *fleet, size_t number,
			   const char *text, size_t len)
{
	const char *end = text + len;
	char name[32];

	while (text < end) {
		const char *percent = memchr(text, '%', (size_t)(end - text));

		if (!percent || percent + 1 == end) {
			buf_add(out, text, (size_t)(end - text));
			return;
		}
		buf_add(out, text, (size_t)(percent - text));
		text = percent + 2;
		if (percent[1] == 'h') {
			sim_fleet_name(fleet, number, name, sizeof name);
			buf_add_str(out, name);
		} else if (percent[1] == 'n') {
			buf_addf(out, "%zu", number);
		} else {
			buf_add_char(out, '%');
			text -= percent[1] != '%';
		}
	}
}

static void sim_run_scenario(struct sim_run *run, const struct sim_fleet *fleet, size_t number,
			     char *const *argv, size_t argc)
{
	const struct sim_manner *m = sim_scenario_manner(&fleet->scenario, number);
	char name[32];

	run->takes_ms = m->takes_ms;
	run->status = (int)m->exit_code;
	run->signal = m->signal;
	run->flood = m->flood;
	if (m->echo && argc) {
		sim_run_say(run, argv, argc);
	} else if (argc && strcmp(argv[0], "hostname") == 0) {
		sim_fleet_name(fleet, number, name, sizeof name);
		buf_addf(&run->out, "%s\n", name);
	} else {
		for (uint64_t i = 0; m->output && i < m->repeat; i++)
			sim_run_expand(&run->out, fleet, number, m->output, m->output_len);
		if (m->error)
			sim_run_expand(&run->error, fleet, number, m->error, m->error_len);
	}
}

static void sim_run_choose(struct sim_run *run, const struct sim_fleet *fleet, size_t number,
			   char *const *argv, size_t argc)
{
	if (!argc || sim_scenario_manner(&fleet->scenario, number)->flood ||
	    !sim_run_builtin(run, argv, argc))
		sim_run_scenario(run, fleet, number, argv, argc);
}

/* How many words stand before the command: env, what it sets, exec. */
static size_t sim_run_prefix(char *const *argv, size_t argc)
{
	size_t i = 0;

	while (i < argc && (strcmp(argv[i], "env") == 0 || strcmp(argv[i], "exec") == 0 ||
			    strchr(argv[i], '=')))
		i++;
	return i;
}

void sim_run_init_text(struct sim_run *run, const struct sim_fleet *fleet, size_t number,
		       const char *text)
{
	struct sim_argv argv;
	char *inner = NULL;
	size_t at;

	*run = (struct sim_run){0};
	for (int depth = 0;; depth++) {
		sim_argv_split(&argv, text);
		free(inner);
		inner = NULL;
		at = sim_run_prefix(argv.word, argv.count);
		if (depth == SIM_SHELLS_MAX || argv.count - at < 3 ||
		    strcmp(argv.word[at], "sh") != 0 || strcmp(argv.word[at + 1], "-c") != 0)
			break;
		text = inner = xstrdup(argv.word[at + 2]);
		sim_argv_done(&argv);
	}
	sim_run_choose(run, fleet, number, argv.word + at, argv.count - at);
	sim_argv_done(&argv);
}

void sim_run_init(struct sim_run *run, const struct sim_fleet *fleet, size_t number,
		  char *const *argv, size_t argc)
{
	if (argc >= 3 && strcmp(argv[0], "sh") == 0 && strcmp(argv[1], "-c") == 0) {
		sim_run_init_text(run, fleet, number, argv[2]);
		return;
	}
	*run = (struct sim_run){0};
	sim_run_choose(run, fleet, number, argv, argc);
}

void sim_run_done(struct sim_run *run)
{
	buf_done(&run->out);
	buf_done(&run->error);
}

void sim_run_refill(struct sim_run *run)
{
	static const char line[] =
		"one more line of a flood that does not end by itself 0123456789\n";

	buf_clear(&run->out);
	run->out_sent = 0;
	while (run->out.len < SIM_FLOOD_SIZE)
		buf_add(&run->out, line, sizeof line - 1);
}

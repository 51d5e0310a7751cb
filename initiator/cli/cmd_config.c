/* muster config: what muster.conf, its profiles and the environment say, and where. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "config_apply.h"
#include "config_daemon.h"
#include "csv.h"
#include "escape.h"
#include "exit.h"
#include "json.h"
#include "rows.h"
#include "table.h"
#include "yaml.h"

enum { CONFIG_FIELDS = 4 };

struct config_values {
	struct cmd_globals globals;
	bool check;
	bool profiles;
};

/* What is shown, row by row. */
struct config_view {
	enum rows_shape shape;
	bool escape; /* a terminal reads it */
	struct table *table;
	struct buf text;
	size_t count;
};

static const char *const config_titles[CONFIG_FIELDS] = {"key", "value", "source", "help"};

static void config_put_object(struct buf *out, const char *const fields[CONFIG_FIELDS])
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < CONFIG_FIELDS; i++) {
		json_key(out, config_titles[i]);
		json_str(out, fields[i]);
	}
	buf_add_char(out, '}');
}

static void config_put_csv(struct config_view *view, const char *const fields[CONFIG_FIELDS])
{
	for (size_t i = 0; i < CONFIG_FIELDS; i++) {
		if (i)
			buf_add_char(&view->text, ',');
		csv_str(&view->text, fields[i], view->escape);
	}
	buf_add_char(&view->text, '\n');
}

static void config_put_lines(struct config_view *view, const char *const fields[CONFIG_FIELDS])
{
	if (view->shape == ROWS_LIST && view->count)
		buf_add_char(&view->text, '\n');
	for (size_t i = 0; i < CONFIG_FIELDS; i++) {
		const char *field = fields[i] ? fields[i] : "";

		if (view->shape == ROWS_YAML) {
			buf_addf(&view->text, "%s%s: ", i ? "  " : "- ", config_titles[i]);
			yaml_str(&view->text, fields[i]);
		} else {
			buf_addf(&view->text, "%-6s : ", config_titles[i]);
			escape_display(&view->text, field, strlen(field));
		}
		buf_add_char(&view->text, '\n');
	}
}

static void config_put_row(struct config_view *view, const char *const fields[CONFIG_FIELDS])
{
	switch (view->shape) {
	case ROWS_TABLE:
		table_row(view->table, fields);
		break;
	case ROWS_JSON:
		buf_add_str(&view->text, view->count ? ",\n" : "[");
		config_put_object(&view->text, fields);
		break;
	case ROWS_JSONL:
		config_put_object(&view->text, fields);
		buf_add_char(&view->text, '\n');
		break;
	case ROWS_CSV:
		config_put_csv(view, fields);
		break;
	case ROWS_LIST:
	case ROWS_YAML:
		config_put_lines(view, fields);
		break;
	}
	view->count++;
}

static int config_finish(struct config_view *view)
{
	struct winsize ws;

	if (view->shape == ROWS_TABLE)
		table_render(&view->text, view->table,
			     ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0);
	if (view->shape == ROWS_JSON)
		buf_add_str(&view->text, view->count ? "]\n" : "[]\n");
	if (view->shape == ROWS_YAML && !view->count)
		buf_add_str(&view->text, "[]\n");
	table_free(view->table);
	return cmd_print(&view->text);
}

static void config_put_key(struct config_view *view, const struct config *config,
			   enum config_key key)
{
	const char *written = config_written(config, key);
	struct buf origin = {0}, value = {0};
	const char *fields[CONFIG_FIELDS] = {config_key_name(key), config_key_default(key), NULL,
					     config_key_help(key)};

	config_origin(&origin, config, &config->keys[key].at);
	/* What may be repeated: with blanks between. */
	for (const char *c = written ? written : ""; *c; c++)
		buf_add_char(&value, *c == '\n' ? ' ' : *c);
	if (written)
		fields[1] = buf_cstr(&value);
	fields[2] = buf_cstr(&origin);
	config_put_row(view, fields);
	buf_done(&value);
	buf_done(&origin);
}

static void config_put_extras(struct config_view *view, const struct config *config)
{
	for (size_t i = 0; i < config->extra_count; i++) {
		const struct config_extra *extra = &config->extras[i];
		char *name = xasprintf("option.%s", config_at(config, extra->name));
		struct buf origin = {0};
		const char *fields[CONFIG_FIELDS] = {name, config_at(config, extra->at.text), NULL,
						     "the default of this option"};

		config_origin(&origin, config, &extra->at);
		fields[2] = buf_cstr(&origin);
		config_put_row(view, fields);
		buf_done(&origin);
		free(name);
	}
}

/* --- --check --------------------------------------------------------------------------------- */

static void config_on_fault(void *ctx, const char *text)
{
	size_t *faults = ctx;

	(*faults)++;
	(void)cmd_error(EXIT_USAGE, "%s", text);
}

/* Options of profiles are looked at for the profile that is chosen; all else in any case. */
static int config_do_check(const struct config_values *v, int argc, char **argv)
{
	size_t faults = 0;
	struct config_loading loading = {.profile = config_profile(v->globals.profile),
					 .all = true,
					 .fault = config_on_fault,
					 .ctx = &faults};
	struct config *config = xcalloc(1, sizeof *config);
	struct errmsg msg;
	struct buf text = {0};

	for (int i = 0; i < argc; i++)
		(void)config_check(argv[i], &loading, &msg);
	if (!argc && config_load(config, &loading, &msg) != 0 && !faults)
		config_on_fault(&faults, msg.text);
	for (size_t i = 0; i < config->extra_count; i++)
		if (config_apply_check(config, &config->extras[i], &msg) != 0)
			config_on_fault(&faults, msg.text);
	free(config);
	if (faults)
		return EXIT_USAGE;
	if (!v->globals.quiet)
		buf_add_str(&text, "no errors\n");
	return cmd_print(&text);
}

/* --- the rest -------------------------------------------------------------------------------- */

static int config_show(const struct cmd *cmd, const struct config_values *v,
		       const struct config *config, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{"Key", false}, {"Value", false}, {"Source", false}, {"Help", false}};
	struct config_view view = {.shape = ROWS_TABLE, .escape = isatty(STDOUT_FILENO) == 1};
	int status;

	if (v->globals.output && rows_shape_find(v->globals.output, &view.shape) != 0)
		return cmd_usage(cmd, "--output: '%s' is none of %s", v->globals.output,
				 ROWS_NAMES);
	for (int i = 0; i < argc; i++)
		if (config_key_find(argv[i]) == CONFIG_KEY_COUNT)
			return cmd_usage(cmd, "there is no key '%s': 'muster config' shows all",
					 argv[i]);
	if (view.shape == ROWS_TABLE)
		view.table = table_new(columns, ARRAY_LEN(columns));
	if (view.shape == ROWS_CSV)
		config_put_csv(&view, config_titles);
	for (int i = 0; i < argc; i++)
		config_put_key(&view, config, config_key_find(argv[i]));
	for (size_t i = 0; !argc && i < CONFIG_KEY_COUNT; i++)
		config_put_key(&view, config, (enum config_key)i);
	if (!argc)
		config_put_extras(&view, config);
	status = config_finish(&view);
	if (!v->globals.quiet)
		config_daemon_tell(cmd, &v->globals, config);
	return status;
}

static int config_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	const struct config_values *v = arg;
	struct buf names = {0};
	struct config_loading loading = {.profile = config_profile(v->globals.profile),
					 .profiles = &names};
	struct config *config;
	struct errmsg msg;
	int status;

	if (v->check)
		return config_do_check(v, argc, argv);
	config = xcalloc(1, sizeof *config);
	if (config_load(config, &loading, &msg) != 0)
		status = cmd_error(EXIT_USAGE, "%s", msg.text);
	else if (v->profiles)
		status = cmd_print(&names);
	else
		status = config_show(cmd, v, config, argc, argv);
	buf_done(&names);
	free(config);
	return status;
}

#define VALUE(field) offsetof(struct config_values, field)
static const struct option_row config_rows[] = {
	{"check", 0, OPTION_FLAG, VALUE(check), NULL,
	 "say all that is wrong in all files, or in those that\nare named"},
	{"profiles", 0, OPTION_FLAG, VALUE(profiles), NULL, "which profiles there are"},
};

const struct cmd cmd_config = {
	.name = "config",
	.synopsis = "[-m PROFILE] [--output FORMAT] [KEY...] | --check [FILE...] | --profiles",
	.summary = "Show the settings that hold, and where each comes from",
	.text = "A running daemon has those that held when it was started; what is another now is\n"
		"said on standard error.\n"
		"--output: " ROWS_NAMES "\n",
	.options = config_rows,
	.option_count = ARRAY_LEN(config_rows),
	.reads_config = true,
	.values_size = sizeof(struct config_values),
	.run = config_cmd_run,
};

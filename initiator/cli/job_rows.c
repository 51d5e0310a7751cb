#include "job_rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "fold.h"

#define JOB_ROWS_LOCATION 40u /* bytes of this column on a terminal */
#define JOB_ROWS_CUT	  "..."

struct job_rows {
	struct rows *rows;
	enum rows_shape shape;
};

int job_rows_new(struct job_rows **ret, const char *name, struct errmsg *msg)
{
	enum rows_shape shape = ROWS_TABLE;

	if (name && rows_shape_find(name, &shape) != 0)
		return err_set(msg, ERR_SYNTAX, "--output: '%s' is none of %s", name, ROWS_NAMES);
	*ret = xcalloc(1, sizeof **ret);
	(*ret)->shape = shape;
	(*ret)->rows = rows_new(shape, isatty(STDOUT_FILENO) == 1);
	return 0;
}

void job_rows_free(struct job_rows *rows)
{
	if (!rows)
		return;
	rows_free(rows->rows);
	free(rows);
}

void job_rows_view(struct row_view *ret, const struct get_row_msg *m)
{
	*ret = (struct row_view){.id = m->id,
				 .parent_id = m->parent_id,
				 .name = m->name,
				 .type = m->type,
				 .state = m->state,
				 .has_more_data = m->has_more_data,
				 .location = m->location,
				 .command = m->command,
				 .begin_ns = m->begin_ns,
				 .end_ns = m->end_ns,
				 .cause = m->cause,
				 .text = m->text,
				 .exit_code = m->exit_code,
				 .signal = m->signal,
				 .instance_id = m->instance_id,
				 .children = m->children,
				 .child_count = m->child_count,
				 .progress = m->progress};
}

/* Replaces what is beyond max bytes by dots, between characters. */
static void job_rows_cut(char *text, size_t max)
{
	size_t at = max - strlen(JOB_ROWS_CUT);

	if (!max || strlen(text) <= max)
		return;
	while (at && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	memcpy(text + at, JOB_ROWS_CUT, sizeof JOB_ROWS_CUT);
}

char *job_rows_fold(const char *location, size_t max)
{
	char *copy = xstrdup(location), *folded, *text;
	size_t len = strlen(copy), count = 0;
	const char **names = xcalloc(len / 2 + 1, sizeof *names);
	bool cut = len >= strlen(JOB_ROWS_CUT) &&
		   strcmp(copy + len - strlen(JOB_ROWS_CUT), JOB_ROWS_CUT) == 0;

	for (char *at = copy; *at; at += strspn(at, ",")) {
		names[count++] = at;
		at += strcspn(at, ",");
		if (*at)
			*at++ = '\0';
	}
	/* The daemon has cut a list that is too long: its last name is not whole. */
	if (cut)
		count--;
	folded = fold_names(names, count);
	text = xasprintf("%s%s%s", folded, cut && count ? "," : "", cut ? JOB_ROWS_CUT : "");
	free(folded);
	free(names);
	free(copy);
	job_rows_cut(text, max);
	return text;
}

static size_t job_rows_width(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 0;
}

void job_rows_add(struct job_rows *rows, const struct get_row_msg *m)
{
	struct row_view view;
	char *folded = NULL;

	job_rows_view(&view, m);
	if (rows->shape == ROWS_TABLE && m->child_count > 1 && m->location) {
		folded = job_rows_fold(m->location, job_rows_width() ? JOB_ROWS_LOCATION : 0);
		view.location = folded;
	}
	rows_add(rows->rows, &view);
	free(folded);
}

int job_rows_print(struct job_rows *rows)
{
	struct buf text = {0};

	rows_render(rows->rows, &text, job_rows_width());
	return cmd_print(&text);
}

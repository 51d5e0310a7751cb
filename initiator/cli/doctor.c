#include "doctor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "confirm.h"
#include "doctor_check.h"
#include "doctor_keys.h"
#include "doctor_report.h"
#include "exit.h"
#include "fd.h"
#include "format.h"

/* New keys that are shown without --list-keys. */
#define DOCTOR_KEYS 10u

static size_t doctor_count_new(const struct doctor *doctor)
{
	size_t n = 0;

	for (size_t i = 0; i < doctor->count; i++)
		n += doctor_is_new_key(&doctor->hosts[i]);
	return n;
}

static void doctor_say(struct buf *text)
{
	(void)fd_write_all(STDERR_FILENO, text->data, text->len);
	buf_done(text);
}

/* Asked once, for all of them. */
static bool doctor_ask(size_t count)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct buf question = {0};
	bool yes;

	if (tty < 0)
		return false;
	if (count == 1)
		buf_add_str(&question, "write this key to known_hosts? [y/N] ");
	else
		buf_addf(&question, "write these %zu keys to known_hosts? [y/N] ", count);
	yes = fd_write_all(tty, question.data, question.len) == 0 && confirm_yes(tty);
	buf_done(&question);
	fd_close(&tty);
	return yes;
}

/* Whether new keys are to be written. What decides sees them. */
static bool doctor_decide(const struct doctor *doctor, const struct doctor_options *o, size_t count)
{
	bool asks = o->may_ask && !o->accept_new && isatty(STDIN_FILENO) == 1 &&
		    isatty(STDERR_FILENO) == 1;
	struct buf text = {0};

	if (o->list_keys || asks) {
		buf_addf(&text, "%zu new key%s:\n", count, count == 1 ? "" : "s");
		doctor_report_keys(&text, doctor, o->list_keys ? doctor->count : DOCTOR_KEYS);
		doctor_say(&text);
	}
	return o->accept_new || (asks && doctor_ask(count));
}

/* Writes them, and checks again the hosts whose keys are known now. */
static int doctor_take_keys(struct doctor *doctor, const struct cmd *cmd,
			    const struct cmd_globals *globals, const struct submit *submit)
{
	bool *written = xcalloc(doctor->count ? doctor->count : 1, sizeof *written);
	struct submit again = *submit;
	int status = doctor_keys_write(doctor, written, globals->quiet);
	bool any = false;

	for (size_t i = 0; i < doctor->count; i++)
		any = any || written[i];
	again.pick = written;
	if (any)
		status = exit_worse(status, doctor_check(doctor, cmd, globals, &again));
	free(written);
	return status;
}

static int doctor_show(const struct doctor *doctor, const struct cmd_globals *globals)
{
	struct render_style style = {.labels = true,
				     .colour = cmd_colour(globals, STDOUT_FILENO),
				     .escape = isatty(STDOUT_FILENO) == 1};
	struct buf sets = {0}, rows = {0};
	int status = EXIT_OK;

	doctor_report_sets(&sets, doctor);
	if (!globals->output)
		return cmd_print(&sets);
	doctor_report_rows(&rows, doctor, format_find(globals->output), &style);
	status = cmd_print(&rows);
	if (globals->quiet)
		buf_done(&sets);
	else
		doctor_say(&sets);
	return status;
}

static int doctor_status(const struct doctor *doctor, int status)
{
	for (size_t i = 0; i < doctor->count; i++)
		status = exit_worse(status, doctor->hosts[i].exit_status);
	return status;
}

static int doctor_work(struct doctor *doctor, const struct cmd *cmd,
		       const struct cmd_globals *globals, const struct doctor_options *options,
		       const struct submit *submit)
{
	int status = doctor_check(doctor, cmd, globals, submit);
	size_t count = doctor_count_new(doctor);

	if (status != EXIT_OK)
		return status;
	if (count && doctor_decide(doctor, options, count))
		status = doctor_take_keys(doctor, cmd, globals, submit);
	status = exit_worse(status, doctor_show(doctor, globals));
	count = doctor_count_new(doctor);
	if (count && !options->accept_new && !globals->quiet)
		(void)cmd_error(0,
				"'muster doctor --list-keys' shows the new keys; with --host-key "
				"accept-new it writes them to known_hosts");
	return doctor_status(doctor, status);
}

int doctor_run(const struct cmd *cmd, const struct cmd_globals *globals,
	       const struct doctor_options *options, const struct submit *submit)
{
	struct job_open_msg open = *submit->open;
	struct submit strict = *submit;
	struct doctor doctor;
	int status;

	open.builtin = JOB_CHECK;
	open.argv = NULL;
	open.argc = 0;
	open.shell = false;
	open.script = NULL;
	open.script_len = 0;
	open.stdin_follows = false;
	open.host_key = JOB_HOST_KEY_STRICT;
	strict.open = &open;
	doctor_init(&doctor, submit->hosts);
	status = doctor_work(&doctor, cmd, globals, options, &strict);
	doctor_done(&doctor);
	return status;
}

/* muster receive: the results of jobs. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "exit.h"
#include "filter.h"
#include "receive.h"
#include "targets.h"

struct receive_values {
	struct cmd_globals globals;
	struct filter_values filter;
	struct option_texts locations;
	const char *streams;
	struct option_wait timeout;
	bool keep;
	bool wait;
	bool force;
	bool remove;
	bool events;
	bool job_rows;
	bool no_recurse;
	bool by_time;
	bool no_labels;
	bool verbose;
	bool debug;
};

static int receive_check(const struct cmd *cmd, const struct receive_values *v)
{
	const char *format = v->globals.output;

	if (v->keep && v->wait)
		return cmd_usage(cmd, "--keep leaves everything unread, --wait reads to the end: "
				      "one of them");
	if (v->remove && !v->wait)
		return cmd_usage(cmd, "--auto-remove-job needs --wait: it removes finished jobs");
	if (v->events && !v->wait)
		return cmd_usage(cmd, "--write-events needs --wait");
	if (v->timeout.given && !v->wait)
		return cmd_usage(cmd, "--timeout needs --wait");
	if (format && !format_find(format))
		return cmd_usage(cmd, "--output: '%s' is none of %s", format, FORMAT_NAMES);
	if (format && strcmp(format, "csv") == 0 && (v->job_rows || v->events))
		return cmd_usage(cmd, "csv has one kind of line: not with --write-job-in-results "
				      "or --write-events");
	return EXIT_OK;
}

static int receive_streams(const struct cmd *cmd, const char *list, uint64_t *ret)
{
	*ret = 0;
	while (list && *list) {
		size_t n = strcspn(list, ","), i = 0;

		while (i < STREAM_COUNT && (strlen(record_stream_name(i)) != n ||
					    strncasecmp(record_stream_name(i), list, n) != 0))
			i++;
		if (i == STREAM_COUNT)
			return cmd_usage(cmd,
					 "--stream: '%.*s' is none of output, error, warning, "
					 "verbose, debug, information, progress",
					 (int)n, list);
		*ret |= UINT64_C(1) << i;
		list += n + (list[n] == ',');
	}
	return EXIT_OK;
}

/* Locations are host expressions; a job's location is what the user wrote of the host. */
static int receive_locations(const struct cmd *cmd, const struct cmd_globals *globals,
			     const struct option_texts *texts, struct hostlist **ret_hosts,
			     struct receive_msg *m)
{
	const struct option_texts none = {0};
	struct errmsg msg;
	size_t bytes = 0;

	if (!texts->count)
		return EXIT_OK;
	if (targets_find(ret_hosts, globals, texts, &none, false, false, &msg) != 0)
		return cmd_usage(cmd, "--location: %s", msg.text);
	m->location_count = hostlist_count(*ret_hosts);
	if (m->location_count > CONTROL_IDS_MAX)
		return cmd_usage(cmd, "--location: more than %u hosts", CONTROL_IDS_MAX);
	m->locations = xcalloc(m->location_count, sizeof(char *));
	for (size_t i = 0; i < m->location_count; i++) {
		m->locations[i] = hostlist_at(*ret_hosts, i)->label;
		bytes += strlen(m->locations[i]) + 1;
	}
	if (bytes > CONTROL_IDS_BYTES)
		return cmd_usage(cmd, "--location: names of more than %u bytes in all",
				 CONTROL_IDS_BYTES);
	return EXIT_OK;
}

static int receive_request(const struct cmd *cmd, const struct receive_values *v,
			   struct receive_msg *m)
{
	struct receive_options options = {
		.request = m,
		.look = {.format = format_find(v->globals.output ? v->globals.output : "text"),
			 .labels = !v->no_labels,
			 .colour_out = cmd_colour(&v->globals, STDOUT_FILENO),
			 .colour_err = cmd_colour(&v->globals, STDERR_FILENO),
			 .verbose = v->verbose,
			 .debug = v->debug,
			 .streams_chosen = m->streams != 0},
	};

	/* On a terminal rows are a table. */
	if (!v->globals.output && isatty(STDOUT_FILENO) == 1)
		options.look.format = &format_auto;

	if (filter_is_empty(&m->filter))
		return cmd_usage(cmd, "which jobs? (ID, NAME, wildcard; '*' for all)");
	return receive_run(cmd, &v->globals, &options);
}

static int receive_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct receive_values *v = arg;
	struct receive_msg m = {.keep = v->keep,
				/* --timeout 0 looks once, which is what receive does anyway. */
				.wait = v->wait && !(v->timeout.given && !v->timeout.ms),
				.force = v->force,
				.timeout_ms = v->timeout.ms,
				.job_rows = v->job_rows,
				.no_recurse = v->no_recurse,
				.by_time = v->by_time};
	struct hostlist *hosts = NULL;
	struct errmsg msg;
	int status = receive_check(cmd, v);

	m.remove = v->remove && m.wait;
	m.events = v->events && m.wait;
	if (status == EXIT_OK)
		status = receive_streams(cmd, v->streams, &m.streams);
	if (status == EXIT_OK)
		status = receive_locations(cmd, &v->globals, &v->locations, &hosts, &m);
	if (status == EXIT_OK && filter_fill(&m.filter, &v->filter, argc, argv, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK)
		status = receive_request(cmd, v, &m);
	hostlist_free(hosts);
	free(m.locations);
	free(m.filter.selectors);
	return status;
}

#define VALUE(field) offsetof(struct receive_values, field)
static const struct option_row receive_rows[] = {
	FILTER_ROWS(VALUE(filter)),
	{"keep", 'k', OPTION_FLAG, VALUE(keep), NULL, "leave the results unread"},
	{"wait", 'w', OPTION_FLAG, VALUE(wait), NULL, "go on until the jobs have ended"},
	{"timeout", 't', OPTION_WAIT, VALUE(timeout), "TIME",
	 "with --wait: at most so long (30, 90s, 5m); exit status 3"},
	{"force", 0, OPTION_FLAG, VALUE(force), NULL,
	 "with --wait: do not take Suspended or Disconnected\nfor an end"},
	{"auto-remove-job", 0, OPTION_FLAG, VALUE(remove), NULL,
	 "with --wait: remove the jobs when they have ended"},
	{"write-events", 0, OPTION_FLAG, VALUE(events), NULL,
	 "with --wait: tell how each child and each job ended"},
	{"write-job-in-results", 0, OPTION_FLAG, VALUE(job_rows), NULL, "the jobs' rows first"},
	{"no-recurse", 0, OPTION_FLAG, VALUE(no_recurse), NULL,
	 "not the children of a job (which has no results itself)"},
	{"location", 'l', OPTION_TEXTS, VALUE(locations), "EXPR", "only these hosts"},
	{"computer-name", 0, OPTION_TEXTS, VALUE(locations), "EXPR", NULL},
	{"stream", 0, OPTION_TEXT, VALUE(streams), "LIST",
	 "only these: output,error,warning,verbose,debug,\ninformation,progress"},
	{"verbose", 0, OPTION_FLAG, VALUE(verbose), NULL, "show verbose records too"},
	{"debug", 0, OPTION_FLAG, VALUE(debug), NULL, "show debug records too"},
	{"by-time", 0, OPTION_FLAG, VALUE(by_time), NULL, "in order of time, not child by child"},
	{"hide-computer-name", 'N', OPTION_FLAG, VALUE(no_labels), NULL,
	 "no 'host: ' before lines"},
	{"no-labels", 0, OPTION_FLAG, VALUE(no_labels), NULL, NULL},
};

const struct cmd cmd_receive = {
	.name = "receive",
	.synopsis = "[OPTION...] JOB...",
	.summary = "Take the results of jobs",
	.text = "JOB: an id, a name, an instance id, or a wildcard such as 'web*'; a job stands "
		"for\n"
		"its children. What has been written is gone from the job (unless --keep); what "
		"has\n"
		"not, because the reader left, stays. How children failed goes to stderr, each "
		"time.\n"
		"--output: " FORMAT_NAMES "\n",
	.options = receive_rows,
	.option_count = ARRAY_LEN(receive_rows),
	.values_size = sizeof(struct receive_values),
	.run = receive_cmd_run,
};

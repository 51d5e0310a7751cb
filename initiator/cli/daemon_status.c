#include "daemon_status.h"

#include "alloc.h"
#include "clock.h"
#include "json.h"

/* "823 bytes", "64.0 KiB", "1.5 GiB" */
static void status_size(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB"};
	double v = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		buf_addf(out, "%u bytes", (unsigned)bytes);
		return;
	}
	for (; v >= 1023.95 && unit + 1 < ARRAY_LEN(units); v /= 1024)
		unit++;
	buf_addf(out, "%.1f %s", v, units[unit]);
}

static void status_store_text(struct buf *out, const struct status_reply_msg *m)
{
	if (!m->store_path) {
		buf_add_str(out, "store: none, jobs are in memory only\n");
		return;
	}
	buf_addf(out, "store: %s, %s, ", m->store_path, m->store_state ? m->store_state : "?");
	status_size(out, m->store_bytes);
	if (m->store_pending) {
		buf_add_str(out, ", and ");
		status_size(out, m->store_pending);
		buf_add_str(out, " to be written");
	}
	buf_add_char(out, '\n');
	if (m->store_note)
		buf_addf(out, "store: %s\n", m->store_note);
}

void daemon_status_text(struct buf *out, const struct status_reply_msg *m)
{
	char since[CLOCK_RFC3339_SIZE];

	buf_addf(out,
		 "running: pid %llu, version %s, since %s\nsocket: %s\n"
		 "jobs: %llu unfinished, %llu sessions, %llu connections, %llu clients\n",
		 (unsigned long long)m->pid, m->version ? m->version : "?",
		 clock_rfc3339(since, m->started_ns), m->socket ? m->socket : "?",
		 (unsigned long long)m->jobs, (unsigned long long)m->named_sessions,
		 (unsigned long long)m->sessions, (unsigned long long)m->clients);
	status_store_text(out, m);
}

static void status_number(struct buf *out, const char *key, uint64_t v)
{
	json_key(out, key);
	buf_addf(out, "%llu", (unsigned long long)v);
}

void daemon_status_json(struct buf *out, const struct status_reply_msg *m)
{
	buf_add_char(out, '{');
	status_number(out, "pid", m->pid);
	json_key(out, "version");
	json_str(out, m->version);
	json_key(out, "socket");
	json_str(out, m->socket);
	status_number(out, "jobs", m->jobs);
	status_number(out, "sessions", m->sessions);
	status_number(out, "named_sessions", m->named_sessions);
	status_number(out, "clients", m->clients);
	json_key(out, "started");
	json_time(out, m->started_ns);
	status_number(out, "open_files", m->fd_limit);
	status_number(out, "io_threads", m->io_threads);
	json_key(out, "store");
	json_str(out, m->store_path);
	json_key(out, "store_state");
	json_str(out, m->store_state);
	status_number(out, "store_bytes", m->store_bytes);
	status_number(out, "store_pending", m->store_pending);
	json_key(out, "store_note");
	json_str(out, m->store_note);
	buf_add_str(out, "}\n");
}

#include "doctor_check.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ask.h"
#include "control_msg.h"
#include "exit.h"

#define DOCTOR_NEW_KEY "new-key"

/* One job. Its children are the hosts that are picked. */
struct doctor_job {
	struct doctor *doctor;
	const struct submit *submit;
	size_t *index; /* of the host of each child */
	size_t count;
	uint64_t first_child;
	struct errmsg *msg; /* of the message under way */
};

/* From the cause, the beginning of the text, and what the daemon says of the key: the first that
 * fits. NULL: any. */
static const struct {
	const char *cause, *text, *key;
	const char *state, *step;
} doctor_states[] = {
	{"exited", NULL, NULL, "ok", NULL},
	{"host-key", NULL, "new", DOCTOR_NEW_KEY, "host-key"},
	{"host-key", NULL, "changed", "changed-key", "host-key"},
	{"host-key", NULL, "other", "changed-key", "host-key"},
	{"host-key", NULL, "revoked", "revoked-key", "host-key"},
	{"host-key", NULL, NULL, "host-key", "host-key"},
	{"unreachable", "cannot resolve", NULL, "unresolved", "resolve"},
	{"unreachable", "connection refused", NULL, "refused", "connect"},
	{"unreachable", NULL, NULL, "unreachable", "connect"},
	{"timeout", "name lookup", NULL, "timeout", "resolve"},
	{"timeout", "connect", NULL, "timeout", "connect"},
	{"timeout", "key exchange", NULL, "timeout", "key-exchange"},
	{"timeout", "host key", NULL, "timeout", "host-key"},
	{"timeout", "authentication", NULL, "timeout", "login"},
	{"timeout", "start agent", NULL, "timeout", "agent"},
	{"timeout", NULL, NULL, "timeout", "session"},
	{"auth", NULL, NULL, "auth", "login"},
	{"refused", NULL, NULL, "no-command", "session"},
	{"no-agent", NULL, NULL, "no-agent", "agent"},
	{"agent-lost", NULL, NULL, "no-agent", "agent"},
	{"become", NULL, NULL, "become", "agent"},
	{"link-lost", NULL, NULL, "unreachable", "session"},
	{"gateway", NULL, NULL, "gateway", "gateway"},
};

void doctor_init(struct doctor *doctor, const struct hostlist *hosts)
{
	doctor->count = hostlist_count(hosts);
	doctor->hosts = xcalloc(doctor->count, sizeof *doctor->hosts);
	for (size_t i = 0; i < doctor->count; i++)
		doctor->hosts[i].label = hostlist_at(hosts, i)->label;
}

static void doctor_clear(struct doctor_host *host)
{
	free(host->text);
	free(host->found);
	*host = (struct doctor_host){.label = host->label};
}

void doctor_done(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++)
		doctor_clear(&doctor->hosts[i]);
	free(doctor->hosts);
}

char *doctor_field(const struct doctor_host *host, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = host->found; at && *at; at += *at == '\t') {
		size_t n = strcspn(at, "\t");

		if (n > len && strncmp(at, name, len) == 0 && at[len] == '=')
			return xstrndup(at + len + 1, n - len - 1);
		at += n;
	}
	return NULL;
}

bool doctor_is_new_key(const struct doctor_host *host)
{
	return host->state && strcmp(host->state, DOCTOR_NEW_KEY) == 0;
}

static void doctor_judge(struct doctor_host *host, const struct child_state_msg *m)
{
	char *key = doctor_field(host, "key");
	char *agent = doctor_field(host, "agent"), *note = doctor_field(host, "note");
	char *durable = doctor_field(host, "durable");
	const char *text = m->text ? m->text : "", *cause = m->cause ? m->cause : "";

	host->exit_status = (int)m->exit_status;
	host->state = "failed";
	for (size_t i = 0; i < ARRAY_LEN(doctor_states); i++) {
		if (strcmp(doctor_states[i].cause, cause) != 0 ||
		    (doctor_states[i].text &&
		     strncmp(text, doctor_states[i].text, strlen(doctor_states[i].text)) != 0) ||
		    (doctor_states[i].key && (!key || strcmp(doctor_states[i].key, key) != 0)))
			continue;
		host->state = doctor_states[i].state;
		host->step = doctor_states[i].step;
		break;
	}
	/* Commands run there, but what needs the agent does not. */
	if (!m->exit_status && !agent && note) {
		host->state = "no-agent";
		host->step = "agent";
		text = note;
	}
	if (*text)
		host->text = xstrdup(text);
	else if (durable && strcmp(durable, "no") == 0)
		host->text = xasprintf("no durable jobs: %s", note ? note : "not said why");
	free(key);
	free(agent);
	free(durable);
	free(note);
}

/* --- messages -------------------------------------------------------------------------------- */

static void doctor_by_control(void *arg, enum message_type type, struct buf *body)
{
	control_send(arg, type, body);
}

static void doctor_send(void *arg, struct control *control)
{
	struct doctor_job *job = arg;

	submit_send(job->submit, doctor_by_control, control);
	submit_run(doctor_by_control, control);
}

static struct doctor_host *doctor_child(struct doctor_job *job, uint64_t child, struct errmsg *msg)
{
	if (child >= job->first_child && child - job->first_child < job->count)
		return &job->doctor->hosts[job->index[child - job->first_child]];
	(void)err_set(msg, ERR_PROTO, "news of an unknown child");
	return NULL;
}

static int doctor_on_accepted(struct doctor_job *job, const void *body, size_t len,
			      struct errmsg *msg)
{
	struct job_accepted_msg m;
	int rc = job_accepted_get(&m, body, len, msg);

	if (rc)
		return rc;
	job->first_child = m.first_child;
	job_accepted_done(&m);
	return ASK_MORE;
}

static int doctor_on_child(struct doctor_job *job, const void *body, size_t len, struct errmsg *msg)
{
	struct child_state_msg m;
	struct doctor_host *host;
	int rc = child_state_get(&m, body, len, msg);

	if (rc)
		return rc;
	host = doctor_child(job, m.child, msg);
	if (host && m.finished && !host->state)
		doctor_judge(host, &m);
	child_state_done(&m);
	return host ? ASK_MORE : ERR_PROTO;
}

/* What hosts write themselves is another stream. */
static int doctor_on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct doctor_job *job = arg;
	struct doctor_host *host = doctor_child(job, child, job->msg);

	(void)seq;
	if (!host)
		return ERR_PROTO;
	if (record->stream == STREAM_INFORMATION && !record->is_typed && !host->found)
		host->found = xstrndup((const char *)record->value, record->len);
	return 0;
}

static int doctor_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			     struct errmsg *msg)
{
	struct doctor_job *job = arg;
	int rc;

	(void)status;
	switch (type) {
	case MSG_JOB_ACCEPTED:
		return doctor_on_accepted(job, body, len, msg);
	case MSG_CHILD_STATE:
		return doctor_on_child(job, body, len, msg);
	case MSG_RECORDS:
		job->msg = msg;
		rc = records_get(body, len, doctor_on_record, job, msg);
		return rc < 0 ? rc : ASK_MORE;
	case MSG_JOB_END:
		return ASK_DONE;
	default:
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	}
}

int doctor_check(struct doctor *doctor, const struct cmd *cmd, const struct cmd_globals *globals,
		 const struct submit *submit)
{
	struct doctor_job job = {.doctor = doctor, .submit = submit};
	int status;

	job.index = xcalloc(doctor->count, sizeof *job.index);
	for (size_t i = 0; i < doctor->count; i++)
		if (!submit->pick || submit->pick[i]) {
			doctor_clear(&doctor->hosts[i]);
			job.index[job.count++] = i;
		}
	status = ask(cmd, globals, CONTROL_START, doctor_send, doctor_on_message, &job);
	free(job.index);
	return status;
}

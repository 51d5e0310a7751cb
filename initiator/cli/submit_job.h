/* Submitting a job: the messages of docs/protocol.md, section 6, and jobs left to the daemon. */
#ifndef MUSTER_SUBMIT_JOB_H
#define MUSTER_SUBMIT_JOB_H

#include "cmd.h"
#include "control.h"
#include "control_msg.h"
#include "hostlist.h"
#include "input.h"
#include "message.h"

/* What is submitted; all is borrowed. */
struct submit {
	const struct job_open_msg *open;
	const struct hostlist *hosts; /* NULL: a local job, and one on sessions, has none */
	const bool *pick;	      /* of hosts: those that are true; NULL: all */
	const char *const *labels;    /* of a job on sessions: its hosts */
	size_t label_count;
	const char *password; /* for become; NULL: none */
	const char *login;    /* the password of the users there; NULL: none */
	const char *user;     /* logs in where hosts names nobody; NULL: as ssh_config says */
	int stdin_fd;	      /* if open says that input follows */
	const char *stdin_name;
};

/* Takes a message's body, which is empty afterwards. */
typedef void submit_fn(void *arg, enum message_type type, struct buf *body);

/* JOB_OPEN, JOB_SECRET, JOB_TARGETS for all hosts. Who calls (home, ssh-agent) is filled in. */
void submit_send(const struct submit *submit, submit_fn *send, void *arg);
/* JOB_RUN */
void submit_run(submit_fn *send, void *arg);

/* The hosts as they are shown, one for each child. The caller frees the list. */
const char **submit_labels(const struct submit *submit, size_t *ret_count);

/* For input_events: a piece becomes JOB_STDIN; control_is_full. arg: the struct control. */
void submit_piece(struct control *control, const void *data, size_t len, bool end);

/* Submits a background job and shows its row, or with --quiet its id. Returns the exit status. */
int submit_job(const struct cmd *cmd, const struct cmd_globals *globals,
	       const struct submit *submit);

/*
 * The command for people, as they would write it to a shell: words that a shell would not take as
 * they are stand in quotes. shell: argv is one script text, which is shown as it is. The caller
 * frees it.
 */
char *submit_display(const char *const *argv, size_t argc, bool shell);

#endif

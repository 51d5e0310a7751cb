/*
 * Ending, halting and going on with what a command has started: as over libssh (conn_kill.c), but a
 * second channel is a second client, which logs in anew.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "client_private.h"
#include "command.h"

#define CLIENT_GRACE_MS	     10000u
#define CLIENT_KILL_AGAIN_MS 100u
/* Beyond the grace and the login: the KILL rounds. */
#define CLIENT_KILL_EXTRA_MS 10000u
/* Of the login of the other client: the host was there a moment ago. */
#define CLIENT_KILL_LOGIN_MS 15000u

static void client_on_side_exit(evutil_socket_t fd, short what, void *arg)
{
	struct client_side *side = arg;
	int status;

	(void)fd;
	(void)what;
	event_free(side->exit);
	side->exit = NULL;
	status = client_proc_reap(&side->proc);
	client_side_end(side, side->conn->engine);
	side->done(side->conn, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* What the shells of the host say goes nowhere: it ends when nobody reads it, but what it says is
 * no more than a socket holds. */
static void client_side_begin(struct client_side *side, const char *command,
			      void (*done)(struct client_conn *, int))
{
	struct client_conn *c = side->conn;

	side->done = done;
	if (client_spawn_ssh(c, &side->proc, command, NULL) != 0) {
		side->done(c, -1);
		return;
	}
	side->exit = event_new(loop_base(ssh_engine_loop(c->engine)), side->proc.exit, EV_READ,
			       client_on_side_exit, side);
	if (!side->exit || event_add(side->exit, NULL) != 0)
		abort();
}

void client_side_end(struct client_side *side, struct ssh_engine *engine)
{
	if (side->exit)
		event_free(side->exit);
	side->exit = NULL;
	client_proc_done(&side->proc, engine);
}

/* --- ending ---------------------------------------------------------------------------------- */

static uint64_t client_grace_ms(const struct client_conn *c)
{
	return c->spec.stop_grace_ms ? c->spec.stop_grace_ms : CLIENT_GRACE_MS;
}

/* As conn_kill_judge: nobody was found, and yet the command's client is there; or all are gone, and
 * it is about to end. */
static void client_on_kill_done(struct client_conn *c, int status)
{
	struct timeval tv = loop_ms(c->kill_again_ms);

	if (status == 0 && !c->ended) {
		c->kill_again_ms *= 2;
		c->kill_waits = true;
		(void)event_add(c->kick, &tv);
		return;
	}
	if (status == 1 || status == 2)
		(void)snprintf(c->result.text, sizeof c->result.text,
			       status == 1 ? "some of its processes survived KILL"
					   : "its processes could not be looked for");
	else if (status != 0)
		(void)snprintf(c->result.text, sizeof c->result.text,
			       "it could not be made sure that its processes are gone");
	/* It has not been ended, and would not end: the client at least. */
	if (!c->ended)
		client_proc_signal(&c->proc);
	(void)event_add(c->kick, &(struct timeval){0});
}

void client_kill_again(struct client_conn *c)
{
	struct buf text = {0};

	command_kill(&text, c->spec.run_id, (unsigned)((client_grace_ms(c) + 999) / 1000));
	client_side_begin(&c->kill, buf_cstr(&text), client_on_kill_done);
	buf_done(&text);
}

void client_kill_begin(struct client_conn *c)
{
	c->kill_again_ms = CLIENT_KILL_AGAIN_MS;
	client_set_deadline(c, CLIENT_KILL_LOGIN_MS + client_grace_ms(c) + CLIENT_KILL_EXTRA_MS);
	client_io_watch(c);
	client_side_end(&c->signal, c->engine);
	client_kill_again(c);
}

/* --- suspending ------------------------------------------------------------------------------ */

static void client_on_signal_done(struct client_conn *c, int status)
{
	if (status == 0)
		c->suspended = c->signalling;
	else if (c->suspend == c->signalling)
		c->suspend = c->suspended; /* the target did not do it */
	(void)event_add(c->kick, &(struct timeval){0});
}

/* Only the newest request is answered, when nothing is on its way any more. */
void client_signal_advance(struct client_conn *c)
{
	struct buf text = {0};

	if (!c->suspend_asked || c->stopping || c->ended || c->signal.proc.pid)
		return;
	if (c->suspend == c->suspended) {
		c->suspend_asked = false;
		c->events->suspended(c->arg, c->suspended);
		return;
	}
	command_signal(&text, c->spec.run_id, c->suspend ? "STOP" : "CONT");
	c->signalling = c->suspend;
	client_side_begin(&c->signal, buf_cstr(&text), client_on_signal_done);
	buf_done(&text);
}

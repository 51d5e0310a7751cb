/* The inside of bastions, for the files bastion*.c: bastion.c is on the main loop, bastion_io.c and
 * bastion_channel.c are on the I/O thread of the session. */
#ifndef MUSTER_BASTION_PRIVATE_H
#define MUSTER_BASTION_PRIVATE_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <stdatomic.h>

#include "bastion.h"
#include "buf.h"

struct event;

struct bastion_tie {
	atomic_uint holds;
	atomic_bool is_over;
	struct conn_result result; /* once that is true, constant */
};

/* A connection that wants to go through a bastion, until there is a channel for it. */
struct bastion_ask {
	struct bastions *bastions;
	struct bastion_io *io;
	struct bastion_tie *tie;
	int fd;
	const struct plan_target *target;
	struct plan *plan;	    /* of that, and held */
	struct secret_login *login; /* held; NULL: none */
	uint64_t connect_timeout_ms;
};

struct loop *bastions_loop(const struct bastions *bastions);
void bastions_on_ask(void *ask);
void bastion_tie_break(struct bastion_tie *tie, const struct conn_result *result);
void bastion_ask_free(struct bastion_ask *ask);
void bastion_ask_fail(struct bastion_ask *ask, const struct conn_result *result);
void bastion_name_result(const struct plan_target *bastion, struct conn_result *result);

/* bastion_key.c: what two bastions have in common that can share a session: where they are, how
 * they are reached, and who logs in with what. To be freed. */
char *bastion_key(const struct plan_target *bastion);

/* --- between the threads -----------------------------------------------------------------------
 */

struct bastion;

/* What the I/O thread tells. */
enum bastion_note_kind {
	BASTION_NOTE_READY, /* key: the host key */
	BASTION_NOTE_DONE,  /* number: so many connections are over */
	BASTION_NOTE_END,   /* result: there is no session any more */
	BASTION_NOTE_GONE,  /* the last one, after BASTION_ORDER_CLOSE */
	BASTION_NOTE_COUNT
};

struct bastion_note {
	struct bastion *bastion;
	enum bastion_note_kind kind;
	size_t number;
	struct conn_result result;
	struct buf key;
};
void bastion_on_note(void *note); /* bastion.c */

/* Calls for the I/O thread; each takes a struct bastion_io but the second, which takes an ask. */
void bastion_io_on_start(void *io);
void bastion_io_on_ask(void *ask);
void bastion_io_on_close(void *io);

/* --- of the I/O thread --------------------------------------------------------------------------
 */

enum bastion_channel_state {
	BASTION_WAITS,	 /* for the login, or for its turn to be opened */
	BASTION_OPENING, /* the bastion connects */
	BASTION_ORPHAN,	 /* the same, and nobody wants it any more */
	BASTION_CARRIES, /* bytes, both ways */
	BASTION_STATES
};

/* Channels in a row, and the place that one of them has there, if it has. */
struct bastion_place {
	struct bastion_channel *ch;
	struct bastion_place *next, **of; /* of: NULL: none */
};
struct bastion_queue {
	struct bastion_place *first, **last;
};

/* One connection through it. */
struct bastion_channel {
	struct bastion_io *io;
	struct bastion_ask *ask; /* has tie and descriptor; NULL: nobody wants it any more */
	enum bastion_channel_state state;
	struct bastion_channel *next, **prev; /* in one of the lists of io, by its state */
	struct bastion_place ready;	      /* something has happened to it */
	struct bastion_place hungry;	      /* it has bytes that the session may not take */
	struct bastion_place starved;	      /* it has bytes that the host has no room for */
	ssh_channel ssh;
	struct ssh_channel_callbacks_struct callbacks;
	unsigned number; /* of libssh; 0: not known */
	struct event *readable, *writable;
	struct event *closed; /* seen while nothing is read */
	struct buf out;	      /* from the host, what the socket has not taken: a piece at most */
	struct buf in;	      /* from the socket, what the session has not taken: the same */
	bool blocked;	      /* the socket takes no more */
	size_t kept;	      /* bytes of the host's that libssh has: while it is blocked */
	bool remote_eof;      /* the host says nothing more */
	bool remote_closed;   /* nor listens */
	bool gone;	      /* who asked has closed the socket */
	uint64_t in_window;   /* bytes since the window was last opened wide */
};

struct bastion_list {
	struct bastion_channel *first, **last;
	size_t count;
};

/* One session. Of its thread from the first call to BASTION_NOTE_GONE, but for what is constant. */
struct bastion_io {
	struct bastion *bastion; /* constant; for the main loop */
	struct shard *shard;
	struct conn_spec spec; /* its target is the bastion, whose plan is held */
	size_t opening_max;
	size_t kept_max;

	struct conn *conn; /* logs in; NULL: not now */
	struct conn_transport transport;
	ssh_session session; /* NULL: not logged in */
	ssh_event poll;
	struct event *event; /* of its descriptor */
	int event_fd;
	short event_mask;
	struct event *again; /* goes on from the loop */
	struct event *look;  /* at what is being opened, now and then */
	struct bastion_list lists[BASTION_STATES];
	struct bastion_queue ready, hungry, starved;
	size_t kept;	    /* by all of them */
	bool full;	    /* that is too much: libssh is not called, as it would read more */
	uint64_t unflushed; /* bytes that were given to libssh since it was known to be empty */
	size_t done;	    /* connections that are over, and not told */
	bool over;	    /* by this result */
	struct conn_result result;
};

/* bastion_io.c: looks at the session's descriptor again, and at who is ready, soon. */
void bastion_io_kick(struct bastion_io *io);
/* So much of a channel's is with libssh now. */
void bastion_io_keep(struct bastion_channel *ch, size_t kept);
/* Whether libssh may be given more to send. */
bool bastion_io_has_room(struct bastion_io *io);
void bastion_io_move(struct bastion_channel *ch, enum bastion_channel_state state);

/* bastion_queue.c: to the end, unless it is there; and out of it, if it is. */
void bastion_queue_init(struct bastion_queue *queue);
void bastion_queue_add(struct bastion_queue *queue, struct bastion_place *place);
void bastion_queue_take(struct bastion_queue *queue, struct bastion_place *place);

/* bastion_channel.c. */
/* Asks libssh for what has become of one that is being opened, as it wants to be asked. */
int bastion_channel_ask(struct bastion_channel *ch);
struct bastion_channel *bastion_channel_new(struct bastion_io *io, struct bastion_ask *ask);
/* Begins to open it: BASTION_WAITS to BASTION_OPENING. */
void bastion_channel_open(struct bastion_channel *ch);
/* What has become of it: while it is opened, or when it is ready. May free it. */
void bastion_channel_look(struct bastion_channel *ch);
/* It has bytes for the session, which may take them now. */
void bastion_channel_feed(struct bastion_channel *ch);
/* Whether the host has room again for what one of the starved has. */
void bastion_channel_taste(struct bastion_channel *ch);
/* The bastion refuses it: reason and text as in RFC 4254, section 5.1. Frees it. */
void bastion_channel_refuse(struct bastion_channel *ch, unsigned reason, const char *text);
/* Ends it, with a reason for who asked or without (NULL). Not from inside of libssh. */
void bastion_channel_free(struct bastion_channel *ch, const struct conn_result *result);

/* bastion_watch.c: hears what libssh says of channels that are refused, which it tells nobody else
 * one by one. Between the two nothing else of libssh may be called on this thread. */
struct bastion_refusal {
	unsigned channel;
	unsigned reason;
	char text[LIMIT_OUTCOME_TEXT];
};
struct bastion_heard {
	unsigned created; /* the number of the channel that was made; 0: none */
	struct bastion_refusal *refused;
	size_t count, size;
};
/* bastion_io.c: to whom that has happened. */
void bastion_io_heard(struct bastion_io *io, const struct bastion_heard *heard);
void bastion_listen(struct bastion_heard *heard);
void bastion_unlisten(void);
void bastion_heard_done(struct bastion_heard *heard);

#endif

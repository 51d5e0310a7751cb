/*
 * The event loop of one thread: libevent's, with two additions. loop_defer() runs something on a
 * fresh stack, so that nothing is freed inside its own callback; loop_post() lets another thread
 * hand something over. Objects belong to the thread whose loop they were made with.
 */
#ifndef MUSTER_LOOP_H
#define MUSTER_LOOP_H

#include <event2/event.h>
#include <stdint.h>

struct loop;

typedef void loop_fn(void *arg);

/* A new loop; ends the program when the kernel has no resources. Freed by loop_free. */
struct loop *loop_new(void);

/* The same, but NULL when there are none. */
struct loop *loop_try(void);

/* Runs what is still deferred or posted, and what that defers or posts, then frees the loop. Other
 * threads must have ceased to post. Events that others made with loop_base must be gone before or
 * go in these calls. NULL is fine. */
void loop_free(struct loop *loop);

/* For event_new(3) and its kin. Borrowed. */
struct event_base *loop_base(struct loop *loop);

/* Runs until loop_stop. Belongs to the calling thread from now on. */
void loop_run(struct loop *loop);

/* Leaves loop_run after the current round of events; before loop_run, after its first round. Only
 * from the loop's own thread: others post. */
void loop_stop(struct loop *loop);

/* Calls fn(arg) soon, from loop_run, in order; what fn defers runs in the next round, after a look
 * at input and timers. Only from the loop's own thread. */
void loop_defer(struct loop *loop, loop_fn *fn, void *arg);

/* The same from any thread. What arg points to now belongs to fn. */
void loop_post(struct loop *loop, loop_fn *fn, void *arg);

/* Runs now what is deferred or posted, and what that adds: when the loop has ended, and something
 * that others may have posted to is about to be freed. */
void loop_flush(struct loop *loop);

/* Aborts if the caller is not the loop's thread (once loop_run was entered). */
void loop_assert_thread(const struct loop *loop);

/* Milliseconds as libevent wants them. */
struct timeval loop_ms(uint64_t ms);

#endif

/*
 * A stand-in for ssh-agent on one end of a socket pair: libssh talks to it with blocking calls on
 * a helper thread, and the loop passes signing requests on to the real agent. It offers only the
 * identities of the plan, from memory. Closing it makes the thread's call fail at once, so an
 * agent that never answers holds nobody.
 */
#ifndef MUSTER_AGENT_PROXY_H
#define MUSTER_AGENT_PROXY_H

#include "loop.h"
#include "plan.h"

struct agent_proxy;

/*
 * Returns the proxy, and in *ret_fd libssh's end (blocking, close-on-exec), which the caller owns.
 * NULL with errno set if there are no descriptors left.
 */
struct agent_proxy *agent_proxy_new(struct loop *loop, const struct plan_login *login, int *ret_fd);
void agent_proxy_free(struct agent_proxy *proxy); /* NULL is fine */

#endif

/* The agent: a filter that talks with an initiator (docs/protocol.md, section 12) and runs what it
 * asks for. */
#ifndef MUSTER_AGENT_H
#define MUSTER_AGENT_H

/*
 * Runs until in_fd is at its end or the initiator breaks the protocol; both descriptors are made
 * non-blocking. What still runs then is ended. Returns the exit status: 0, or 1 after a fault.
 */
int agent_run(int in_fd, int out_fd);

#endif

/*
 * A stream of bytes between two processes, in both directions: a connection, or a socket on a host.
 * What is written comes later, in order, in pieces; a connection can be cut in the middle of a byte
 * stream, known on one side before the other, or fall silent.
 *
 * Sides are 0 and 1. It is freed when both have closed it.
 */
#ifndef MUSTER_SIM_DUPLEX_H
#define MUSTER_SIM_DUPLEX_H

#include "world.h"

struct duplex;

struct duplex_port {
	void (*data)(void *arg, const uint8_t *data, size_t len);
	void (*eof)(void *arg);	 /* once; the other side has closed, or the connection is cut */
	void (*room)(void *arg); /* something that this side has written was taken; NULL: so what */
	void *arg;
};

/* Each way takes up to that long; pieces: what is written may come in several. */
struct duplex *duplex_new(struct world *w, uint64_t latency_us, bool pieces);
void duplex_listen(struct duplex *d, unsigned side, const struct duplex_port *port);
void duplex_write(struct duplex *d, unsigned side, const void *data, size_t len);
/* This side is gone: what it wrote still comes, then the other is told. */
void duplex_close(struct duplex *d, unsigned side);
/* As where the process had not read all: what it wrote may be lost, too. */
void duplex_reset(struct duplex *d, unsigned side);

/* What side has written, and was not taken so far. */
size_t duplex_pending(const struct duplex *d, unsigned side);
/* What side has written comes now. */
void duplex_drain(struct duplex *d, unsigned side);

/* Cut anywhere in what is under way; each side is told after that long. */
void duplex_cut(struct duplex *d, const uint64_t told_us[2]);
/* Nothing comes any more, and nobody is told; but side 1 after that long. */
void duplex_silence(struct duplex *d, uint64_t told_us);

#endif

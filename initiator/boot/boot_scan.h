/*
 * Finding a marker in a stream in which anything may stand before it, fed in pieces of any size.
 * Keeps no more than one line, however much noise there is.
 */
#ifndef MUSTER_BOOT_SCAN_H
#define MUSTER_BOOT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define BOOT_SCAN_MARKER 24u   /* bytes in a marker, at most */
#define BOOT_SCAN_LINE	 4608u /* behind it: a path and some words. What is longer is noise */

struct boot_scan {
	uint8_t marker[BOOT_SCAN_MARKER];
	uint8_t back[BOOT_SCAN_MARKER + 1]; /* how much of it still matches after a mismatch */
	size_t marker_len;
	size_t matched;
	const char *prompt; /* ends a line as a newline does, when it is all of it; or NULL */
	bool whole;	    /* nothing follows the marker */
	bool in_line;
	struct buf line;
};

typedef void (*boot_scan_noise)(void *arg, const void *data, size_t len);

/* marker: 1 to BOOT_SCAN_MARKER bytes, copied. */
void boot_scan_init(struct boot_scan *scan, const void *marker, size_t len);
void boot_scan_done(struct boot_scan *scan);

/*
 * Takes bytes until the first marker and its line are complete, or all of them; returns how many.
 * *ret_line is the rest of that line behind the marker without its newline, valid until the next
 * call, or NULL if there is none yet. What belongs to no marker goes to noise, in order.
 */
size_t boot_scan_feed(struct boot_scan *scan, const uint8_t *data, size_t len,
		      const char **ret_line, boot_scan_noise noise, void *arg);

#endif

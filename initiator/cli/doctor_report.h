/* What a check has found, for people and for programs. */
#ifndef MUSTER_DOCTOR_REPORT_H
#define MUSTER_DOCTOR_REPORT_H

#include "doctor_check.h"
#include "format.h"

/*
 * Appends a line for each set of hosts that are in the same state for the same reason, the largest
 * first: "61 new keys: web[01-61]"; of changed keys a line for each, with its place in known_hosts,
 * its fingerprint and the cure. Harmless on a terminal.
 */
void doctor_report_sets(struct buf *out, const struct doctor *doctor);

/* Appends a line for each new key: host, type, fingerprint; at most max, and how many more. */
void doctor_report_keys(struct buf *out, const struct doctor *doctor, size_t max);

/* Appends a record for each host, in their order: State, Step, Text, KeyType, Fingerprint, Agent,
 * Durable, AgentVersion, Note, Milliseconds. */
void doctor_report_rows(struct buf *out, const struct doctor *doctor, const struct format *format,
			const struct render_style *style);

#endif

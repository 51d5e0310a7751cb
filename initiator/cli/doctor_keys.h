/* New keys of hosts, as a check has found them, written to known_hosts as one set. */
#ifndef MUSTER_DOCTOR_KEYS_H
#define MUSTER_DOCTOR_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "doctor_check.h"

/*
 * Writes the keys of the hosts with state new-key, those of one file in one locked step, exactly
 * as they were shown. Sets ret_written of each host whose key stands there now (an array of
 * doctor->count), and says on stderr what was written and what could not be. Returns EXIT_OK, or
 * EXIT_INTERNAL if a file could not be written.
 */
int doctor_keys_write(const struct doctor *doctor, bool *ret_written, bool quiet);

#endif

/*
 * A disk in memory behind struct disk (src/disk.h), with one directory, that can fill, fail, lose
 * and damage what is on it. All chance comes from its seed.
 *
 * Several users (processes) share it, each with a struct disk and open files of its own. Two things
 * can happen to them:
 *
 *   a user is killed   what it has written stays, and no more than that
 *   the power is cut   of each file what was synced stays, and of the rest something: a part from
 *                      its begin, with blocks that never came to the disk read as zeros; of the
 *                      names what was synced, and of the changes since then the first few
 */
#ifndef MUSTER_TESTS_SIMDISK_H
#define MUSTER_TESTS_SIMDISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"

struct simdisk;
struct simdisk_user;

struct simdisk *simdisk_new(uint64_t seed);
void simdisk_free(struct simdisk *disk); /* with its users; NULL is fine */

/* A number below below, from the seed. */
uint64_t simdisk_roll(struct simdisk *disk, uint64_t below);

/* So many bytes fit on it in all. Unlimited at first; what is there stays if it is more. */
void simdisk_limit(struct simdisk *disk, uint64_t bytes);
uint64_t simdisk_used(const struct simdisk *disk);

/* All users are killed, too: see simdisk_user_kill. */
void simdisk_cut_power(struct simdisk *disk);

/* Turns one bit, anywhere in the files whose names begin with prefix; or a certain one. False:
 * there is none. */
bool simdisk_flip(struct simdisk *disk, const char *prefix);
bool simdisk_flip_at(struct simdisk *disk, const char *name, uint64_t byte, unsigned bit);

/* Files as they are now; -1: there is no such file. put makes it, or replaces what it holds. */
int64_t simdisk_size(const struct simdisk *disk, const char *name);
const uint8_t *simdisk_bytes(const struct simdisk *disk, const char *name);
void simdisk_put(struct simdisk *disk, const char *name, const void *data, size_t len);
size_t simdisk_count(const struct simdisk *disk); /* of names */

/* Freed by simdisk_free. */
struct simdisk_user *simdisk_user_new(struct simdisk *disk);
const struct disk *simdisk_user_disk(const struct simdisk_user *user);

/* How many calls it has made; files that it has open. */
uint64_t simdisk_user_calls(const struct simdisk_user *user);
size_t simdisk_user_open_files(const struct simdisk_user *user);

/* After so many calls (0: the next) so many fail with this errno and do nothing, but for appends,
 * which may have done a part. */
void simdisk_user_fail(struct simdisk_user *user, uint64_t calls, uint64_t times, int error);

/* After so many calls the user is dead: the call that it is in does a part of its work or none, and
 * no later one does anything (they fail with EIO). For code that cannot be stopped in the middle:
 * it is then thrown away, and simdisk_user_kill makes the user usable for what comes after. */
void simdisk_user_die(struct simdisk_user *user, uint64_t calls);
bool simdisk_user_is_dead(const struct simdisk_user *user);

/* Its files are closed, without a word to it. The objects that had them are freed before: to close
 * what is not open aborts. */
void simdisk_user_kill(struct simdisk_user *user);

#endif

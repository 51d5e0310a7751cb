/* The inside of struct simdisk, for simdisk.c (what a disk does) and simdisk_fault.c (what becomes
 * of it). */
#ifndef MUSTER_TESTS_SIMDISK_PRIVATE_H
#define MUSTER_TESTS_SIMDISK_PRIVATE_H

#include "buf.h"
#include "simdisk.h"

#define SIMDISK_NAME_MAX 64u
#define SIMDISK_CHANGES \
	64u /* of names that are not synced; the oldest come to the disk by themselves */
#define SIMDISK_FILES 32u /* that a user has open at once */

struct simdisk_file {
	struct buf data;
	size_t synced; /* bytes from the begin that a power cut leaves */
	size_t uses;   /* by names, changes and users */
};

struct simdisk_name {
	char name[SIMDISK_NAME_MAX];
	struct simdisk_file *file;
};

struct simdisk_names {
	struct simdisk_name *list;
	size_t count;
	size_t room;
};

/* file NULL: the name goes. Otherwise it is that file from now on. */
struct simdisk_change {
	struct simdisk_name name;
	bool with_next; /* the same call, so both happen or none */
};

struct simdisk {
	uint64_t seed;
	uint64_t limit;
	struct simdisk_names now;
	struct simdisk_names synced;
	struct simdisk_change changes[SIMDISK_CHANGES];
	size_t change_count;
	struct simdisk_user **users;
	size_t user_count;
};

struct simdisk_user {
	struct disk disk;
	struct simdisk *on;
	struct {
		struct simdisk_file *file; /* NULL: not open */
		bool writes;
	} open[SIMDISK_FILES];
	uint64_t calls;
	uint64_t fail_at; /* number of the call */
	uint64_t fail_times;
	int fail_error;
	uint64_t die_at;
	bool dead;
};

/* The name's file; NULL: there is none. */
struct simdisk_file **simdisk_find(const struct simdisk_names *names, const char *name);
/* Sets or (file NULL) removes a name. */
void simdisk_set(struct simdisk_names *names, const char *name, struct simdisk_file *file);
void simdisk_sync_changes(struct simdisk *disk, size_t n); /* the first n of them */
void simdisk_forget_changes(struct simdisk *disk);

struct simdisk_file *simdisk_file_new(void);
void simdisk_file_drop(struct simdisk_file *file); /* one use less */

#endif

/* The real file system behind struct disk: one directory, held by its descriptor. Files are
 * opened with O_NOFOLLOW and made with mode 0600. */
#ifndef MUSTER_DISK_POSIX_H
#define MUSTER_DISK_POSIX_H

#include "disk.h"

/* Takes dir_fd over. Freed by disk_posix_free. */
struct disk *disk_posix_new(int dir_fd);
void disk_posix_free(struct disk *disk); /* NULL is fine */

#endif

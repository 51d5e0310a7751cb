/* The words of the bootstrap text that the host side (boot.c) waits for, behind the nonce. */
#ifndef MUSTER_BOOT_TEXT_H
#define MUSTER_BOOT_TEXT_H

#define BOOT_WORD_BECOME  "BECOME"  /* sudo, su or doas comes next: on both streams */
#define BOOT_WORD_ASK	  "ASK:"    /* the prompt of sudo, without a newline */
#define BOOT_WORD_THROUGH "THROUGH" /* we are the other user: on both streams */

#define BOOT_USER_MAX 255u

#endif

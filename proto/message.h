/* The messages by number, and who may send them. */
#ifndef MUSTER_MESSAGE_H
#define MUSTER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum message_type {
#define MSG_ROW(name, number, sender, section) MSG_##name = number,
#include "messages.def"
#undef MSG_ROW
};

enum message_sender { MSG_FROM_C = 1, MSG_FROM_D = 2, MSG_FROM_B = 3 };

/* The name ("JOB_OPEN") of a message number, or NULL if it is none. Static. */
const char *message_name(uint8_t type);

/* True if the number is known and this side (MSG_FROM_C or MSG_FROM_D) may send it. */
bool message_may_send(uint8_t type, enum message_sender side);

#endif

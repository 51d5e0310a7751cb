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

enum message_sender {
	MSG_FROM_C = 1,	 /* client of the control socket */
	MSG_FROM_D = 2,	 /* daemon, on the control socket */
	MSG_FROM_I = 4,	 /* initiator, towards an agent */
	MSG_FROM_A = 8,	 /* agent */
	MSG_FROM_T = 7,	 /* all but the agent */
	MSG_FROM_E = 12, /* both ends of a connection to an agent */
	MSG_FROM_B = 15, /* all */
	MSG_FROM_S = 16	 /* nobody: it stands in files of the store */
};

/* The name ("JOB_OPEN") of a message number, or NULL if it is none. Static. */
const char *message_name(uint8_t type);

/* True if the number is known and this side (one of the first four) may send it. */
bool message_may_send(uint8_t type, enum message_sender side);

#endif

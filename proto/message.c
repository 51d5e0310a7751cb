#include "message.h"

#include <stddef.h>

static const struct {
	uint8_t type;
	uint8_t senders;
	const char *name;
} message_rows[] = {
#define MSG_ROW(name, number, sender, section) {number, MSG_FROM_##sender, #name},
#include "messages.def"
#undef MSG_ROW
};

static int message_find(uint8_t type)
{
	for (size_t i = 0; i < sizeof message_rows / sizeof message_rows[0]; i++)
		if (message_rows[i].type == type)
			return (int)i;
	return -1;
}

const char *message_name(uint8_t type)
{
	int i = message_find(type);

	return i < 0 ? NULL : message_rows[i].name;
}

bool message_may_send(uint8_t type, enum message_sender side)
{
	int i = message_find(type);

	return i >= 0 && (message_rows[i].senders & side);
}

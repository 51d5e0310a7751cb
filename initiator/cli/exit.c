#include "exit.h"

#include <stddef.h>

int exit_worse(int a, int b)
{
	static const int order[] = {EXIT_OK,	      EXIT_REMOTE, EXIT_STOPPED,
				    EXIT_UNREACHABLE, EXIT_USAGE,  EXIT_INTERNAL};
	int worse = EXIT_OK;

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (order[i] == a || order[i] == b)
			worse = order[i];
	return worse;
}

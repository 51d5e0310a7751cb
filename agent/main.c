/* muster-agent: run by the initiator on a target; not meant for people. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

/* A descriptor below 3 that is not open would be taken by a pipe. */
static int main_open_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return dprintf(STDOUT_FILENO, "muster-agent %s\n", MUSTER_VERSION) < 0;
	if (argc > 1) {
		(void)dprintf(STDERR_FILENO,
			      "muster-agent: unknown argument '%s'; it takes only --version, and "
			      "otherwise speaks the protocol of muster on stdin and stdout\n",
			      argv[1]);
		return 2;
	}
	if (main_open_streams() < 0)
		return 1;
	return agent_run(STDIN_FILENO, STDOUT_FILENO);
}

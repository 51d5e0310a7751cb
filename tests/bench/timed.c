/*
 * timed REPORT COMMAND [ARGUMENT...]: runs the command, waits for it, and writes to the file REPORT
 * one line: seconds of wall time, seconds of CPU time, the largest resident memory in KB, and the
 * exit status as a shell has it. CPU time and memory are those of the command and of all that it
 * waited for. For tests/bench/run: a child of a large process seems to be as large as that one, as
 * the kernel counts the memory before exec(2), too. This one is small.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_USAGE = 2, STATUS_TROUBLE = 125, STATUS_NO_COMMAND = 127, STATUS_SIGNAL = 128 };

static double seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int trouble(const char *what)
{
	(void)fprintf(stderr, "timed: %s: %s\n", what, strerror(errno));
	return STATUS_TROUBLE;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fprintf(stderr, "usage: timed REPORT COMMAND [ARGUMENT...]\n");
		return STATUS_USAGE;
	}
	double begin = seconds_now();
	pid_t child = fork();
	if (child < 0)
		return trouble("fork");
	if (child == 0) {
		(void)execvp(argv[2], argv + 2);
		(void)trouble(argv[2]);
		_exit(STATUS_NO_COMMAND);
	}
	struct rusage usage;
	int ended = 0;
	while (wait4(child, &ended, 0, &usage) < 0) {
		if (errno != EINTR)
			return trouble("wait4");
	}
	double wall = seconds_now() - begin;
	int status = WIFSIGNALED(ended) ? STATUS_SIGNAL + WTERMSIG(ended) : WEXITSTATUS(ended);
	FILE *report = fopen(argv[1], "w");
	if (!report)
		return trouble(argv[1]);
	(void)fprintf(report, "%.6f %.6f %ld %d\n", wall,
		      seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), usage.ru_maxrss,
		      status);
	return fclose(report) ? trouble(argv[1]) : status;
}

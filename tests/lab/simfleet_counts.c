#include "simfleet_counts.h"

#include <stdio.h>
#include <sys/resource.h>

static double sim_seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

void sim_counts_print(const struct sim_counts *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"connections", c->connections},
		{"strangers", c->strangers},
		{"shut", c->shut},
		{"exchanges", c->exchanges},
		{"logins", c->logins},
		{"denied", c->denied},
		{"channels", c->channels},
		{"agents", c->agents},
		{"commands", c->commands},
		{"ended", c->ended},
		{"now", c->now},
		{"peak", c->peak},
		{"starting", c->starting},
		{"peak_starting", c->peak_starting},
	};
	struct rusage usage = {0};

	(void)getrusage(RUSAGE_SELF, &usage);
	putchar('{');
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		printf("\"%s\": %llu, ", rows[i].name, (unsigned long long)rows[i].value);
	printf("\"max_rss_kb\": %ld, \"cpu_user_s\": %.3f, \"cpu_system_s\": %.3f}\n",
	       usage.ru_maxrss, sim_seconds(usage.ru_utime), sim_seconds(usage.ru_stime));
	(void)fflush(stdout);
}

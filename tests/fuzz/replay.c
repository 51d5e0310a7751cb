/* Runs a fuzz target once on each file that is named: for compilers without libFuzzer. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REPLAY_MAX (16u << 20) /* bytes of a file that are looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t size;

	if (!file) {
		perror(path);
		return -1;
	}
	data = malloc(REPLAY_MAX);
	if (!data)
		abort();
	size = fread(data, 1, REPLAY_MAX, file);
	(void)fclose(file);
	/* Exactly as long as the input, so that a sanitizer sees a byte read too many. */
	exact = realloc(data, size ? size : 1);
	(void)LLVMFuzzerTestOneInput(exact ? exact : data, size);
	free(exact ? exact : data);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		if (replay_file(argv[i]) < 0)
			failed = 1;
	return failed;
}

// NEEDS: cli
/*
 * Fuzzing of muster.conf. What was refused has a message with its line, and has changed nothing;
 * what was taken can be shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "alloc.h"
#include "config.h"

/* As muster config does. */
static void show(const struct config *config)
{
	struct buf out = {0};

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;
		const char *text = config_written(config, key);

		must((text != NULL) == config->keys[key].given);
		(void)config_get(config, key, 0);
		config_origin(&out, config, &config->keys[key].at);
	}
	for (size_t i = 0; i < config->extra_count; i++) {
		must(*config_at(config, config->extras[i].name) != '\0');
		config_origin(&out, config, &config->extras[i].at);
	}
	must(config->used <= CONFIG_ARENA);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config *config = xcalloc(1, sizeof *config), *before = xcalloc(1, sizeof *before);
	struct errmsg msg = {""};

	(void)config_parse(config, "timeout = 5m\n", 13, "first", &msg);
	memcpy(before, config, sizeof *before);
	if (config_parse(config, (const char *)data, n, "input", &msg) != 0) {
		must(strncmp(msg.text, "input:", 6) == 0);
		must(memcmp(before, config, sizeof *before) == 0);
	}
	show(config);
	free(config);
	free(before);
	return 0;
}

// NEEDS: ssh
/* libFuzzer: an ssh_config, and then what holds for two hosts. Include reads nothing. */
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "config_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = {"h", "web1.example.org"};
	struct ssh_config *c = config_new("/home/u");
	struct config_source source = {.name = "fuzz", .user = true};
	struct ssh_options options;
	struct errmsg msg;

	c->files_left = 0;
	if (config_parse_buffer(c, &source, (const char *)data, size, &msg) == 0) {
		config_index(c);
		for (size_t i = 0; i < 2; i++) {
			if (ssh_config_lookup(c, hosts[i], NULL, 0, "me", &options, &msg) == 0)
				ssh_options_done(&options);
		}
		(void)ssh_config_ignored(c);
	}
	ssh_config_free(c);
	return 0;
}

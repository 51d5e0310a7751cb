#include "simfleet_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "simfleet_keys.h"

static const char sim_usage[] =
	"usage: simfleet [-d DIR] [-p PORT] [-k HOST_KEY_DIR] [-a AUTHORIZED_KEY.pub]\n"
	"                [--known-hosts FILE] [--hash] [--ssh-config FILE] [--hosts FILE]\n"
	"                [--by-address] [--host-keys N] [--agent PROGRAM] [--with-parent] "
	"SCENARIO\n";

enum {
	OPT_KNOWN_HOSTS = 256,
	OPT_HASH,
	OPT_SSH_CONFIG,
	OPT_HOSTS,
	OPT_BY_ADDRESS,
	OPT_HOST_KEYS,
	OPT_AGENT,
	OPT_WITH_PARENT
};

static const struct option sim_long_options[] = {
	{"known-hosts", required_argument, NULL, OPT_KNOWN_HOSTS},
	{"hash", no_argument, NULL, OPT_HASH},
	{"ssh-config", required_argument, NULL, OPT_SSH_CONFIG},
	{"hosts", required_argument, NULL, OPT_HOSTS},
	{"by-address", no_argument, NULL, OPT_BY_ADDRESS},
	{"host-keys", required_argument, NULL, OPT_HOST_KEYS},
	{"agent", required_argument, NULL, OPT_AGENT},
	{"with-parent", no_argument, NULL, OPT_WITH_PARENT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static _Noreturn void sim_wrong(const char *input, const char *problem)
{
	fprintf(stderr, "simfleet: \"%s\": %s\n%s", input, problem, sim_usage);
	exit(2);
}

static unsigned long sim_number(const char *text, unsigned long max, const char *problem)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > max)
		sim_wrong(text, problem);
	return n;
}

static void sim_set(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
}

/* ssh_config wants whole paths. */
static void sim_set_path(char **to, const char *folder, const char *name)
{
	char *here = folder[0] == '/' ? NULL : getcwd(NULL, 0);

	free(*to);
	*to = xasprintf("%s%s%s%s%s", here ? here : "", here ? "/" : "", folder, *name ? "/" : "",
			name);
	free(here);
}

static void sim_set_folder(struct sim_options *o, const char *folder)
{
	sim_set_path(&o->keys, folder, "");
	sim_set_path(&o->authorized, folder, "id_ed25519.pub");
	sim_set_path(&o->known_hosts, folder, "known_hosts");
	sim_set_path(&o->ssh_config, folder, "ssh_config");
	sim_set_path(&o->hosts, folder, "hosts");
	o->make_authorized = true;
}

static void sim_take(struct sim_options *o, int option)
{
	switch (option) {
	case 'd':
		sim_set_folder(o, optarg);
		break;
	case 'p':
		o->port = (uint16_t)sim_number(optarg, 65535, "a port is a number up to 65535");
		break;
	case 'k':
		sim_set(&o->keys, optarg);
		break;
	case 'a':
		sim_set_path(&o->authorized, optarg, "");
		o->make_authorized = false;
		break;
	case OPT_KNOWN_HOSTS:
		sim_set_path(&o->known_hosts, optarg, "");
		break;
	case OPT_HASH:
		o->hashed = true;
		break;
	case OPT_SSH_CONFIG:
		sim_set(&o->ssh_config, optarg);
		break;
	case OPT_HOSTS:
		sim_set(&o->hosts, optarg);
		break;
	case OPT_BY_ADDRESS:
		o->by_address = true;
		break;
	case OPT_HOST_KEYS:
		o->host_keys = sim_number(optarg, SIM_KEYS_MAX, "there are 1 to 1000 host keys");
		break;
	case OPT_AGENT:
		o->agent = optarg;
		break;
	case OPT_WITH_PARENT:
		o->with_parent = true;
		break;
	case 'h':
		fputs(sim_usage, stdout);
		exit(0);
	default:
		fputs(sim_usage, stderr);
		exit(2);
	}
}

void sim_options_read(struct sim_options *ret, int argc, char **argv)
{
	int option;
	size_t len;

	*ret = (struct sim_options){.host_keys = 1};
	while ((option = getopt_long(argc, argv, "d:p:k:a:h", sim_long_options, NULL)) != -1)
		sim_take(ret, option);
	if (argc - optind != 1)
		sim_wrong(argc > optind ? argv[optind + 1] : "", "one scenario file is wanted");
	ret->scenario = argv[optind];
	if (!ret->host_keys)
		sim_wrong("0", "there are 1 to 1000 host keys");
	len = ret->authorized ? strlen(ret->authorized) : 0;
	if (len > 4 && strcmp(ret->authorized + len - 4, ".pub") == 0)
		ret->identity = xstrndup(ret->authorized, len - 4);
	else if (ret->make_authorized)
		sim_wrong(ret->authorized, "its name must end in .pub");
}

void sim_options_done(struct sim_options *o)
{
	free(o->keys);
	free(o->authorized);
	free(o->identity);
	free(o->known_hosts);
	free(o->ssh_config);
	free(o->hosts);
}

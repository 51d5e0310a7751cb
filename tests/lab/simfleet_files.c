#include "simfleet_files.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define SIM_FIRST_ADDRESS 0x7f010000u /* 127.1.0.0 */
#define SIM_SHA1_SIZE	  20

uint32_t sim_address(size_t number)
{
	return SIM_FIRST_ADDRESS + (uint32_t)number;
}

void sim_address_text(char out[static SIM_ADDRESS_SIZE], size_t number)
{
	uint32_t a = sim_address(number);

	(void)snprintf(out, SIM_ADDRESS_SIZE, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
		       a & 255);
}

static uint16_t sim_files_port(const struct sim_files *f, size_t number)
{
	return sim_scenario_manner(f->scenario, number)->refuse ? f->refusing_port : f->port;
}

static int sim_write_hosts(FILE *out, const struct sim_files *f, size_t number)
{
	char address[SIM_ADDRESS_SIZE];

	sim_address_text(address, number);
	if (f->by_address)
		fprintf(out, "%s\n", address);
	else
		fprintf(out, "sim%zu\n", number);
	return 0;
}

static int sim_write_config(FILE *out, const struct sim_files *f, size_t number)
{
	bool refuse = sim_scenario_manner(f->scenario, number)->refuse;
	char address[SIM_ADDRESS_SIZE];

	sim_address_text(address, number);
	if (!f->by_address)
		fprintf(out, "Host sim%zu\n    HostName %s\n", number, address);
	else if (refuse)
		fprintf(out, "Host %s\n", address);
	if (refuse)
		fprintf(out, "    Port %u\n", f->refusing_port);
	return 0;
}

/* What all have in common; ssh takes the first value that it finds. */
static void sim_write_common(FILE *out, const struct sim_files *f)
{
	fprintf(out, "Host sim* 127.*\n    Port %u\n    User sim\n", f->port);
	if (f->identity)
		fprintf(out, "    IdentityFile \"%s\"\n    IdentitiesOnly yes\n", f->identity);
	if (f->known_hosts)
		fprintf(out, "    UserKnownHostsFile \"%s\"\n    GlobalKnownHostsFile /dev/null\n",
			f->known_hosts);
	fprintf(out, "    StrictHostKeyChecking %s\n", f->known_hosts ? "yes" : "no");
}

static void sim_base64(char *out, const unsigned char *data)
{
	(void)EVP_EncodeBlock((unsigned char *)out, data, SIM_SHA1_SIZE);
}

/* sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: |1|salt|HMAC-SHA1 of the name. */
static int sim_write_hashed(FILE *out, const char *name)
{
	unsigned char salt[SIM_SHA1_SIZE], mac[EVP_MAX_MD_SIZE];
	char salt_text[32], mac_text[32];
	unsigned len = 0;

	if (RAND_bytes(salt, sizeof salt) != 1 ||
	    !HMAC(EVP_sha1(), salt, sizeof salt, (const unsigned char *)name, strlen(name), mac,
		  &len))
		return ERR_CRYPTO;
	sim_base64(salt_text, salt);
	sim_base64(mac_text, mac);
	fprintf(out, "|1|%s|%s", salt_text, mac_text);
	return 0;
}

static int sim_write_known_hosts(FILE *out, const struct sim_files *f, size_t number)
{
	char address[SIM_ADDRESS_SIZE], name[40];
	unsigned port = sim_files_port(f, number);
	int rc = 0;

	sim_address_text(address, number);
	if (port == 22)
		(void)snprintf(name, sizeof name, "%s", address);
	else
		(void)snprintf(name, sizeof name, "[%s]:%u", address, port);
	if (f->hashed)
		rc = sim_write_hashed(out, name);
	else
		fputs(name, out);
	fprintf(out, " ssh-ed25519 %s\n", sim_keys_of(f->keys, number)->public);
	return rc;
}

/* Under another name first: who reads it meanwhile has the old one, whole. */
static int sim_write_file(const struct sim_files *f, const char *path,
			  int (*each)(FILE *out, const struct sim_files *f, size_t number),
			  void (*last)(FILE *out, const struct sim_files *f), struct errmsg *msg)
{
	char *temporary;
	FILE *out;
	int rc = 0, failed;

	if (!path)
		return 0;
	temporary = xasprintf("%s.new", path);
	out = fopen(temporary, "we");
	failed = !out;
	for (size_t i = 1; out && i <= f->scenario->hosts && !rc; i++)
		rc = each(out, f, i);
	if (out && last)
		last(out, f);
	if (out) {
		failed = ferror(out);
		failed |= fclose(out) != 0;
	}
	if (rc)
		rc = err_set(msg, rc, "cannot hash a name");
	else if (failed || rename(temporary, path) != 0)
		rc = err_set(msg, ERR_SYS, "cannot write %s: %s", path, strerror(errno));
	free(temporary);
	return rc;
}

int sim_files_write(const struct sim_files *files, struct errmsg *msg)
{
	int rc = sim_write_file(files, files->hosts, sim_write_hosts, NULL, msg);

	if (!rc)
		rc = sim_write_file(files, files->known_hosts, sim_write_known_hosts, NULL, msg);
	if (!rc)
		rc = sim_write_file(files, files->ssh_config, sim_write_config, sim_write_common,
				    msg);
	return rc;
}

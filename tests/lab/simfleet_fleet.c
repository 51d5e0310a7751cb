#include "simfleet_fleet.h"

#include <stdio.h>

#include "simfleet_files.h"

void sim_fleet_name(const struct sim_fleet *fleet, size_t number, char *out, size_t size)
{
	char address[SIM_ADDRESS_SIZE];

	sim_address_text(address, number);
	if (fleet->by_address)
		(void)snprintf(out, size, "%s", address);
	else
		(void)snprintf(out, size, "sim%zu", number);
}

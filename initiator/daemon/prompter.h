/* Who answers what servers ask the users of a job beyond a password (ssh/prompts.h): the terminal
 * of a client. One question at a time, in the order in which they come. */
#ifndef MUSTER_PROMPTER_H
#define MUSTER_PROMPTER_H

#include <stdint.h>

#include "client.h"
#include "prompts.h"

/*
 * Asks the user of this client, as long as it is there. Once a question was not answered in time,
 * or there is no terminal, nobody is asked any more, and all that wait are told so. The caller's
 * hold; what belongs to it goes with the last one.
 */
struct prompts *prompter_new(struct client *client);

#endif

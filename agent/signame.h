/* Names of signals. */
#ifndef MUSTER_SIGNAME_H
#define MUSTER_SIGNAME_H

/* "TERM", or "RTMIN+3", or the number of one without a name. The caller frees it. */
char *signame(int sig);

#endif

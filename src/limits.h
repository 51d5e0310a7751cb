/*
 * Every cap on a size or a count that a peer, a user or a file chooses.
 * Sizes are in bytes, times in milliseconds unless the name says otherwise.
 */
/* An include of <limits.h> finds this file first: the system's is passed on. */
#pragma GCC system_header
#include_next <limits.h>

#ifndef MUSTER_LIMITS_H
#define MUSTER_LIMITS_H

/* The wire (docs/protocol.md, sections 2 and 3). */
#define LIMIT_FRAME_BODY    (1u << 20)
#define LIMIT_MSG_DEPTH	    16u
#define LIMIT_MSG_NODES	    65536u
#define LIMIT_MAP_KEYS	    256u
#define LIMIT_RECORD_VALUE  (64u << 10) /* a longer line travels in pieces */
#define LIMIT_RECORDS_BATCH (64u << 10)
#define LIMIT_TYPED_VALUE   (512u << 10) /* msgpack bytes of one typed value */
#define LIMIT_TYPED_NODES   16384u	 /* msgpack objects in one typed value */
#define LIMIT_BATCH_NODES   16384u	 /* of typed values: a batch that has them is full */
#define LIMIT_COLUMNS	    256u	 /* of a schema */
#define LIMIT_SCHEMAS	    64u		 /* of one child */
#define LIMIT_COLUMN_NAME   255u

/* What people write. */
#define LIMIT_HOST_NAME	   255u	      /* RFC 1035, section 2.3.4 */
#define LIMIT_EXPR	   (1u << 20) /* a host expression, all files and stdin aside */
#define LIMIT_HOST_FILE	   (64u << 20)
#define LIMIT_HOSTS	   1000000u	/* hosts that one expression may name */
#define LIMIT_COMMAND	   (120u << 10) /* below Linux's MAX_ARG_STRLEN, execve(2) */
#define LIMIT_ARGS	   4096u
#define LIMIT_JOB_NAME	   255u
#define LIMIT_GATEWAYS	   256u	 /* of one job, and of one part of it */
#define LIMIT_HOPS	   8u	 /* gateways, one behind the other */
#define LIMIT_JUMPS	   8u	 /* bastions in front of one host */
#define LIMIT_SSH_OPTIONS  64u	 /* -o of one job */
#define LIMIT_COPY_SOURCES 1024u /* of one copy */
#define LIMIT_TOPOLOGY	   (64u << 10)
/* A gateway ends a job whose initiator has said nothing for so long; this one takes a gateway for
 * dead after the latter, when nothing that it has not told of can begin there any more. */
#define LIMIT_RELAY_LEASE_MS   30000u
#define LIMIT_RELAY_SILENCE_MS 45000u
#define LIMIT_RETRIES	       100u
#define LIMIT_OPTION_TEXT      4096u
#define LIMIT_CONFIG	       (1u << 20) /* muster.conf */

/* Inventories and groups. */
#define LIMIT_INVENTORY	      (128u << 20) /* a file, or what a command says; all of one directory */
#define LIMIT_INVENTORY_FILES 65536u	   /* of one directory */
#define LIMIT_INVENTORY_DEPTH 8u	   /* directories in directories */
#define LIMIT_GROUPS	      100000u
#define LIMIT_GROUP_NAME      255u
#define LIMIT_GROUP_LINKS     8000000u /* hosts in groups, and groups in groups, of all groups */
#define LIMIT_GROUP_SOURCES   256u
#define LIMIT_GROUP_UPCALLS   4096u /* commands for one answer: all hosts, group by group */
#define LIMIT_UPCALL_MS	      30000u
#define LIMIT_UPCALL_NOISE    4096u /* of what a command says on its error output */
#define LIMIT_YAML_DEPTH      64u
#define LIMIT_YAML_NODES      8000000u
#define LIMIT_YAML_ANCHORS    10000u
/* Names and variables of one inventory, as often as they are looked at. */
#define LIMIT_GROUP_WORK (32u << 20)

/* Files of SSH. */
#define LIMIT_SSH_CONFIG       (16u << 20)
#define LIMIT_SSH_CONFIG_DEPTH 16u /* Include, ssh_config(5) */
/* Match exec: one command, and all of one job. */
#define LIMIT_MATCH_EXEC_MS	5000u
#define LIMIT_MATCH_EXEC_ALL_MS 60000u
#define LIMIT_KNOWN_HOSTS	(256u << 20)
#define LIMIT_KNOWN_LOCK_MS	5000u /* until another lets go of its lock */
#define LIMIT_KNOWN_GATHER	1024u /* new keys that are written in one step */
#define LIMIT_KNOWN_GATHER_MS	500u  /* so long the first of them waits for others */
#define LIMIT_KEY_FILE		(1u << 20)
#define LIMIT_AGENT_MESSAGE	(256u << 10) /* as OpenSSH's ssh-agent */
#define LIMIT_AGENT_KEYS	256u
#define LIMIT_AUTH_PARTIALS	8u /* logins that a server takes, and wants more */
#define LIMIT_AUTH_ROUNDS	16u
#define LIMIT_AUTH_PROMPTS	16u	/* of one round */
#define LIMIT_ASK_CLIENT_MS	110000u /* so that the daemon hears that there was no answer */
#define LIMIT_ASK_MS		120000u /* a person answers, or the job goes on without */
#define LIMIT_ASK_TRIES		3u	/* of one passphrase */
#define LIMIT_PROMPT_TEXT	1024u	/* of a server's question, and of what stands above it */
#define LIMIT_PROMPT_LINES	16u
#define LIMIT_PROMPT_WAIT_MS	600000u /* for its turn, and for the person */

/* Agents. */
#define LIMIT_SCRIPT	    (512u << 10) /* --file-path */
#define LIMIT_ENV	    1024u /* --env, how many; all of them at most LIMIT_COMMAND bytes */
#define LIMIT_STDIN	    (256u << 20) /* --stdin of a job, which the daemon keeps until it ends */
#define LIMIT_STDIN_PIECE   (32u << 10)
#define LIMIT_COPY_PIECE    (256u << 10)
#define LIMIT_COPY_ENTRIES  2000000u	 /* names in what one job copies to hosts */
#define LIMIT_COPY_NAMES    (256u << 20) /* bytes of these */
#define LIMIT_COPY_STAGE    (2u << 20)	 /* bytes of a copy on their way to a gateway */
#define LIMIT_COPY_TROUBLES 1000u	 /* files of one host whose failure is told in text */
#define LIMIT_TASKS	    256u	 /* at once in one agent */
#define LIMIT_LINE_JSON	    (1u << 20)	 /* a line, or a document, that a parser keeps */
#define LIMIT_PATTERN	    4096u	 /* --parse regex:... */
#define LIMIT_BOOT_NOISE    (1u << 20)	 /* what a login shell may say before the agent */
#define LIMIT_BOOT_TEXT	    2048u	 /* of that, in an error */

/* The daemon. */
#define LIMIT_CLIENTS	      256u
#define LIMIT_CLIENT_QUEUE    (1u << 20) /* above it, the job's hosts are held back */
#define LIMIT_CLIENT_QUEUE_LO (256u << 10)
#define LIMIT_CLIENT_HELLO_MS 5000u /* a client that says nothing is let go */
#define LIMIT_HISTORY_JOBS    100u  /* finished synchronous jobs that are kept */
#define LIMIT_OUTCOME_TEXT    200u

/* The store. Above it, hosts are held back until what came is on the disk. */
#define LIMIT_STORE_QUEUE (64u << 20)

#endif

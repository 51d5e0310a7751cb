/* A connection of a test to its sshd: what came, how it ended, and a long pattern to send. */
#ifndef MUSTER_TEST_CONN_TALK_H
#define MUSTER_TEST_CONN_TALK_H

#include "conn.h"
#include "sshd_host.h"

/* A prime, so that a piece that is lost, doubled or swapped shows. */
#define TALK_PATTERN 1000003u
/* What is queued at most, by the pattern. */
#define TALK_QUEUE_HI (1u << 20)

struct talk {
	struct sshd_host host;
	struct conn *conn;
	struct conn_result result;
	bool ended;
	unsigned began, bursts, writables;
	struct buf out, err; /* unless it is the pattern */
	size_t queued_max;

	/* The pattern there and back. */
	uint8_t *pattern;
	bool expects_pattern;
	uint64_t to_send, sent, received;

	/* What a test wants done in the events. */
	void (*on_running)(struct talk *talk);
	void (*on_data)(struct talk *talk, const void *data, size_t len);
	void (*on_writable)(struct talk *talk);
};

static inline void talk_check_pattern(struct talk *talk, const uint8_t *data, size_t len)
{
	while (len) {
		size_t at = (size_t)(talk->received % TALK_PATTERN);
		size_t n = len < TALK_PATTERN - at ? len : TALK_PATTERN - at;

		assert_memory_equal(data, talk->pattern + at, n);
		talk->received += n;
		data += n;
		len -= n;
	}
}

/* Sends as much of the pattern as is to be queued; behind the last of it the input ends. */
static inline void talk_send_pattern(struct talk *talk)
{
	if (talk->sent == talk->to_send)
		return;
	while (talk->sent < talk->to_send && conn_queued(talk->conn) < TALK_QUEUE_HI) {
		size_t at = (size_t)(talk->sent % TALK_PATTERN);
		uint64_t n = TALK_PATTERN - at;

		if (n > talk->to_send - talk->sent)
			n = talk->to_send - talk->sent;
		if (n > 100001)
			n = 100001;
		conn_write(talk->conn, talk->pattern + at, (size_t)n);
		talk->sent += n;
	}
	if (conn_queued(talk->conn) > talk->queued_max)
		talk->queued_max = conn_queued(talk->conn);
	if (talk->sent == talk->to_send)
		conn_finish(talk->conn);
}

static inline void talk_on_running(void *arg)
{
	struct talk *talk = arg;

	talk->began++;
	if (talk->on_running)
		talk->on_running(talk);
}

static inline void talk_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct talk *talk = arg;

	assert_int_equal(talk->began, 1);
	assert_true(len > 0);
	if (is_error)
		buf_add(&talk->err, data, len);
	else if (talk->expects_pattern)
		talk_check_pattern(talk, data, len);
	else
		buf_add(&talk->out, data, len);
	if (talk->on_data)
		talk->on_data(talk, data, len);
}

static inline void talk_on_burst_end(void *arg)
{
	((struct talk *)arg)->bursts++;
}

static inline void talk_on_writable(void *arg)
{
	struct talk *talk = arg;

	assert_true(conn_queued(talk->conn) < CONN_QUEUE_LO);
	talk->writables++;
	if (talk->on_writable)
		talk->on_writable(talk);
}

static inline void talk_on_end(void *arg, const struct conn_result *result)
{
	struct talk *talk = arg;

	talk->result = *result;
	talk->ended = true;
	talk->conn = NULL;
	loop_stop(talk->host.loop);
}

static inline void talk_start(struct talk *talk, const struct conn_spec *spec)
{
	static const struct conn_events events = {
		.running = talk_on_running,
		.data = talk_on_data,
		.burst_end = talk_on_burst_end,
		.writable = talk_on_writable,
		.end = talk_on_end,
	};
	struct conn_spec whole = *spec;

	whole.target = plan_target(talk->host.plan, 0);
	talk->conn = conn_start(talk->host.engine, &whole, &events, talk);
}

static inline void talk_stream(struct talk *talk, const char *command)
{
	talk_start(talk, &(struct conn_spec){.command = command, .stream = true});
}

/* Runs until the end event. */
static inline void talk_run(struct talk *talk)
{
	loop_run(talk->host.loop);
	assert_true(talk->ended);
}

static inline void talk_ended(const struct talk *talk, enum conn_end end, int exit_code)
{
	if (talk->result.end != end || talk->result.exit_code != exit_code)
		fail_msg("end %d, exit code %d: %s", (int)talk->result.end, talk->result.exit_code,
			 talk->result.text);
}

static inline void talk_got(struct talk *talk, const char *text)
{
	assert_string_equal(buf_cstr(&talk->out), text);
}

/* *state is NULL where there is no sshd. */
static inline int talk_set_up_with(void **state, const char *extra)
{
	char *sshd = sshd_host_program();
	struct talk *talk;

	*state = NULL;
	if (!sshd)
		return 0;
	talk = xcalloc(1, sizeof *talk);
	sshd_host_start(&talk->host, sshd, extra);
	talk->pattern = xmalloc(TALK_PATTERN);
	for (uint32_t i = 0, x = 2463534242u; i < TALK_PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		talk->pattern[i] = (uint8_t)(x >> 11);
	}
	*state = talk;
	return 0;
}

static inline int talk_tear_down(void **state)
{
	struct talk *talk = *state;

	if (!talk)
		return 0;
	conn_free(talk->conn);
	sshd_host_stop(&talk->host);
	buf_done(&talk->out);
	buf_done(&talk->err);
	free(talk->pattern);
	free(talk);
	return 0;
}

/* The fixture of a test, which is skipped without one. */
static inline struct talk *talk_of(void **state)
{
	if (!*state)
		skip();
	return *state;
}

#endif

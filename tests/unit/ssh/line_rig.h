/* Lines of a test to its sshd: what came, how each ended, and that nothing of them is left. */
#ifndef MUSTER_TEST_LINE_RIG_H
#define MUSTER_TEST_LINE_RIG_H

#include <dirent.h>

#include "line.h"
#include "sshd_host.h"

/* A prime, so that a piece that is lost, doubled or swapped shows. */
#define RIG_PATTERN 100003u

struct rig;

/* One line, and what it has told. */
struct heard {
	struct rig *rig;
	struct line *line; /* NULL: it has ended */
	struct conn_result result;
	bool ended;
	unsigned began, bursts, writables, told, halted, resumed;
	struct buf out, err; /* unless it is the pattern */

	/* The pattern there and back. */
	bool expects_pattern;
	uint64_t to_send, sent, received;
	size_t queued_max;

	/* What a test wants done in the events. */
	void (*on_running)(struct heard *h);
	void (*on_data)(struct heard *h);
	void (*on_burst_end)(struct heard *h);
	void (*on_writable)(struct heard *h);
	void (*on_suspended)(struct heard *h, bool suspended);
	void (*on_told)(struct heard *h, unsigned what, const void *data, size_t len);
	void (*on_end)(struct heard *h);
};

struct rig {
	struct sshd_host host;
	struct lines *lines;
	uint8_t *pattern;
	size_t open;	/* lines that have not ended; the loop stops when there is none */
	unsigned files; /* descriptors before the first line */
};

static inline unsigned rig_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

/* --- what is told ----------------------------------------------------------------------------- */

static inline void heard_check_pattern(struct heard *h, const uint8_t *data, size_t len)
{
	while (len) {
		size_t at = (size_t)(h->received % RIG_PATTERN);
		size_t n = len < RIG_PATTERN - at ? len : RIG_PATTERN - at;

		assert_memory_equal(data, h->rig->pattern + at, n);
		h->received += n;
		data += n;
		len -= n;
	}
}

/* Sends as much of the pattern as may wait; behind the last of it the input ends. */
static inline void heard_send_pattern(struct heard *h)
{
	while (h->sent < h->to_send && line_queued(h->line) < 2 * CONN_QUEUE_LO) {
		size_t at = (size_t)(h->sent % RIG_PATTERN);
		uint64_t n = RIG_PATTERN - at;

		if (n > h->to_send - h->sent)
			n = h->to_send - h->sent;
		if (n > 10007)
			n = 10007;
		line_write(h->line, h->rig->pattern + at, (size_t)n);
		h->sent += n;
	}
	if (line_queued(h->line) > h->queued_max)
		h->queued_max = line_queued(h->line);
	if (h->sent == h->to_send)
		line_finish(h->line);
}

static inline void heard_on_running(void *arg)
{
	struct heard *h = arg;

	assert_non_null(h->line);
	h->began++;
	if (h->on_running)
		h->on_running(h);
}

static inline void heard_on_data(void *arg, bool is_error, const void *data, size_t len)
{
	struct heard *h = arg;

	assert_non_null(h->line);
	assert_true(h->began > 0);
	assert_true(len > 0);
	if (is_error)
		buf_add(&h->err, data, len);
	else if (h->expects_pattern)
		heard_check_pattern(h, data, len);
	else
		buf_add(&h->out, data, len);
	if (h->on_data)
		h->on_data(h);
}

static inline void heard_on_burst_end(void *arg)
{
	struct heard *h = arg;

	assert_non_null(h->line);
	h->bursts++;
	if (h->on_burst_end)
		h->on_burst_end(h);
}

static inline void heard_on_writable(void *arg)
{
	struct heard *h = arg;

	assert_true(line_queued(h->line) < CONN_QUEUE_LO);
	h->writables++;
	if (h->on_writable)
		h->on_writable(h);
}

static inline void heard_on_suspended(void *arg, bool suspended)
{
	struct heard *h = arg;

	h->halted += suspended;
	h->resumed += !suspended;
	if (h->on_suspended)
		h->on_suspended(h, suspended);
}

static inline void heard_on_told(void *arg, unsigned what, const void *data, size_t len)
{
	struct heard *h = arg;

	assert_non_null(h->line);
	h->told++;
	if (h->on_told)
		h->on_told(h, what, data, len);
}

static inline void heard_over(struct heard *h)
{
	h->line = NULL;
	if (!--h->rig->open)
		loop_stop(h->rig->host.loop);
}

static inline void heard_on_end(void *arg, const struct conn_result *result)
{
	struct heard *h = arg;

	assert_non_null(h->line);
	h->result = *result;
	h->ended = true;
	if (h->on_end)
		h->on_end(h);
	heard_over(h);
}

/* --- what is done ----------------------------------------------------------------------------- */

static inline void heard_start(struct rig *rig, struct heard *h, const struct line_spec *spec)
{
	static const struct line_events events = {
		.running = heard_on_running,
		.data = heard_on_data,
		.burst_end = heard_on_burst_end,
		.writable = heard_on_writable,
		.suspended = heard_on_suspended,
		.end = heard_on_end,
		.told = heard_on_told,
	};
	struct line_spec whole = *spec;

	if (!whole.conn.target)
		whole.conn.target = plan_target(rig->host.plan, 0);
	h->rig = rig;
	h->line = line_start(rig->lines, &whole, &events, h);
	assert_int_equal(h->began, 0);
	rig->open++;
}

static inline void heard_stream(struct rig *rig, struct heard *h, const char *command)
{
	heard_start(rig, h, &(struct line_spec){.conn = {.command = command, .stream = true}});
}

/* No event comes after it. */
static inline void heard_free(struct heard *h)
{
	line_free(h->line);
	heard_over(h);
}

static inline void heard_done(struct heard *h)
{
	buf_done(&h->out);
	buf_done(&h->err);
}

/* Runs until no line is left. */
static inline void rig_run(struct rig *rig)
{
	while (rig->open)
		loop_run(rig->host.loop);
}

static inline void heard_ended(const struct heard *h, enum conn_end end, int exit_code)
{
	if (!h->ended || h->result.end != end || h->result.exit_code != exit_code)
		fail_msg("ended %d: end %d, exit code %d: %s", (int)h->ended, (int)h->result.end,
			 h->result.exit_code, h->result.text);
}

/* *state is NULL where there is no sshd. extra: lines for sshd_config. */
static inline int rig_set_up_as(void **state, unsigned threads, size_t fd_limit, const char *extra)
{
	char *sshd = sshd_host_program();
	struct rig *rig;

	*state = NULL;
	if (!sshd)
		return 0;
	rig = xcalloc(1, sizeof *rig);
	sshd_host_start(&rig->host, sshd, extra);
	rig->pattern = xmalloc(RIG_PATTERN);
	for (uint32_t i = 0, x = 2463534242u; i < RIG_PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		rig->pattern[i] = (uint8_t)(x >> 11);
	}
	rig->files = rig_files();
	rig->lines = lines_new(rig->host.loop, threads, fd_limit);
	*state = rig;
	return 0;
}

static inline int rig_set_up_with(void **state, unsigned threads, size_t fd_limit)
{
	return rig_set_up_as(state, threads, fd_limit, "MaxStartups 1000");
}

/* Lets all that was freed go, and waits for the threads. */
static inline void rig_close(struct rig *rig)
{
	lines_free(rig->lines);
	rig->lines = NULL;
	assert_int_equal(rig_files(), rig->files);
}

static inline int rig_tear_down(void **state)
{
	struct rig *rig = *state;

	if (!rig)
		return 0;
	if (rig->lines) {
		assert_int_equal(lines_in_use(rig->lines), 0);
		rig_close(rig);
	}
	sshd_host_stop(&rig->host);
	free(rig->pattern);
	free(rig);
	return 0;
}

/* The fixture of a test, which is skipped without one. */
static inline struct rig *rig_of(void **state)
{
	if (!*state)
		skip();
	return *state;
}

#endif

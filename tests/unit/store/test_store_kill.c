/* The process that writes is killed, at any moment. */
#include "store_rig.h"

#define ROUNDS	  40u
#define MAX_TELLS 30u
#define OTHERS	  8u
#define KEPT	  200u /* frames that are not released */

/* What the writing process has told as durable: all before this. */
struct told {
	uint64_t next;	/* number of the record that comes next */
	uint64_t first; /* what is not released */
	uint64_t rows;	/* as next, of the row of the child */
};

/* --- the process that writes ---------------------------------------------------------------- */

struct writing {
	struct rig *rig;
	struct store *store;
	struct told now;
	struct told on_its_way[64];
	size_t tells, waits;
	int out;
	unsigned seed;
	struct store_place places[KEPT * 4];
	uint64_t jobs[OTHERS]; /* that were not removed at once */
	size_t job_count;
};

static void write_more(struct writing *w);

static void on_told(void *arg)
{
	struct writing *w = arg;
	struct told *told = &w->on_its_way[w->tells++ % ARRAY_LEN(w->on_its_way)];

	/* Nobody reads any more: the test has ended. */
	if (write(w->out, told, sizeof *told) != sizeof *told)
		_exit(1);
	w->waits--;
	write_more(w);
}

static void write_one(struct writing *w)
{
	uint64_t n = w->now.next++, read;
	size_t len = (size_t)(rand_r(&w->seed) % 100 == 0 ? 200000 : rand_r(&w->seed) % 8000);

	w->places[n % ARRAY_LEN(w->places)] = rig_append(w->rig, 2, n, 1, len);
	/* That it was read is said before it is released. */
	read = n >= KEPT ? n - KEPT : 0;
	store_update_child(w->store, &(struct store_child){.id = 2, .step = n, .read = {read}});
	if (rand_r(&w->seed) % 8 == 0) {
		uint64_t id = 1000 + n * 2;

		rig_put_job(w->rig, id, 1);
		(void)rig_append(w->rig, id + 1, 1, 1, 100);
		if (rand_r(&w->seed) % 2)
			store_remove_job(w->store, id);
		else
			w->jobs[w->job_count++ % OTHERS] = id;
		if (w->job_count >= OTHERS)
			store_remove_job(w->store, w->jobs[w->job_count % OTHERS]);
	}
	while (w->now.first <= read) {
		store_release(w->store, w->places[w->now.first % ARRAY_LEN(w->places)]);
		w->now.first++;
	}
}

static void write_more(struct writing *w)
{
	static uint64_t waits;

	while (w->waits < 8) {
		for (int i = rand_r(&w->seed) % 40; i >= 0; i--)
			write_one(w);
		w->now.rows = w->now.next;
		w->on_its_way[waits++ % ARRAY_LEN(w->on_its_way)] = w->now;
		w->waits++;
		store_when_durable(w->store, on_told, w);
	}
}

static _Noreturn void write_process(struct rig *rig, int out, unsigned seed, struct told from)
{
	static struct writing w;
	struct loop *loop = loop_new();

	rig->options.loop = rig->loop = loop;
	rig->options.trouble = NULL;
	rig_open(rig);
	w = (struct writing){.rig = rig, .store = rig->store, .out = out, .seed = seed};
	w.now = from;
	/* As the daemon does: what was read before it was killed is let go of. */
	for (size_t i = 0; i < rig->frames; i++) {
		const struct rig_frame *frame = &rig->frame[i];

		if (frame->child != 2)
			continue;
		if (frame->first < from.first)
			store_release(rig->store, frame->place);
		else
			w.places[frame->first % ARRAY_LEN(w.places)] = frame->place;
		if (frame->first >= w.now.next)
			w.now.next = frame->first + 1;
	}
	for (size_t i = 1; i < rig->jobs && i < RIG_JOBS; i++)
		store_remove_job(rig->store, rig->job[i].id);
	if (!rig->jobs) {
		rig_put_job(rig, 1, 1);
		store_update_child(rig->store, &(struct store_child){.id = 2});
	}
	write_more(&w);
	loop_run(loop);
	_exit(0);
}

/* --- the one that looks --------------------------------------------------------------------- */

/* All from the first that is needed to the last that was told is there, once and in order. Of those
 * before there are some, where another job needs the segment. */
static void check(struct rig *rig, struct told *told)
{
	uint64_t next = 1, first;

	rig_open(rig);
	first = 1 + rig->first_child.read[0];
	assert_true(first >= told->first && rig->first_child.step + 1 >= told->rows);
	for (size_t i = 0; i < rig->frames; i++) {
		const struct rig_frame *frame = &rig->frame[i];

		if (frame->child != 2)
			continue;
		if (frame->first < next || (frame->first > first && frame->first != next))
			fail_msg("%llu follows %llu; %llu to %llu are needed",
				 (unsigned long long)frame->first, (unsigned long long)next - 1,
				 (unsigned long long)first, (unsigned long long)told->next - 1);
		next = frame->first + 1;
		if (frame->first % 37 == 0 || frame->first + 3 > told->next)
			rig_expect(rig, frame->place, 2, frame->first);
	}
	assert_true(next >= told->next);
	assert_true(rig->last_id >= (next > 1 ? 2 : 0));
	assert_int_equal(store_damage(rig->store).segments, 0);
	assert_null(store_note(rig->store));
	told->next = next;
	told->first = first;
	rig_close(rig);
}

static void kill_round(struct rig *rig, unsigned seed, struct told *told)
{
	unsigned tells = (unsigned)rand_r(&seed) % MAX_TELLS,
		 spin = (unsigned)rand_r(&seed) % 200000;
	volatile unsigned turn = 0;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(ends[0]);
		write_process(rig, ends[1], seed, *told);
	}
	(void)close(ends[1]);
	for (unsigned i = 0; i < tells; i++)
		assert_int_equal(read(ends[0], told, sizeof *told), sizeof *told);
	while (turn < spin)
		turn++;
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	/* What it could still say counts too. */
	while (read(ends[0], told, sizeof *told) == sizeof *told)
		;
	(void)close(ends[0]);
	check(rig, told);
}

static void test_case_08_kill_in_the_middle_of_a_write(void **state)
{
	struct rig *rig = *state;
	const char *text = getenv("MUSTER_KILL_SEED"), *rounds = getenv("MUSTER_KILL_ROUNDS");
	unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)getpid();
	unsigned count = rounds ? (unsigned)strtoul(rounds, NULL, 10) : ROUNDS;
	struct told told = {.next = 1, .first = 1};

	print_message("MUSTER_KILL_SEED=%u\n", seed);
	rig->options.segment_size = 1u << 20;
	for (unsigned i = 0; i < count; i++)
		kill_round(rig, seed + i * 7919, &told);
	print_message("%llu frames\n", (unsigned long long)told.next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_case_08_kill_in_the_middle_of_a_write,
						rig_set_up, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Writes docs/states.md to stdout, from the tables of initiator/job/. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "child_fsm.h"
#include "outcome.h"
#include "rolling.h"
#include "rollup.h"

static void put(const char *text)
{
	fputs(text, stdout);
}

static void write_head(void)
{
	put("# States\n\n"
	    "Made from the tables in `initiator/job/` by `cmake --build build/developer --target "
	    "states`; a change made by hand is lost.\n\n"
	    "A job runs nothing itself: its state is a roll-up of those of its children, one for "
	    "each computer. A child is at one step of a small machine; what people see is the "
	    "state that the step shows as. Each row below says what an event does at a step and "
	    "why. A pair that is not listed is illegal: a request of a user is refused with the "
	    "state's name, a report of the transport is a bug and aborts.\n");
}

static void write_job_states(void)
{
	put("\n## States\n\n| state | finished | the steps of a child that show as it "
	    "|\n|---|---|---|\n");
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *comma = "";

		printf("| %s | %s | ", job_state_name((enum job_state)s),
		       job_state_is_finished((enum job_state)s) ? "yes" : "");
		for (int step = 0; step < CHILD_STEP_COUNT; step++) {
			if ((int)child_fsm_visible((enum child_step)step) != s)
				continue;
			printf("%s%s", comma, child_step_name((enum child_step)step));
			comma = ", ";
		}
		put(" |\n");
	}
}

/* One row of the table of roll-ups: so many children in each of these states. */
struct mix {
	size_t queued;
	size_t in_state[JOB_STATE_COUNT];
	enum rollup_wish wish;
};

static void write_mix(const struct mix *mix)
{
	static const char *const wishes[] = {
		[ROLLUP_NONE] = "", [ROLLUP_HOLD] = "suspend", [ROLLUP_STOP] = "stop"};
	struct job_counts counts = {.queued = mix->queued};
	const char *comma = "";

	put("| ");
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		size_t n = mix->in_state[s];

		counts.in_state[s] = n;
		counts.total += n;
		if (job_state_is_finished((enum job_state)s))
			counts.finished += n;
		if (n)
			printf("%s%zu %s", comma, n, job_state_name((enum job_state)s));
		if (n)
			comma = ", ";
	}
	printf(" | %s | %s |\n", wishes[mix->wish],
	       job_state_name(rollup_state(&counts, mix->wish)));
}

static void write_rollup(void)
{
	static const struct mix mixes[] = {
		{.in_state[JOB_STATE_NOT_STARTED] = 3, .queued = 3},
		{.in_state[JOB_STATE_RUNNING] = 2, .in_state[JOB_STATE_FAILED] = 1},
		{.in_state[JOB_STATE_COMPLETED] = 3},
		{.in_state[JOB_STATE_COMPLETED] = 2, .in_state[JOB_STATE_STOPPED] = 1},
		{.in_state[JOB_STATE_COMPLETED] = 1,
		 .in_state[JOB_STATE_STOPPED] = 1,
		 .in_state[JOB_STATE_FAILED] = 1},
		{.in_state[JOB_STATE_DISCONNECTED] = 2, .in_state[JOB_STATE_FAILED] = 1},
		{.in_state[JOB_STATE_DISCONNECTED] = 2, .in_state[JOB_STATE_RUNNING] = 1},
		{.in_state[JOB_STATE_BLOCKED] = 2, .in_state[JOB_STATE_COMPLETED] = 1},
		{.in_state[JOB_STATE_BLOCKED] = 1, .in_state[JOB_STATE_RUNNING] = 1},
		{.in_state[JOB_STATE_SUSPENDED] = 2, .in_state[JOB_STATE_COMPLETED] = 1},
		{.in_state[JOB_STATE_SUSPENDED] = 1, .in_state[JOB_STATE_SUSPENDING] = 1},
		{.in_state[JOB_STATE_SUSPENDED] = 1, .in_state[JOB_STATE_RUNNING] = 1},
		{.in_state[JOB_STATE_SUSPENDED] = 1,
		 .in_state[JOB_STATE_NOT_STARTED] = 1,
		 .queued = 1},
		{.in_state[JOB_STATE_SUSPENDED] = 1,
		 .in_state[JOB_STATE_NOT_STARTED] = 1,
		 .queued = 1,
		 .wish = ROLLUP_HOLD},
		{.in_state[JOB_STATE_RUNNING] = 1,
		 .in_state[JOB_STATE_FAILED] = 1,
		 .wish = ROLLUP_STOP},
		{.in_state[JOB_STATE_FAILED] = 1,
		 .in_state[JOB_STATE_STOPPED] = 1,
		 .wish = ROLLUP_STOP},
	};

	put("\n## From children to the job\n\n"
	    "A verdict only when every child is finished. By example, as `rollup_state()` "
	    "answers:\n\n"
	    "| children | asked of the job | the job is |\n|---|---|---|\n");
	for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++)
		write_mix(&mixes[i]);
}

static void write_steps(void)
{
	put("\n## Steps of a child\n\n| step | shows as |\n|---|---|\n");
	for (int step = 0; step < CHILD_STEP_COUNT; step++)
		printf("| %s | %s |\n", child_step_name((enum child_step)step),
		       job_state_name(child_fsm_visible((enum child_step)step)));
	put("\nA child holds a slot of the throttle from starting to stopping, also while it is "
	    "suspended or disconnected.\n");
}

static void write_rows(void)
{
	size_t count;
	const struct child_row *rows = child_fsm_rows(&count);

	put("\n## What an event does\n\n| step | event | next | action | reason |\n"
	    "|---|---|---|---|---|\n");
	for (size_t i = 0; i < count; i++) {
		printf("| %s | %s | %s | %s | %s |\n", child_step_name(rows[i].step),
		       child_event_name(rows[i].event), child_step_name(rows[i].next),
		       rows[i].action == CHILD_DO_NOTHING ? "" : child_action_name(rows[i].action),
		       rows[i].reason);
	}
	put("\nThe next step \"as before\" is the one that the child was at when its link was "
	    "lost. \"Call\" is a function of `struct job_transport`.\n");
}

/* The exit statuses that a cause can argue for, in the order of the codes and of began. */
static void write_cause(enum cause cause)
{
	bool seen[256] = {false};
	const char * or = "";

	printf("| %s | ", cause_name(cause));
	for (int code = 0; code <= 1; code++)
		for (int began = 1; began >= 0; began--) {
			const struct outcome o = {
				.cause = cause, .exit_code = code, .began = began != 0};
			int status = outcome_exit_status(&o);

			if (seen[status])
				continue;
			seen[status] = true;
			printf("%s%d", or, status);
			or = " or ";
		}
	put(" |\n");
}

static void write_causes(void)
{
	put("\n## Causes\n\n"
	    "Why a child ended, and the exit status of `muster` that this argues for. `exited` "
	    "argues for 0 if its code is a success, else for 5; `timeout` for 3, but for 4 if the "
	    "command had not begun.\n\n"
	    "| cause | exit status |\n|---|---|\n");
	for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
		write_cause((enum cause)cause);
}

static void write_rolling(void)
{
	size_t count;
	const struct rolling_row *rows = rolling_rows(&count);

	put("\n## Stages\n\n"
	    "In which order children come up, `initiator/job/rolling.h`; a job without a canary "
	    "and batches has one batch. docs/rollouts.md has it for people. \"limit\" is told at "
	    "any phase but over.\n\n"
	    "| phase | event | next | what is done | reason |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < count; i++)
		printf("| %s | %s | %s | %s | %s |\n", rolling_phase_name(rows[i].phase),
		       rolling_event_name(rows[i].event), rolling_phase_name(rows[i].next),
		       rolling_action_name(rows[i].action), rows[i].reason);
}

int main(void)
{
	write_head();
	write_job_states();
	write_rollup();
	write_steps();
	write_rows();
	write_rolling();
	write_causes();
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

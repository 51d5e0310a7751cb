/* What the options of durability make of a job, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "durable.h"

static struct config config; /* reset by each test */
static struct job_open_msg open;

static int set_up(void **state)
{
	(void)state;
	config = (struct config){0};
	open = (struct job_open_msg){0};
	return 0;
}

static void configure(const char *text)
{
	struct errmsg msg = {{0}};

	if (config_parse(&config, text, strlen(text), "a.conf", &msg) != 0)
		fail_msg("%s", msg.text);
}

static void accepted(const struct durable_values *v)
{
	struct errmsg msg = {{0}};

	if (durable_fill(&open, v, &config, &msg) != 0)
		fail_msg("%s", msg.text);
}

static void refused(const struct durable_values *v, const char *text)
{
	struct errmsg msg = {{0}};
	int rc = durable_fill(&open, v, &config, &msg);

	if (rc != ERR_SYNTAX || !strstr(msg.text, text))
		fail_msg("%s: %s", err_name(rc), msg.text);
}

static void without_options(void **state)
{
	(void)state;
	accepted(&(struct durable_values){0});
	assert_int_equal(open.durable, JOB_DURABLE_AUTO);
	assert_int_equal(open.reconnect_timeout_ms, 0);
	assert_int_equal(open.spool_limit, 0);
	assert_false(open.spool_drop);
	assert_false(open.detached);
}

static void either_or(void **state)
{
	(void)state;
	accepted(&(struct durable_values){.always = true});
	assert_int_equal(open.durable, JOB_DURABLE_ALWAYS);
	accepted(&(struct durable_values){.never = true});
	assert_int_equal(open.durable, JOB_DURABLE_NEVER);
	refused(&(struct durable_values){.always = true, .never = true},
		"--durable and --inline: one of them");
}

static void detached(void **state)
{
	(void)state;
	open.background = true;
	accepted(&(struct durable_values){.detached = true});
	assert_int_equal(open.durable, JOB_DURABLE_ALWAYS);
	assert_true(open.detached);
	refused(&(struct durable_values){.detached = true, .never = true},
		"--in-disconnected-session and --inline: one of them");
}

static void without_an_agent(void **state)
{
	(void)state;
	open.agent = JOB_AGENT_NEVER;
	open.background = true;
	accepted(&(struct durable_values){0});
	assert_int_equal(open.durable, JOB_DURABLE_NEVER);
	accepted(&(struct durable_values){.never = true});
	refused(&(struct durable_values){.always = true},
		"--durable needs the agent: not with --agent never");
	refused(&(struct durable_values){.detached = true},
		"--in-disconnected-session needs the agent: not with --agent never");
	refused(&(struct durable_values){.spool_limit = 65536},
		"--spool-limit needs the agent: not with --agent never");
}

static void details(void **state)
{
	const struct durable_values rows[] = {{.reconnect = {.ms = 5, .given = true}},
					      {.spool_limit = 65536},
					      {.spool_full = "drop"}};
	static const char *const names[] = {"--reconnect-timeout", "--spool-limit", "--spool-full"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct durable_values v = rows[i];

		open.background = false;
		refused(&v, names[i]);
		refused(&v, "goes with --durable or --as-job");
		v.never = true;
		refused(&v, "is for durable runs: not with --inline");
		refused(&v, names[i]);
		v.never = false;
		v.always = true;
		accepted(&v);
		v.always = false;
		open.background = true;
		accepted(&v);
	}
}

static void values(void **state)
{
	(void)state;
	open.background = true;
	accepted(&(struct durable_values){.reconnect = {.ms = 90000, .given = true},
					  .spool_limit = 1u << 20,
					  .spool_full = "drop"});
	assert_int_equal(open.reconnect_timeout_ms, 90000);
	assert_int_equal(open.spool_limit, 1u << 20);
	assert_true(open.spool_drop);
	accepted(&(struct durable_values){.spool_full = "block"});
	assert_false(open.spool_drop);
	refused(&(struct durable_values){.spool_full = "Drop"},
		"--spool-full: 'Drop' is none of block, drop");
	refused(&(struct durable_values){.spool_full = ""}, "is none of block, drop");
}

/* On the wire 0 is the default. */
static void not_to_look_for_it(void **state)
{
	(void)state;
	open.background = true;
	accepted(&(struct durable_values){.reconnect = {.ms = 0, .given = true}});
	assert_int_equal(open.reconnect_timeout_ms, 1);
	configure("reconnect-timeout = 0\n");
	accepted(&(struct durable_values){0});
	assert_int_equal(open.reconnect_timeout_ms, 1);
}

/* They set what options leave open, refuse nothing, and make nothing durable. */
static void from_the_files(void **state)
{
	(void)state;
	configure("reconnect-timeout = 2m\nspool-limit = 1G\nspool-full = drop\n");
	accepted(&(struct durable_values){.never = true});
	accepted(&(struct durable_values){0});
	assert_int_equal(open.durable, JOB_DURABLE_AUTO);
	assert_int_equal(open.reconnect_timeout_ms, 120000);
	assert_int_equal(open.spool_limit, 1u << 30);
	assert_true(open.spool_drop);
	open.background = true;
	accepted(&(struct durable_values){.reconnect = {.ms = 1000, .given = true},
					  .spool_limit = 65536,
					  .spool_full = "block"});
	assert_int_equal(open.reconnect_timeout_ms, 1000);
	assert_int_equal(open.spool_limit, 65536);
	assert_false(open.spool_drop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_options, set_up),
		cmocka_unit_test_setup(either_or, set_up),
		cmocka_unit_test_setup(detached, set_up),
		cmocka_unit_test_setup(without_an_agent, set_up),
		cmocka_unit_test_setup(details, set_up),
		cmocka_unit_test_setup(values, set_up),
		cmocka_unit_test_setup(not_to_look_for_it, set_up),
		cmocka_unit_test_setup(from_the_files, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "simfleet_scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "simfleet_words.h"

#define SIM_SCENARIO_SIZE (64u << 20)
#define SIM_OUTPUT_MAX	  (64u << 20)

/* A scenario while it is read. */
struct sim_read {
	struct sim_scenario *out;
	struct sim_words words;
	struct errmsg *msg;
	size_t manner_size;
};

static const char *const sim_stages[] = {
	[SIM_BANNER] = "banner", [SIM_KEX] = "kex",   [SIM_AUTH] = "auth",
	[SIM_OPEN] = "open",	 [SIM_EXEC] = "exec", [SIM_RUN] = "run",
};

/* --- what a host may be told ----------------------------------------------------------------- */

static int sim_read_stage(struct sim_read *r, struct sim_manner *m, enum sim_deed deed)
{
	int rc;
	const char *word = sim_words_next(&r->words, &rc, r->msg);
	bool garbage = deed == SIM_GARBAGE;

	if (rc)
		return rc;
	for (enum sim_stage s = SIM_BANNER; word && s < SIM_STAGE_COUNT; s++) {
		if (strcmp(word, sim_stages[s]) != 0)
			continue;
		if (garbage && s != SIM_BANNER && s != SIM_KEX && s != SIM_RUN)
			break;
		m->deed = deed;
		m->stage = s;
		return 0;
	}
	return sim_words_fail(&r->words, r->msg, "\"%.40s\" is no step; %s", word ? word : "",
			      garbage ? "use banner, kex or run"
				      : "use banner, kex, auth, open, exec or run");
}

static int sim_read_hang(struct sim_read *r, struct sim_manner *m)
{
	return sim_read_stage(r, m, SIM_HANG);
}

static int sim_read_garbage(struct sim_read *r, struct sim_manner *m)
{
	return sim_read_stage(r, m, SIM_GARBAGE);
}

static int sim_read_drop(struct sim_read *r, struct sim_manner *m)
{
	int rc;

	if (!sim_words_skip(&r->words, "after"))
		return sim_read_stage(r, m, SIM_DROP);
	rc = sim_words_number(&r->words, "the number of bytes behind \"drop after\"", UINT32_MAX,
			      &m->drop_after, r->msg);
	if (!rc && !m->drop_after)
		return sim_words_fail(&r->words, r->msg,
				      "\"drop after\" needs 1 byte or more; "
				      "use \"drop banner\" for none");
	(void)sim_words_skip(&r->words, "bytes");
	return rc;
}

static int sim_read_trickle(struct sim_read *r, struct sim_manner *m)
{
	int rc = sim_words_number(&r->words, "the number of bytes a second behind \"trickle\"",
				  UINT32_MAX, &m->trickle, r->msg);

	(void)sim_words_skip(&r->words, "bytes/s");
	return rc;
}

static int sim_read_delay(struct sim_read *r, struct sim_manner *m)
{
	return sim_words_time(&r->words, "a time such as 50ms behind \"delay\"", &m->delay_ms,
			      r->msg);
}

static int sim_read_takes(struct sim_read *r, struct sim_manner *m)
{
	return sim_words_time(&r->words, "a time such as 50ms behind \"takes\"", &m->takes_ms,
			      r->msg);
}

static int sim_read_down_first(struct sim_read *r, struct sim_manner *m)
{
	return sim_words_number(&r->words, "the number of connections behind \"down-first\"",
				UINT32_MAX, &m->down_first, r->msg);
}

static int sim_read_repeat(struct sim_read *r, struct sim_manner *m)
{
	return sim_words_number(&r->words, "how many times, behind \"repeat\"", SIM_OUTPUT_MAX,
				&m->repeat, r->msg);
}

static int sim_read_exit(struct sim_read *r, struct sim_manner *m)
{
	return sim_words_number(&r->words, "the exit status behind \"exit\"", 255, &m->exit_code,
				r->msg);
}

static int sim_read_startups(struct sim_read *r, struct sim_manner *m)
{
	int rc;
	const char *word = sim_words_next(&r->words, &rc, r->msg);
	struct sim_startups s = {0};
	char more;

	if (rc)
		return rc;
	if (!word || sscanf(word, "%9u:%9u:%9u%c", &s.begin, &s.rate, &s.full, &more) != 3 ||
	    s.begin < 1 || s.rate > 100 || s.full < s.begin)
		return sim_words_fail(&r->words, r->msg,
				      "\"%.40s\" is no MaxStartups; use BEGIN:PERCENT:FULL, such "
				      "as 10:30:100",
				      word ? word : "");
	m->startups = s;
	return 0;
}

static int sim_read_text(struct sim_read *r, const char *what, char **ret, size_t *ret_len)
{
	int rc;
	const char *word = sim_words_next(&r->words, &rc, r->msg);

	if (rc)
		return rc;
	if (!word || !r->words.quoted)
		return sim_words_fail(&r->words, r->msg, "\"%s\" needs a text in quotes", what);
	*ret_len = r->words.word.len;
	*ret = xmalloc(*ret_len + 1);
	memcpy(*ret, word, *ret_len + 1);
	return 0;
}

static int sim_read_output(struct sim_read *r, struct sim_manner *m)
{
	free(m->output);
	m->output = NULL;
	return sim_read_text(r, "output", &m->output, &m->output_len);
}

static int sim_read_error(struct sim_read *r, struct sim_manner *m)
{
	free(m->error);
	m->error = NULL;
	return sim_read_text(r, "error", &m->error, &m->error_len);
}

static int sim_read_signal(struct sim_read *r, struct sim_manner *m)
{
	int rc;
	const char *word = sim_words_next(&r->words, &rc, r->msg);

	if (rc)
		return rc;
	if (!word || !*word ||
	    strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != strlen(word) ||
	    strlen(word) > 15)
		return sim_words_fail(&r->words, r->msg,
				      "\"%.40s\" is no signal; use its name without SIG, such as "
				      "KILL",
				      word ? word : "");
	free(m->signal);
	m->signal = xstrdup(word);
	return 0;
}

static const struct {
	const char *word;
	size_t flag; /* of a bool; otherwise read */
	int (*read)(struct sim_read *r, struct sim_manner *m);
} sim_items[] = {
	{"refuse", offsetof(struct sim_manner, refuse), NULL},
	{"wrongkey", offsetof(struct sim_manner, wrong_key), NULL},
	{"authfail", offsetof(struct sim_manner, auth_fail), NULL},
	{"noopen", offsetof(struct sim_manner, no_open), NULL},
	{"noexec", offsetof(struct sim_manner, no_exec), NULL},
	{"stopreading", offsetof(struct sim_manner, stop_reading), NULL},
	{"flood", offsetof(struct sim_manner, flood), NULL},
	{"agent-garbage", offsetof(struct sim_manner, agent_garbage), NULL},
	{"agent-hang", offsetof(struct sim_manner, agent_hang), NULL},
	{"noagent", offsetof(struct sim_manner, no_agent), NULL},
	{"uncached", offsetof(struct sim_manner, uncached), NULL},
	{"real", offsetof(struct sim_manner, real), NULL},
	{"echo", offsetof(struct sim_manner, echo), NULL},
	{"hang", 0, sim_read_hang},
	{"drop", 0, sim_read_drop},
	{"garbage", 0, sim_read_garbage},
	{"trickle", 0, sim_read_trickle},
	{"delay", 0, sim_read_delay},
	{"takes", 0, sim_read_takes},
	{"down-first", 0, sim_read_down_first},
	{"maxstartups", 0, sim_read_startups},
	{"repeat", 0, sim_read_repeat},
	{"output", 0, sim_read_output},
	{"error", 0, sim_read_error},
	{"exit", 0, sim_read_exit},
	{"signal", 0, sim_read_signal},
};

static int sim_read_items(struct sim_read *r, struct sim_manner *m)
{
	int rc;
	const char *word;

	while ((word = sim_words_next(&r->words, &rc, r->msg))) {
		size_t i = 0;

		if (strcmp(word, "ok") == 0)
			continue;
		while (i < ARRAY_LEN(sim_items) && strcmp(sim_items[i].word, word) != 0)
			i++;
		if (i == ARRAY_LEN(sim_items))
			return sim_words_fail(
				&r->words, r->msg,
				"\"%.40s\" is nothing that a host can do; docs/lab.md "
				"has the list",
				word);
		if (sim_items[i].read)
			rc = sim_items[i].read(r, m);
		else
			*(bool *)((char *)m + sim_items[i].flag) = true;
		if (rc)
			return rc;
	}
	if (!rc && m->output_len && m->repeat > SIM_OUTPUT_MAX / m->output_len)
		return sim_words_fail(&r->words, r->msg,
				      "the output is over %u bytes; repeat it less often",
				      SIM_OUTPUT_MAX);
	return rc;
}

/* --- statements ------------------------------------------------------------------------------ */

static void sim_manner_done(struct sim_manner *m)
{
	free(m->output);
	free(m->error);
	free(m->signal);
}

/* A new one that is as the default is. */
static struct sim_manner *sim_read_manner(struct sim_read *r)
{
	struct sim_scenario *s = r->out;
	struct sim_manner *m;

	if (s->manner_count == r->manner_size) {
		r->manner_size *= 2;
		s->manners = xrealloc(s->manners, r->manner_size, sizeof *s->manners);
	}
	m = &s->manners[s->manner_count++];
	*m = s->manners[0];
	if (m->output) {
		m->output = xmalloc(m->output_len + 1);
		memcpy(m->output, s->manners[0].output, m->output_len + 1);
	}
	if (m->error) {
		m->error = xmalloc(m->error_len + 1);
		memcpy(m->error, s->manners[0].error, m->error_len + 1);
	}
	m->signal = m->signal ? xstrdup(m->signal) : NULL;
	return m;
}

static int sim_read_hosts(struct sim_read *r)
{
	uint64_t n = 0;
	int rc = sim_words_number(&r->words, "the number of hosts", SIM_HOSTS_MAX, &n, r->msg);

	if (rc)
		return rc;
	if (r->out->hosts)
		return sim_words_fail(&r->words, r->msg, "\"hosts\" was there before; remove one");
	if (!n)
		return sim_words_fail(&r->words, r->msg, "there must be 1 host or more");
	r->out->hosts = n;
	r->out->manner_of = xcalloc(n, sizeof *r->out->manner_of);
	return 0;
}

/* The default comes first: what follows is made from it. */
static int sim_read_default(struct sim_read *r)
{
	if (r->out->manner_count > 1)
		return sim_words_fail(&r->words, r->msg,
				      "\"default\" must stand before the first \"host\"; move it");
	return sim_read_items(r, &r->out->manners[0]);
}

/* One of 5 and 5-10; moves *text behind it and its comma. */
static bool sim_read_range(const char **text, uint64_t *ret_first, uint64_t *ret_last)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*ret_first = *ret_last = strtoull(*text, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return false;
		*ret_last = strtoull(end + 1, &end, 10);
	}
	if (*end && (*end != ',' || !end[1]))
		return false;
	*text = end + (*end == ',');
	return *ret_first <= *ret_last;
}

static int sim_read_numbers(struct sim_read *r, const char *text)
{
	struct sim_scenario *s = r->out;
	const char *p = text;
	uint64_t first, last;

	do {
		if (!sim_read_range(&p, &first, &last))
			return sim_words_fail(
				&r->words, r->msg,
				"\"%.40s\" does not say which hosts; use numbers such "
				"as 1-10,15",
				text);
		if (first < 1 || last > s->hosts)
			return err_set(r->msg, ERR_RANGE,
				       "%s:%u: there is no host %llu; there are 1 to %zu: change "
				       "this, or \"hosts\"",
				       r->words.path, r->words.line,
				       (unsigned long long)(first < 1 ? first : last), s->hosts);
		for (uint64_t i = first; i <= last; i++)
			s->manner_of[i - 1] = (uint32_t)s->manner_count;
	} while (*p);
	return 0;
}

static int sim_read_host(struct sim_read *r)
{
	int rc;
	const char *word = sim_words_next(&r->words, &rc, r->msg);

	if (rc)
		return rc;
	if (!r->out->hosts)
		return sim_words_fail(&r->words, r->msg,
				      "how many hosts there are must come first: \"hosts N\"");
	if (!word)
		return sim_words_fail(&r->words, r->msg,
				      "\"host\" needs numbers such as 1-10,15 behind it");
	rc = sim_read_numbers(r, word);
	return rc ? rc : sim_read_items(r, sim_read_manner(r));
}

static int sim_read_statement(struct sim_read *r)
{
	int rc;
	const char *word = sim_words_next(&r->words, &rc, r->msg);

	if (!word)
		return rc;
	if (strcmp(word, "hosts") == 0)
		rc = sim_read_hosts(r);
	else if (strcmp(word, "default") == 0)
		rc = sim_read_default(r);
	else if (strcmp(word, "host") == 0)
		rc = sim_read_host(r);
	else
		return sim_words_fail(&r->words, r->msg,
				      "\"%.40s\" begins nothing; use hosts, default or host", word);
	if (rc)
		return rc;
	word = sim_words_next(&r->words, &rc, r->msg);
	if (word)
		return sim_words_fail(&r->words, r->msg,
				      "\"%.40s\" is too much; begin a new line before it", word);
	return rc;
}

static int sim_scenario_parse(struct sim_scenario *ret, const char *path, const char *text,
			      struct errmsg *msg)
{
	struct sim_read r = {.out = ret, .msg = msg, .manner_size = 16};
	int rc = 0;

	ret->manners = xcalloc(r.manner_size, sizeof *ret->manners);
	ret->manners[0].repeat = 1;
	ret->manner_count = 1;
	sim_words_init(&r.words, path, text);
	while (!rc && sim_words_begin(&r.words))
		rc = sim_read_statement(&r);
	if (!rc && !ret->hosts)
		rc = err_set(msg, ERR_SYNTAX, "%s: no hosts; add a line \"hosts N\"", path);
	sim_words_done(&r.words);
	return rc;
}

static int sim_scenario_read(struct buf *text, const char *path, struct errmsg *msg)
{
	FILE *file = fopen(path, "re");
	size_t n;
	int rc = 0;

	if (!file)
		return err_set(msg, ERR_SYS, "cannot read %s: %s", path, strerror(errno));
	do {
		n = fread(buf_room(text, 65536), 1, 65536, file);
		text->len += n;
	} while (n && text->len <= SIM_SCENARIO_SIZE);
	if (ferror(file))
		rc = err_set(msg, ERR_SYS, "cannot read %s: %s", path, strerror(errno));
	else if (text->len > SIM_SCENARIO_SIZE)
		rc = err_set(msg, ERR_LIMIT, "%s is larger than %u bytes", path, SIM_SCENARIO_SIZE);
	else if (memchr(text->data, '\0', text->len))
		rc = err_set(msg, ERR_SYNTAX, "%s has a NUL byte: it is no text", path);
	(void)fclose(file);
	return rc;
}

int sim_scenario_load(struct sim_scenario *ret, const char *path, struct errmsg *msg)
{
	struct buf text = {0};
	int rc = sim_scenario_read(&text, path, msg);

	*ret = (struct sim_scenario){0};
	if (!rc)
		rc = sim_scenario_parse(ret, path, buf_cstr(&text), msg);
	buf_done(&text);
	if (rc)
		sim_scenario_done(ret);
	return rc;
}

void sim_scenario_done(struct sim_scenario *scenario)
{
	for (size_t i = 0; i < scenario->manner_count; i++)
		sim_manner_done(&scenario->manners[i]);
	free(scenario->manners);
	free(scenario->manner_of);
	*scenario = (struct sim_scenario){0};
}

const struct sim_manner *sim_scenario_manner(const struct sim_scenario *scenario, size_t number)
{
	return &scenario->manners[scenario->manner_of[number - 1]];
}

bool sim_scenario_has_real(const struct sim_scenario *scenario)
{
	bool real = false;

	for (size_t i = 0; i < scenario->manner_count; i++)
		real = real || scenario->manners[i].real;
	return real;
}

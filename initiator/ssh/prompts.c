#include "prompts.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "alloc.h"

struct prompts {
	atomic_uint holders;
	atomic_uint closed; /* PROMPT_WAITS: it is not */
	struct loop *loop;
	const struct prompts_owner *owner;
	void *arg;
};

struct prompt {
	atomic_uint holders; /* the connection, and who has the terminal */
	atomic_uint state;
	atomic_bool shown;
	atomic_bool left; /* the connection does not want to know */
	struct prompts *prompts;
	char *host;
	char *text;
	bool echo;
	struct locked *answer; /* written before the state says so */
};

struct prompts *prompts_new(struct loop *loop, const struct prompts_owner *owner, void *arg)
{
	struct prompts *prompts = xcalloc(1, sizeof *prompts);

	atomic_init(&prompts->holders, 1);
	atomic_init(&prompts->closed, PROMPT_WAITS);
	prompts->loop = loop;
	prompts->owner = owner;
	prompts->arg = arg;
	return prompts;
}

struct prompts *prompts_hold(struct prompts *prompts)
{
	if (prompts)
		atomic_fetch_add(&prompts->holders, 1);
	return prompts;
}

static void prompts_on_done(void *arg)
{
	struct prompts *prompts = arg;

	prompts->owner->done(prompts->arg);
	free(prompts);
}

void prompts_drop(struct prompts *prompts)
{
	if (prompts && atomic_fetch_sub(&prompts->holders, 1) == 1)
		loop_post(prompts->loop, prompts_on_done, prompts);
}

void *prompts_arg(const struct prompts *prompts)
{
	return prompts->arg;
}

void prompts_close(struct prompts *prompts, enum prompt_state why)
{
	atomic_store(&prompts->closed, (unsigned)why);
}

enum prompt_state prompts_why_closed(const struct prompts *prompts)
{
	return (enum prompt_state)atomic_load(&prompts->closed);
}

bool prompts_are_open(const struct prompts *prompts)
{
	return prompts && prompts_why_closed(prompts) == PROMPT_WAITS;
}

/* --- one ------------------------------------------------------------------------------------- */

static void prompt_release(struct prompt *prompt)
{
	if (atomic_fetch_sub(&prompt->holders, 1) != 1)
		return;
	locked_drop(prompt->answer);
	prompts_drop(prompt->prompts);
	free(prompt->host);
	free(prompt->text);
	free(prompt);
}

static void prompt_on_arrival(void *arg)
{
	struct prompt *prompt = arg;
	struct prompts *prompts = prompt->prompts;

	if (prompts_are_open(prompts))
		prompts->owner->take(prompts->arg, prompt);
	else
		prompt_settle(prompt, prompts_why_closed(prompts), NULL);
}

struct prompt *prompt_new(struct prompts *prompts, const char *host, const char *text, bool echo)
{
	struct prompt *prompt = xcalloc(1, sizeof *prompt);

	atomic_init(&prompt->holders, 2);
	atomic_init(&prompt->state, PROMPT_WAITS);
	atomic_init(&prompt->shown, false);
	atomic_init(&prompt->left, false);
	prompt->prompts = prompts_hold(prompts);
	prompt->host = xstrdup(host);
	prompt->text = xstrdup(text);
	prompt->echo = echo;
	loop_post(prompts->loop, prompt_on_arrival, prompt);
	return prompt;
}

enum prompt_state prompt_look(const struct prompt *prompt)
{
	return (enum prompt_state)atomic_load(&prompt->state);
}

bool prompt_is_shown(const struct prompt *prompt)
{
	return atomic_load(&prompt->shown);
}

const char *prompt_answer(const struct prompt *prompt)
{
	return locked_text(prompt->answer);
}

void prompt_drop(struct prompt *prompt)
{
	if (!prompt)
		return;
	atomic_store(&prompt->left, true);
	prompt_release(prompt);
}

bool prompt_is_wanted(const struct prompt *prompt)
{
	return !atomic_load(&prompt->left);
}

const char *prompt_host(const struct prompt *prompt)
{
	return prompt->host;
}

const char *prompt_text(const struct prompt *prompt)
{
	return prompt->text;
}

bool prompt_echo(const struct prompt *prompt)
{
	return prompt->echo;
}

void prompt_show(struct prompt *prompt)
{
	atomic_store(&prompt->shown, true);
}

void prompt_settle(struct prompt *prompt, enum prompt_state state, struct locked *answer)
{
	if (state == PROMPT_ANSWERED)
		prompt->answer = locked_hold(answer);
	atomic_store(&prompt->state, (unsigned)state);
	prompt_release(prompt);
}

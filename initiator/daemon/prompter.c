#include "prompter.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "daemon_private.h"
#include "escape.h"
#include "limits.h"
#include "question.h"

struct prompter_item {
	struct prompter_item *next;
	struct prompt *prompt;
};

struct prompter {
	struct daemon *daemon;
	uint64_t client; /* its number, as it may go */
	struct prompts *prompts;
	struct prompter_item *first, **last; /* the first one is being asked, if any is */
	size_t count;
	struct question *question; /* NULL: nobody is being asked */
};

static void prompter_next(struct prompter *p);

/* The first one has its answer, or none. */
static void prompter_settle(struct prompter *p, enum prompt_state state, struct locked *answer)
{
	struct prompter_item *item = p->first;

	p->first = item->next;
	if (!p->first)
		p->last = &p->first;
	p->count--;
	prompt_settle(item->prompt, state, answer);
	free(item);
}

/* Nobody is there: neither for these, nor for others. */
static void prompter_give_up(struct prompter *p, enum prompt_state state)
{
	prompts_close(p->prompts, state);
	while (p->first)
		prompter_settle(p, state, NULL);
}

static void prompter_on_answer(void *arg, enum question_end end, struct locked *answer)
{
	struct prompter *p = arg;

	p->question = NULL;
	if (end == QUESTION_ANSWERED) {
		prompter_settle(p, PROMPT_ANSWERED, answer);
		prompter_next(p);
	} else {
		prompter_give_up(p, end == QUESTION_LATE ? PROMPT_LATE : PROMPT_NOBODY);
	}
}

/* Each line says whose it is: no host can ask in another one's name. */
static char *prompter_text(const struct prompter *p)
{
	const struct prompt *prompt = p->first->prompt;
	const char *text = prompt_text(prompt), *end;
	struct buf out = {0};

	for (unsigned lines = 1; lines < LIMIT_PROMPT_LINES && (end = strpbrk(text, "\r\n"));
	     text = end + 1) {
		if (end == text)
			continue;
		buf_addf(&out, "%s: ", prompt_host(prompt));
		escape_display(&out, text, (size_t)(end - text));
		buf_add_char(&out, '\n');
		lines++;
	}
	buf_addf(&out, "%s", prompt_host(prompt));
	if (p->count > 1)
		buf_addf(&out, " (%zu more wait)", p->count - 1);
	buf_addf(&out, ": ");
	escape_display(&out, text, strlen(text));
	return buf_take_str(&out);
}

static void prompter_ask(struct prompter *p, struct client *client)
{
	char *text = prompter_text(p);
	size_t n = strlen(text);

	/* What is made harmless may be four times as long. No half character is left. */
	if (n >= LIMIT_OPTION_TEXT)
		for (n = LIMIT_OPTION_TEXT - 1; n && (text[n] & 0xc0) == 0x80;)
			n--;
	text[n] = '\0';
	prompt_show(p->first->prompt);
	p->question = question_ask(client, JOB_ASK_PROMPT, text, prompt_echo(p->first->prompt),
				   prompter_on_answer, p);
	free(text);
}

static void prompter_next(struct prompter *p)
{
	struct client *client;

	if (p->question)
		return;
	while (p->first && !prompt_is_wanted(p->first->prompt))
		prompter_settle(p, PROMPT_NOBODY, NULL);
	if (!p->first)
		return;
	client = daemon_find_client(p->daemon, p->client);
	if (client)
		prompter_ask(p, client);
	else
		prompter_give_up(p, PROMPT_NOBODY);
}

static void prompter_take(void *arg, struct prompt *prompt)
{
	struct prompter *p = arg;
	struct prompter_item *item = xcalloc(1, sizeof *item);

	item->prompt = prompt;
	*p->last = item;
	p->last = &item->next;
	p->count++;
	prompter_next(p);
}

/* Each question that waits holds the prompts: there are none. */
static void prompter_done(void *arg)
{
	struct prompter *p = arg;

	question_free(p->question);
	free(p);
}

struct prompts *prompter_new(struct client *client)
{
	static const struct prompts_owner owner = {prompter_take, prompter_done};
	struct prompter *p = xcalloc(1, sizeof *p);

	p->daemon = client_daemon(client);
	p->client = client_number(client);
	p->last = &p->first;
	p->prompts = prompts_new(p->daemon->loop, &owner, p);
	return p->prompts;
}

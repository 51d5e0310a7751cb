#include <stdlib.h>

#include "alloc.h"
#include "config_private.h"

#define BUILD_FIRST 16u

void config_add_segment(struct ssh_config *c, uint32_t cond)
{
	struct config_cond *owner = &c->conds[cond];
	uint32_t number = c->segment_count;

	if (number == c->segment_size) {
		c->segment_size = number ? number * 2 : BUILD_FIRST;
		c->segments = xrealloc(c->segments, c->segment_size, sizeof *c->segments);
	}
	c->segments[number] = (struct config_segment){
		.cond = cond, .next = CONFIG_NONE, .first = c->setting_count};
	c->segment_count++;
	if (owner->first_segment == CONFIG_NONE)
		owner->first_segment = number;
	else
		c->segments[owner->last_segment].next = number;
	owner->last_segment = number;
}

uint32_t config_add_cond(struct config_parser *p, enum config_cond_kind kind)
{
	struct ssh_config *c = p->config;
	uint32_t number = c->cond_count;

	if (number == c->cond_size) {
		c->cond_size = number ? number * 2 : BUILD_FIRST;
		c->conds = xrealloc(c->conds, c->cond_size, sizeof *c->conds);
	}
	c->conds[number] = (struct config_cond){.kind = kind,
						.parent = p->source.cond,
						.file = p->file,
						.line = p->line,
						.first_segment = CONFIG_NONE,
						.last_segment = CONFIG_NONE};
	c->cond_count++;
	p->cond = number;
	config_add_segment(c, number);
	return number;
}

void config_add_setting(struct config_parser *p, enum config_key key, unsigned number,
			struct config_words *words)
{
	struct ssh_config *c = p->config;

	if (c->setting_count == c->setting_size) {
		c->setting_size = c->setting_size ? c->setting_size * 2 : BUILD_FIRST;
		c->settings = xrealloc(c->settings, c->setting_size, sizeof *c->settings);
	}
	c->settings[c->setting_count++] = (struct config_setting){
		.key = key, .number = number, .words = *words, .file = p->file, .line = p->line};
	*words = (struct config_words){0};
	c->segments[c->segment_count - 1].count++;
}

void config_note_ignored(struct config_parser *p, size_t slot, const char *what)
{
	struct ssh_config *c = p->config;
	char *old = c->ignored, place[CONFIG_PLACE_SIZE];

	if (c->ignored_seen[slot])
		return;
	c->ignored_seen[slot] = true;
	c->ignored = xasprintf("%s%s%s (%s)", old ? old : "", old ? ", " : "", what,
			       config_place(place, p->file, p->line));
	free(old);
}

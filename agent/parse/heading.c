#include "heading.h"

#include <ctype.h>

static bool heading_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void heading_step(struct heading_walk *walk, uint8_t c)
{
	walk->at++;
	if (c == '\t')
		walk->position = (walk->position / 8 + 1) * 8;
	else if ((c & 0xc0) != 0x80)
		walk->position++;
}

bool heading_next(struct heading_walk *walk, const uint8_t *line, size_t len,
		  struct heading_word *ret)
{
	while (walk->at < len && heading_is_blank(line[walk->at]))
		heading_step(walk, line[walk->at]);
	if (walk->at == len)
		return false;
	ret->begin = walk->at;
	ret->left = walk->position;
	while (walk->at < len && !heading_is_blank(line[walk->at]))
		heading_step(walk, line[walk->at]);
	ret->end = walk->at;
	ret->right = walk->position;
	return true;
}

/* Whether a word of the row lies across a position. The walk goes on from call to call; *word is
 * the last one that was seen, all zero at first. */
static bool heading_covers(struct heading_walk *walk, struct heading_word *word, const uint8_t *row,
			   size_t len, size_t position)
{
	while (word->right <= position)
		if (!heading_next(walk, row, len, word))
			return false;
	return word->left < position && word->right > position + 1;
}

/* A row that begins before the header does has a first column without a name. */
static void heading_unnamed(struct heading *h, const uint8_t *line, size_t len, const uint8_t *row,
			    size_t row_len)
{
	struct heading_walk walk = {0}, row_walk = {0};
	struct heading_word word, row_word;

	if (!heading_next(&walk, line, len, &word) ||
	    !heading_next(&row_walk, row, row_len, &row_word) || row_word.right >= word.left)
		return;
	h->words[h->count++] =
		(struct heading_word){.left = row_word.left, .right = row_word.right};
}

bool heading_read(struct heading *h, struct columns *columns, const uint8_t *line, size_t len,
		  const uint8_t *row, size_t row_len)
{
	struct heading_walk walk = {0}, row_walk = {0};
	struct heading_word word, row_word = {0};

	h->count = 0;
	heading_unnamed(h, line, len, row, row_len);
	while (heading_next(&walk, line, len, &word)) {
		struct heading_word *last = h->count ? &h->words[h->count - 1] : NULL;

		if (last && word.left == last->right + 1 &&
		    ((islower(line[word.begin]) && isupper(line[last->begin])) ||
		     (row && heading_covers(&row_walk, &row_word, row, row_len, last->right)))) {
			last->end = word.end;
			last->right = word.right;
			continue;
		}
		if (h->count == LIMIT_COLUMNS)
			return false;
		h->words[h->count++] = word;
	}
	for (size_t i = 0; i < h->count; i++)
		(void)columns_add(columns, line + h->words[i].begin,
				  h->words[i].end - h->words[i].begin);
	return true;
}

#include "progress.h"

#include <stdio.h>
#include <string.h>

#define PROGRESS_BAR	10u
#define PROGRESS_PARTS	6u
#define PROGRESS_SETTLE 200000000u /* ns: before it a rate is noise */

/* The parts after the bar, from left to right. None is longer than 63 characters. */
struct progress_parts {
	char text[PROGRESS_PARTS][64];
	size_t count;
	size_t failed; /* which of them is the red one */
};

static void progress_bar(char *out, const struct progress *p)
{
	double share = p->total ? (double)p->done / (double)p->total : 0;
	size_t full = p->done >= p->total ? PROGRESS_BAR : (size_t)(share * PROGRESS_BAR);

	memset(out, ' ', PROGRESS_BAR + 2);
	out[0] = '[';
	memset(out + 1, '#', full);
	if (full && full < PROGRESS_BAR)
		out[full] = '>';
	out[PROGRESS_BAR + 1] = ']';
	out[PROGRESS_BAR + 2] = '\0';
}

static void progress_eta(char *out, size_t size, double left_s)
{
	unsigned long s = left_s < 360000 ? (unsigned long)(left_s + 0.999) : 360000;

	if (s < 60)
		(void)snprintf(out, size, "ETA %lus", s);
	else if (s < 3600)
		(void)snprintf(out, size, "ETA %lum%02lus", s / 60, s % 60);
	else if (s < 360000)
		(void)snprintf(out, size, "ETA %luh%02lum", s / 3600, s % 3600 / 60);
	else
		(void)snprintf(out, size, "ETA >99h");
}

static void progress_fill(struct progress_parts *parts, const struct progress *p)
{
	double seconds = (double)p->elapsed_ns / 1e9, rate;
	size_t size = sizeof parts->text[0], n = 0;

	(void)snprintf(parts->text[n++], size, "%zu/%zu done", p->done, p->total);
	(void)snprintf(parts->text[n++], size, "%zu running", p->running);
	if (p->disconnected)
		(void)snprintf(parts->text[n++], size, "%zu disconnected", p->disconnected);
	parts->failed = n;
	(void)snprintf(parts->text[n++], size, "%zu failed", p->failed);
	if (p->elapsed_ns >= PROGRESS_SETTLE && p->done) {
		rate = (double)p->done / seconds;
		(void)snprintf(parts->text[n++], size, rate < 9.95 ? "%.1f/s" : "%.0f/s", rate);
		if (p->done < p->total)
			progress_eta(parts->text[n++], size, (double)(p->total - p->done) / rate);
	}
	parts->count = n;
}

/* The width of the first count parts with ", " between them. */
static size_t progress_width(const struct progress_parts *parts, size_t count)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		width += strlen(parts->text[i]) + (i ? 2 : 0);
	return width;
}

void progress_line(struct buf *out, const struct progress *p, size_t width, bool colour)
{
	struct progress_parts parts;
	char bar[PROGRESS_BAR + 3];

	progress_fill(&parts, p);
	if (progress_width(&parts, parts.count) + PROGRESS_BAR + 3 <= width) {
		progress_bar(bar, p);
		buf_add_str(out, bar);
		buf_add_char(out, ' ');
	}
	while (parts.count && progress_width(&parts, parts.count) > width)
		parts.count--;
	for (size_t i = 0; i < parts.count; i++) {
		bool red = colour && i == parts.failed && p->failed;

		if (i)
			buf_add_str(out, ", ");
		if (red)
			buf_add_str(out, "\033[31m");
		buf_add_str(out, parts.text[i]);
		if (red)
			buf_add_str(out, "\033[0m");
	}
}

#include "boot_scan.h"

#include <string.h>

void boot_scan_init(struct boot_scan *scan, const void *marker, size_t len)
{
	size_t k = 0;

	*scan = (struct boot_scan){.marker_len = len};
	memcpy(scan->marker, marker, len);
	for (size_t i = 1; i < len; i++) {
		while (k > 0 && scan->marker[i] != scan->marker[k])
			k = scan->back[k];
		if (scan->marker[i] == scan->marker[k])
			k++;
		scan->back[i + 1] = (uint8_t)k;
	}
}

void boot_scan_done(struct boot_scan *scan)
{
	buf_done(&scan->line);
}

static void boot_scan_byte(struct boot_scan *scan, uint8_t c, boot_scan_noise noise, void *arg)
{
	while (scan->matched > 0 && scan->marker[scan->matched] != c) {
		size_t keep = scan->back[scan->matched];

		noise(arg, scan->marker, scan->matched - keep);
		scan->matched = keep;
	}
	if (scan->marker[scan->matched] == c)
		scan->matched++;
	else
		noise(arg, &c, 1);
}

/* Looks for the marker; returns the bytes taken, the last of which may have completed it. */
static size_t boot_scan_seek(struct boot_scan *scan, const uint8_t *data, size_t len,
			     boot_scan_noise noise, void *arg)
{
	size_t i = 0;

	while (i < len && scan->matched < scan->marker_len) {
		if (scan->matched == 0 && data[i] != scan->marker[0]) {
			const uint8_t *next = memchr(data + i, scan->marker[0], len - i);
			size_t run = next ? (size_t)(next - data) - i : len - i;

			noise(arg, data + i, run);
			i += run;
			continue;
		}
		boot_scan_byte(scan, data[i++], noise, arg);
	}
	return i;
}

static bool boot_scan_is_prompt(const struct boot_scan *scan)
{
	return scan->prompt && scan->line.len == strlen(scan->prompt) &&
	       !memcmp(scan->line.data, scan->prompt, scan->line.len);
}

/* Collects the line behind the marker; true when it is complete. */
static bool boot_scan_line(struct boot_scan *scan, uint8_t c, boot_scan_noise noise, void *arg)
{
	if (c == '\n')
		return true;
	buf_add(&scan->line, &c, 1);
	if (boot_scan_is_prompt(scan))
		return true;
	if (scan->line.len > BOOT_SCAN_LINE) {
		noise(arg, scan->line.data, scan->line.len);
		scan->in_line = false;
		scan->matched = 0;
	}
	return false;
}

size_t boot_scan_feed(struct boot_scan *scan, const uint8_t *data, size_t len,
		      const char **ret_line, boot_scan_noise noise, void *arg)
{
	size_t i = 0;
	bool complete = false;

	*ret_line = NULL;
	while (i < len && !complete) {
		if (scan->in_line) {
			complete = boot_scan_line(scan, data[i++], noise, arg);
			continue;
		}
		i += boot_scan_seek(scan, data + i, len - i, noise, arg);
		scan->in_line = scan->matched == scan->marker_len;
		complete = scan->in_line && scan->whole;
		if (scan->in_line)
			buf_clear(&scan->line);
	}
	if (complete) {
		scan->in_line = false;
		scan->matched = 0;
		*ret_line = buf_cstr(&scan->line);
	}
	return i;
}

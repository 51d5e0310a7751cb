#include "logind.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"

#define LOGIND_CONF	"/etc/systemd/logind.conf"
#define LOGIND_FILE_MAX (1u << 20)

/* What a line says; -1: nothing. */
static int logind_line(const char *line)
{
	static const char key[] = "KillUserProcesses";

	line += strspn(line, " \t");
	if (strncmp(line, key, sizeof key - 1) != 0)
		return -1;
	line += sizeof key - 1;
	line += strspn(line, " \t");
	if (*line != '=')
		return -1;
	line += 1 + strspn(line + 1, " \t");
	/* yes, true, 1, on */
	return (*line && strchr("yYtT1", *line)) || strncmp(line, "on", 2) == 0;
}

/* What a file says; -1: nothing. */
static int logind_read(const char *path)
{
	struct buf text = {0};
	const char *line = NULL;
	int kills = -1;

	if (fd_read_file(&text, path, LOGIND_FILE_MAX) == 0)
		line = buf_cstr(&text);
	while (line) {
		int says = logind_line(line);

		kills = says >= 0 ? says : kills;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	buf_done(&text);
	return kills;
}

/* The last by its name has the last word. */
static int logind_read_parts(void)
{
	DIR *list = opendir(LOGIND_CONF ".d");
	const struct dirent *entry;
	char *last = NULL;
	int kills = -1;

	while (list && (entry = readdir(list)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');
		char *path = xasprintf(LOGIND_CONF ".d/%s", entry->d_name);
		int says = -1;

		if (end && strcmp(end, ".conf") == 0 && (!last || strcmp(path, last) > 0))
			says = logind_read(path);
		if (says >= 0) {
			kills = says;
			free(last);
			last = path;
		} else {
			free(path);
		}
	}
	if (list)
		(void)closedir(list);
	free(last);
	return kills;
}

bool logind_kills(void)
{
	int kills;

	if (geteuid() == 0)
		return false; /* root is left alone */
	kills = logind_read_parts();
	return (kills >= 0 ? kills : logind_read(LOGIND_CONF)) > 0;
}

#include "conn_prompt.h"

#include <string.h>

#include "alloc.h"

/* strcasestr(3) by ASCII alone, whatever the locale. */
static bool prompt_has(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (; *text; text++) {
		size_t i = 0;

		while (i < n && (text[i] | 0x20) == word[i])
			i++;
		if (i == n)
			return true;
	}
	return false;
}

static bool prompt_has_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (prompt_has(text, words[i]))
			return true;
	return false;
}

enum conn_prompt conn_prompt_kind(const char *text, bool echo, size_t count)
{
	static const char *const renewal[] = {"new password", "new unix password", "retype",
					      "current password", "(current)"};
	static const char *const codes[] = {
		"code",		"token", "one-time",  "onetime",  "otp",      "pin:",  "pin ",
		"verification", "duo",	 "challenge", "response", "passcode", "factor"};

	if (prompt_has_any(text, renewal, ARRAY_LEN(renewal)))
		return CONN_PROMPT_NEW;
	if (echo || prompt_has_any(text, codes, ARRAY_LEN(codes)))
		return CONN_PROMPT_OTHER;
	if (prompt_has(text, "password"))
		return CONN_PROMPT_PASSWORD;
	return count == 1 ? CONN_PROMPT_HIDDEN : CONN_PROMPT_OTHER;
}

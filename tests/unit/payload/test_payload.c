/* The agents inside of this program are whole, and for those that they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "alloc.h"
#include "payload.h"

#define PAYLOAD_MAX (150u << 10)

static void there_is_one_for_this_computer(void **state)
{
	struct utsname name;

	(void)state;
	assert_int_equal(uname(&name), 0);
	assert_non_null(payload_find(name.machine));
}

static void an_unknown_architecture_has_none(void **state)
{
	(void)state;
	assert_null(payload_find("vax"));
	assert_null(payload_find(""));
}

static void they_are_programs_of_their_architecture(void **state)
{
	size_t count;
	const struct payload *list = payload_list(&count);

	(void)state;
	assert_true(count >= 1);
	for (size_t i = 0; i < count; i++) {
		Elf64_Ehdr header;

		assert_true(list[i].len > sizeof header && list[i].len <= PAYLOAD_MAX);
		memcpy(&header, list[i].data, sizeof header);
		assert_memory_equal(header.e_ident, ELFMAG, SELFMAG);
		assert_int_equal(header.e_machine,
				 strcmp(list[i].arch, "aarch64") == 0 ? EM_AARCH64 : EM_X86_64);
		assert_ptr_equal(payload_find(list[i].arch), &list[i]);
	}
}

/* As sha256sum, which the target will ask, sees it. */
static void their_hashes_are_right(void **state)
{
	size_t count;
	const struct payload *list = payload_list(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char path[] = "/tmp/muster-payload-XXXXXX", hash[65] = "";
		char *command;
		FILE *file;
		int fd = mkstemp(path);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, list[i].data, list[i].len), list[i].len);
		(void)close(fd);
		command = xasprintf("sha256sum %s", path);
		file = popen(command, "r");
		assert_non_null(file);
		assert_int_equal(fread(hash, 1, 64, file), 64);
		(void)pclose(file);
		free(command);
		(void)unlink(path);
		assert_string_equal(list[i].sha256, hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_one_for_this_computer),
		cmocka_unit_test(an_unknown_architecture_has_none),
		cmocka_unit_test(they_are_programs_of_their_architecture),
		cmocka_unit_test(their_hashes_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

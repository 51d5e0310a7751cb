/* render/format.h: json, csv, yaml. */
#include "format_render.h"

#include "rows.h"

static const struct format_record bytes = {
	.host = "\xff", .job = 1, .child = 2, .stream = "error", .is_error = true, .seq = 3};

/* Two records and what the format adds behind the last. */
static void expect_two(const struct format *f, const struct render_style *style, const char *text,
		       const char *want)
{
	struct format_state st = {0};
	struct buf out = {0};

	add(&out, f, style, &st, &record, text, strlen(text), 64);
	add(&out, f, style, &st, &bytes, BYTES("\0\xff"), 64);
	f->close(&out, style, &st);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

static void json_is_one_array(void **state)
{
	(void)state;
	expect_two(&format_json, &plain, "say \"hi\"\n\033",
		   "[{\"host\":\"web1\",\"job\":12,\"child\":13,\"stream\":\"output\","
		   "\"seq\":18446744073709551615,\"time\":\"2026-03-01T12:34:56.123456Z\","
		   "\"value\":\"say \\\"hi\\\"\\n\\u001b\"},\n"
		   "{\"host\":{\"$bytes\":\"/w==\"},\"job\":1,\"child\":2,\"stream\":\"error\","
		   "\"seq\":3,\"time\":null,\"value\":{\"$bytes\":\"AP8=\"}}]\n");
	expect_empty(&format_json, &plain, "[]\n");
}

static void csv_lines(void **state)
{
	(void)state;
	expect_two(&format_csv, &plain, "say \"hi\", you\nand you\r",
		   "host,job,child,stream,seq,time,value,encoding\n"
		   "web1,12,13,output,18446744073709551615,2026-03-01T12:34:56.123456Z,"
		   "\"say \"\"hi\"\", you\nand you\r\",utf-8\n"
		   "\\xff,1,2,error,3,,\"AP8=\",base64\n");
	expect_two(&format_csv, &plain, "",
		   "host,job,child,stream,seq,time,value,encoding\n"
		   "web1,12,13,output,18446744073709551615,2026-03-01T12:34:56.123456Z,"
		   "\"\",utf-8\n"
		   "\\xff,1,2,error,3,,\"AP8=\",base64\n");
	expect_empty(&format_csv, &plain, "host,job,child,stream,seq,time,value,encoding\n");
}

static void csv_hosts_that_need_quotes(void **state)
{
	static const struct {
		const char *host, *want;
	} rows[] = {
		{"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""}, {"a\nb", "\"a\nb\""},
		{" a", "\" a\""},   {"a ", "\"a \""},	    {"", "\"\""},
		{"a b", "a b"},	    {"a\rb", "\"a\rb\""},   {"\xff,\"", "\"\\xff,\"\"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct format_record r = {.host = rows[i].host, .stream = "output"};
		struct format_state st = {.items = 1};
		struct buf out = {0}, want = {0};

		add(&out, &format_csv, &plain, &st, &r, "", 0, 1);
		buf_addf(&want, "%s,0,0,output,0,,\"\",base64\n", rows[i].want);
		assert_string_equal(buf_cstr(&out), buf_cstr(&want));
		buf_done(&out);
		buf_done(&want);
	}
}

/* CSV has no escapes: in a file the value is what it was, on a terminal it is harmless. */
static void csv_on_a_terminal(void **state)
{
	struct format_record r = {.host = "w\033\"", .stream = "output", .is_text = true};

	(void)state;
	expect_n(&format_csv, &plain, &r, BYTES("\033[2J\"\0\u202e"),
		 BYTES("host,job,child,stream,seq,time,value,encoding\n"
		       "\"w\033\"\"\",0,0,output,0,,\"\033[2J\"\"\0\u202e\",utf-8\n"));
	expect_n(&format_csv, &escaped, &r, BYTES("\033[2J\"\0\u202e"),
		 BYTES("host,job,child,stream,seq,time,value,encoding\n"
		       "\"w\\x1b\"\"\",0,0,output,0,,"
		       "\"\\x1b[2J\"\"\\x00\\u{202e}\",utf-8\n"));
}

static void yaml_sequence(void **state)
{
	(void)state;
	expect_two(&format_yaml, &plain, "say \"hi\": #no\n\033\u202e\uffff\ufffe\ufeff\uffbf",
		   "- host: \"web1\"\n"
		   "  job: 12\n"
		   "  child: 13\n"
		   "  stream: \"output\"\n"
		   "  seq: 18446744073709551615\n"
		   "  time: \"2026-03-01T12:34:56.123456Z\"\n"
		   "  value: \"say \\\"hi\\\": "
		   "#no\\n\\u001b\\u202e\\uffff\\ufffe\ufeff\uffbf\"\n"
		   "- host: {\"$bytes\": \"/w==\"}\n"
		   "  job: 1\n"
		   "  child: 2\n"
		   "  stream: \"error\"\n"
		   "  seq: 3\n"
		   "  time: null\n"
		   "  value: {\"$bytes\": \"AP8=\"}\n");
	expect_empty(&format_yaml, &plain, "[]\n");
}

/* --hide-computer-name, colour and a terminal are for people: programs get the same keys. */
static void no_style_hides_the_host(void **state)
{
	static const struct format *const all[] = {&format_json, &format_jsonl, &format_csv,
						   &format_yaml};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct buf want = {0}, got = {0};

		render(&want, all[i], &plain, &record, BYTES("x\xc3\xbc"), 64);
		assert_non_null(strstr(buf_cstr(&want), "web1"));
		render(&got, all[i], &bare_terminal, &record, BYTES("x\xc3\xbc"), 64);
		assert_string_equal(buf_cstr(&got), buf_cstr(&want));
		buf_done(&want);
		buf_done(&got);
	}
}

static void jobs_among_records(void **state)
{
	static const struct row_view job = {.id = 1, .state = "Running", .exit_code = -1};
	struct format_state st = {0};
	struct buf out = {0};

	(void)state;
	format_json.row(&out, &plain, &st, &job);
	add(&out, &format_json, &plain, &st, &record, BYTES("a"), 1);
	format_json.row(&out, &plain, &st, &job);
	format_json.close(&out, &plain, &st);
	assert_non_null(strstr(buf_cstr(&out), "[{\"id\":1,"));
	assert_non_null(strstr(buf_cstr(&out), "\"children\":[]},\n{\"host\":"));
	assert_non_null(strstr(buf_cstr(&out), "\"value\":\"a\"},\n{\"id\":1,"));
	assert_non_null(strstr(buf_cstr(&out), "\"children\":[]}]\n"));

	buf_clear(&out);
	st = (struct format_state){0};
	format_jsonl.row(&out, &plain, &st, &job);
	add(&out, &format_jsonl, &plain, &st, &record, BYTES("a"), 1);
	assert_non_null(strstr(buf_cstr(&out), "\"children\":[]}\n{\"host\":"));

	buf_clear(&out);
	st = (struct format_state){0};
	format_yaml.row(&out, &plain, &st, &job);
	add(&out, &format_yaml, &plain, &st, &record, BYTES("a"), 1);
	format_yaml.close(&out, &plain, &st);
	assert_non_null(strstr(buf_cstr(&out), "- id: 1\n"));
	assert_non_null(strstr(buf_cstr(&out), "\n  children: []\n- host: \"web1\"\n"));
	assert_int_not_equal(buf_cstr(&out)[0], '[');
	buf_done(&out);

	/* Two sets of columns are no CSV. */
	assert_null(format_csv.row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_one_array),
		cmocka_unit_test(csv_lines),
		cmocka_unit_test(csv_hosts_that_need_quotes),
		cmocka_unit_test(csv_on_a_terminal),
		cmocka_unit_test(yaml_sequence),
		cmocka_unit_test(no_style_hides_the_host),
		cmocka_unit_test(jobs_among_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

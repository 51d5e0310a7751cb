/* render/format.h: every format with typed values, and with what could not be parsed. */
#include "alloc.h"
#include "format_render.h"

#include <stdio.h>

#include "typed_values.h"

static const char *const ps[] = {"pid", "name"};

#define HEAD                                                                                   \
	"{\"host\":\"web1\",\"job\":12,\"child\":13,\"stream\":\"output\",\"seq\":7,\"time\":" \
	"null,"                                                                                \
	"\"value\":"

static struct format_record typed(const char *const *columns, size_t count)
{
	struct format_record r = {.host = "web1",
				  .job = 12,
				  .child = 13,
				  .stream = "output",
				  .seq = 7,
				  .is_typed = true,
				  .columns = columns,
				  .column_count = count};

	return r;
}

static void put(struct buf *out, const struct format *f, const struct render_style *style,
		struct format_state *st, const struct format_record *r, const struct buf *value)
{
	add(out, f, style, st, r, value->data, value->len, value->len);
}

static void is(const struct format *f, const struct render_style *style,
	       const struct format_record *r, const struct buf *value, const char *want)
{
	struct format_state st = {0};
	struct buf out = {0};

	put(&out, f, style, &st, r, value);
	f->close(&out, style, &st);
	assert_string_equal(buf_cstr(&out), want);
	format_state_done(&st);
	buf_done(&out);
}

#define IS(f, style, r, want, ...)              \
	do {                                    \
		struct buf value_ = {0};        \
		TYPED(&value_, __VA_ARGS__);    \
		is(f, style, r, &value_, want); \
		buf_done(&value_);              \
	} while (0)

static void programs_get_objects(void **state)
{
	struct format_record row = typed(ps, 2), value = typed(NULL, 0);

	(void)state;
	IS(&format_jsonl, &plain, &row, HEAD "{\"pid\":1,\"name\":\"in\\\"it\"}}\n", "[2", "u1",
	   "sin\"it");
	IS(&format_jsonl, &plain, &value, HEAD "18446744073709551615}\n", "u18446744073709551615");
	IS(&format_json, &plain, &value, "[" HEAD "[\"@253402300800\",null]}]\n", "[2",
	   "@253402300800.0", "fnan");
	IS(&format_yaml, &plain, &row,
	   "- host: \"web1\"\n  job: 12\n  child: 13\n  stream: \"output\"\n  seq: 7\n"
	   "  time: null\n  value: {\"pid\": 1, \"name\": {\"$bytes\": \"/w==\"}}\n",
	   "[2", "u1", "b\xff");
	IS(&format_csv, &plain, &row,
	   "host,job,child,stream,seq,time,value,encoding\n"
	   "web1,12,13,output,7,,\"{\"\"pid\"\":1,\"\"name\"\":\"\"a\\\"\"b\"\"}\",json\n",
	   "[2", "u1", "sa\"b");
}

static void programs_get_what_was_not_parsed(void **state)
{
	static const char csv[] =
		"host,job,child,stream,seq,time,value,encoding\nweb1,12,13,output,7,,";
	struct format_record bad = typed(NULL, 0), text = bad, bytes;
	char want[256];

	(void)state;
	bad.unparsed = text.unparsed = true;
	text.is_typed = false;
	bytes = text;
	text.is_text = true;
	IS(&format_jsonl, &plain, &bad, HEAD "{\"$error\":\"no\",\"$raw\":\"{x\"}}\n", "{2",
	   "s$error", "sno", "s$raw", "s{x");
	expect(&format_jsonl, &plain, &text, "a\n",
	       HEAD "{\"$error\":\"too long to be parsed\",\"$raw\":\"a\\n\"}}\n");
	expect(&format_jsonl, &plain, &bytes, "\xff",
	       HEAD "{\"$error\":\"too long to be parsed\",\"$raw\":{\"$bytes\":\"/w==\"}}}\n");
	expect_pieces(&format_csv, &plain, &bytes, BYTES("\xff\"abc\xfe"), 6);
	expect_pieces(&format_yaml, &plain, &text, BYTES("ab\"cd"), 5);
	(void)snprintf(
		want, sizeof want,
		"%s\"{\"\"$error\"\":\"\"too long to be parsed\"\",\"\"$raw\"\":\"\"a\\\"\"b\"\"}"
		"\",json\n",
		csv);
	expect(&format_csv, &plain, &text, "a\"b", want);
	(void)snprintf(
		want, sizeof want,
		"%s\"{\"\"$error\"\":\"\"too long to be parsed\"\",\"\"$raw\"\":{\"\"$bytes\"\":"
		"\"\"/w==\"\"}}\",json\n",
		csv);
	expect(&format_csv, &plain, &bytes, "\xff", want);
}

static void text_is_one_line(void **state)
{
	struct format_record row = typed(ps, 2), value = typed(NULL, 0), bad = value,
			     warning = value;

	(void)state;
	bad.unparsed = true;
	warning.mark = "WARNING: ";
	IS(&format_text, &plain, &row, "web1: pid=1 name=init\n", "[2", "u1", "sinit");
	IS(&format_text, &plain, &row, "web1: pid= name=\"two words\"\n", "[2", "n", "stwo words");
	IS(&format_text, &plain, &value, "web1: -5\n", "i-5");
	IS(&format_text, &plain, &value, "web1: null\n", "n");
	IS(&format_text, &plain, &value, "web1: [1,{\"a\":2}]\n", "[2", "u1", "{1", "sa", "u2");
	IS(&format_text, &plain, &value,
	   "web1: a=\"\" \"b c\"={\"d\":1} e=x=y f=\"\\\"\" g=\"\\u001b[2J\" h=\"\\xff\" "
	   "i=1970-01-01T00:00:00Z j=true\n",
	   "{8", "sa", "s", "sb c", "{1", "sd", "u1", "se", "sx=y", "sf", "s\"", "sg", "s\033[2J",
	   "sh", "b\xff", "si", "@0.0", "sj", "t");
	IS(&format_text, &bare, &value, "a=1\n", "{1", "sa", "u1");
	IS(&format_text, &plain, &bad, "web1: {x \033\n", "{2", "s$error", "sno", "s$raw",
	   "s{x \033");
	IS(&format_text, &escaped, &bad, "web1: {x \\x1b\n", "{2", "s$error", "sno", "s$raw",
	   "s{x \033");
	IS(&format_text, &plain, &warning, "web1: WARNING: 7\n", "u7");
	warning.is_typed = false;
	warning.is_text = true;
	expect(&format_text, &plain, &warning, "disk", "web1: WARNING: disk\n");
	expect(&format_text, &bare, &warning, "disk", "WARNING: disk\n");
}

static void lists_have_a_line_a_column(void **state)
{
	static const char *const wide[] = {"a-name-that-is-long", "b"};
	struct format_record row = typed(ps, 2), value = typed(NULL, 0), bad = value;
	struct format_record other = typed(wide, 2);

	(void)state;
	bad.unparsed = true;
	IS(&format_list, &plain, &row,
	   "ComputerName : web1\n"
	   "pid          : 1\n"
	   "name         : two\n"
	   "               ComputerName : db1\n",
	   "[2", "u1", "stwo\nComputerName : db1");
	IS(&format_list, &plain, &other,
	   "ComputerName        : web1\n"
	   "a-name-that-is-long : {\"x\":1}\n"
	   "b                   : \n",
	   "[2", "{1", "sx", "u1", "n");
	IS(&format_list, &plain, &value,
	   "ComputerName : web1\n"
	   "a\\x0ab       : 1\n",
	   "{1", "sa\nb", "u1");
	IS(&format_list, &bare, &value,
	   "Stream       : output\n"
	   "Time         : \n"
	   "Value        : 7\n",
	   "u7");
	IS(&format_list, &bare, &bad,
	   "Stream       : output\n"
	   "Time         : \n"
	   "Error        : no\n"
	   "Value        : {x\n",
	   "{2", "s$error", "sno", "s$raw", "s{x");
}

/* --- tables ---------------------------------------------------------------------------------- */

static void put_ps(struct buf *out, const struct format *f, struct format_state *st,
		   const char *host, const char *pid, const char *name)
{
	struct format_record r = typed(ps, 2);
	struct buf value = {0};

	r.host = host;
	TYPED(&value, "[2", pid, name);
	put(out, f, &plain, st, &r, &value);
	buf_done(&value);
}

static void tables_have_the_columns_of_the_rows(void **state)
{
	struct format_state st = {0};
	struct buf out = {0};

	(void)state;
	put_ps(&out, &format_table, &st, "web1", "u1", "sinit");
	put_ps(&out, &format_table, &st, "web2", "u31337", "n");
	put_ps(&out, &format_table, &st, "web3", "n", "stwo words\033");
	/* Nothing is written before it is known how wide the columns are. */
	assert_int_equal(out.len, 0);
	format_table.flush(&out, &plain, &st);
	put_ps(&out, &format_table, &st, "web4", "u2147483648", "slater");
	put_ps(&out, &format_table, &st, "web4", "sword", "sx");
	format_table.close(&out, &plain, &st);
	assert_string_equal(buf_cstr(&out), "Host            pid  name\n"
					    "web1              1  init\n"
					    "web2          31337\n"
					    "web3                 two words\\x1b\n"
					    "web4          2147483648  later\n"
					    "web4          word        x\n");
	format_state_done(&st);
	buf_done(&out);
}

static void maps_that_lack_a_key_or_turn_them_round_fit(void **state)
{
	struct format_record value = typed(NULL, 0);
	struct format_state st = {0};
	struct buf out = {0}, map = {0};
	static const char *const rows[][5] = {
		{"{2", "sa", "u1", "sb", "u2"}, {"{1", "sb", "u3"}, {"{0"},
		{"{2", "sb", "u5", "sa", "u4"}, {"{1", "sc", "u6"},
	};
	static const size_t lengths[] = {5, 3, 1, 5, 3};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_clear(&map);
		typed_put(&map, rows[i], lengths[i]);
		put(&out, &format_table, &plain, &st, &value, &map);
	}
	format_table.close(&out, &plain, &st);
	assert_string_equal(buf_cstr(&out), "Host          a  b\n"
					    "web1          1  2\n"
					    "web1             3\n"
					    "web1\n"
					    "web1          4  5\n"
					    "Host          c\n"
					    "web1          6\n");
	format_state_done(&st);
	buf_done(&map);
	buf_done(&out);
}

static void other_columns_need_other_titles(void **state)
{
	struct format_record value = typed(NULL, 0);
	struct format_state st = {0};
	struct buf out = {0}, map = {0};

	(void)state;
	TYPED(&map, "{1", "sfree", "u5");
	put_ps(&out, &format_table, &st, "web1", "u1", "sinit");
	put(&out, &format_table, &plain, &st, &value, &map);
	put(&out, &format_table, &plain, &st, &value, &map);
	put_ps(&out, &format_table, &st, "web1", "u2", "sx");
	add(&out, &format_table, &plain, &st, &record, BYTES("up"), 2);
	put_ps(&out, &format_table, &st, "web1", "u3", "sy");
	buf_clear(&map);
	TYPED(&map, "u9");
	put(&out, &format_table, &plain, &st, &value, &map);
	format_table.close(&out, &plain, &st);
	assert_string_equal(buf_cstr(&out), "Host          pid  name\n"
					    "web1            1  init\n"
					    "Host          free\n"
					    "web1             5\n"
					    "web1             5\n"
					    "Host          pid  name\n"
					    "web1            2  x\n"
					    "Host          Stream   Value\n"
					    "web1          output   up\n"
					    "Host          pid  name\n"
					    "web1            3  y\n"
					    "Host          Stream   Value\n"
					    "web1          output   9\n");
	format_state_done(&st);
	buf_done(&map);
	buf_done(&out);
}

/* A host that sends one long cell does not make the lines of the others long. */
static void a_long_cell_widens_nothing(void **state)
{
	char name[1000];
	struct format_state st = {0};
	struct buf out = {0};

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[0] = 's';
	name[sizeof name - 1] = '\0';
	put_ps(&out, &format_table, &st, "web1", name, "sa");
	put_ps(&out, &format_table, &st, "web1", "sp", "sb");
	format_table.close(&out, &plain, &st);
	assert_non_null(strstr(buf_cstr(&out), "x  a\nweb1          p    b\n"));
	format_state_done(&st);
	buf_done(&out);
}

static void tables_colour_and_hide_the_host(void **state)
{
	struct format_record row = typed(ps, 2);

	(void)state;
	IS(&format_table, &coloured, &row,
	   "Host          pid  name\n"
	   "\033[34mweb1\033[0m            1  a\n",
	   "[2", "u1", "sa");
	IS(&format_table, &bare, &row, "pid  name\n  1  a b\n", "[2", "u1", "sa\tb");
}

static void auto_makes_tables_of_rows_alone(void **state)
{
	struct format_record value = typed(NULL, 0);
	struct format_state st = {0};
	struct buf out = {0}, map = {0};

	(void)state;
	TYPED(&map, "{1", "sfree", "u5");
	add(&out, &format_auto, &plain, &st, &record, BYTES("up"), 2);
	put_ps(&out, &format_auto, &st, "web1", "u1", "sinit");
	put(&out, &format_auto, &plain, &st, &value, &map);
	put_ps(&out, &format_auto, &st, "web1", "u2", "sx");
	add(&out, &format_auto, &plain, &st, &record, BYTES("up"), 2);
	format_auto.close(&out, &plain, &st);
	assert_string_equal(buf_cstr(&out), "web1: up\n"
					    "Host          pid  name\n"
					    "web1            1  init\n"
					    "web1: free=5\n"
					    "Host          pid  name\n"
					    "web1            2  x\n"
					    "web1: up\n");
	format_state_done(&st);
	buf_done(&map);
	buf_done(&out);
	assert_null(format_find("auto"));
}

/* Whatever the bytes: no format reads past them, and programs get whole records. */
static void values_that_end_early(void **state)
{
	static const struct format *const all[] = {&format_text,  &format_table, &format_list,
						   &format_jsonl, &format_csv,	 &format_yaml};
	struct format_record row = typed(ps, 2);
	struct buf value = {0};

	(void)state;
	TYPED(&value, "[2", "{2", "sa", "[2", "u1", "sinit", "sb", "b\xff", "@1.5");
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		for (size_t n = 1; n < value.len; n++) {
			/* Of its own, so that a byte too many is seen. */
			uint8_t *copy = malloc(n);
			struct buf out = {0};
			struct format_state st = {0};

			memcpy(copy, value.data, n);
			add(&out, all[i], &plain, &st, &row, copy, n, n);
			all[i]->close(&out, &plain, &st);
			assert_true(out.len && out.data[out.len - 1] == '\n');
			format_state_done(&st);
			buf_done(&out);
			free(copy);
		}
	buf_done(&value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_get_objects),
		cmocka_unit_test(programs_get_what_was_not_parsed),
		cmocka_unit_test(text_is_one_line),
		cmocka_unit_test(lists_have_a_line_a_column),
		cmocka_unit_test(tables_have_the_columns_of_the_rows),
		cmocka_unit_test(maps_that_lack_a_key_or_turn_them_round_fit),
		cmocka_unit_test(other_columns_need_other_titles),
		cmocka_unit_test(a_long_cell_widens_nothing),
		cmocka_unit_test(tables_colour_and_hide_the_host),
		cmocka_unit_test(auto_makes_tables_of_rows_alone),
		cmocka_unit_test(values_that_end_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

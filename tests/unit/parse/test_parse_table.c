/* table: output of programs as it looks. */
#include "parse_run.h"

#define UNPARSED(why, raw) "value {\"$error\":\"" why "\",\"$raw\":" raw "} unparsed\n"

static const struct parse_case table_cases[] = {
	{"nothing", PARSE_TABLE, NULL, "", 0, ""},
	{"header alone", PARSE_TABLE, NULL, "\nNAME  SIZE\n", 0, "schema 1(NAME,SIZE)\n"},
	{"left", PARSE_TABLE, NULL, "NAME  STATE\nab    up\nlonger\n      down\n", 0,
	 "schema 1(NAME,STATE)\nrow 1[\"ab\",\"up\"]\nrow 1[\"longer\",nil]\n"
	 "row 1[nil,\"down\"]\n"},
	{"right", PARSE_TABLE, NULL, "  PID  RSS CMD\n    1  120 init\n12345    7 sh -c x  y\r\n",
	 0, "schema 1(PID,RSS,CMD)\nrow 1[1,120,\"init\"]\nrow 1[12345,7,\"sh -c x  y\"]\n"},
	{"ps aux", PARSE_TABLE, NULL,
	 "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"
	 "root           1  0.0  0.2 169300 13000 ?        Ss   10:00   0:02 /sbin/init splash\n"
	 "verylongname 12345 12.5  0.2 16930000 13000 pts/0 R+  10:00   0:02 ps aux\n",
	 0,
	 "schema 1(USER,PID,%CPU,%MEM,VSZ,RSS,TTY,STAT,START,TIME,COMMAND)\n"
	 "row 1[\"root\",1,0f,0.2f,169300,13000,\"?\",\"Ss\",\"10:00\",\"0:02\","
	 "\"/sbin/init splash\"]\n"
	 "row 1[\"verylongname\",12345,12.5f,0.2f,16930000,13000,\"pts/0\",\"R+\",\"10:00\","
	 "\"0:02\",\"ps aux\"]\n"},
	{"df", PARSE_TABLE, NULL,
	 "Filesystem      Size  Used Avail Use% Mounted on\n"
	 "/dev/sda1        40G   12G   26G  32% /\n"
	 "/dev/mapper/vg-a-long-one  1.0T  900G  100G  90% /srv/my data\n",
	 0,
	 "schema 1(Filesystem,Size,Used,Avail,Use%,Mounted on)\n"
	 "row 1[\"/dev/sda1\",\"40G\",\"12G\",\"26G\",\"32%\",\"/\"]\n"
	 "row 1[\"/dev/mapper/vg-a-long-one\",\"1.0T\",\"900G\",\"100G\",\"90%\","
	 "\"/srv/my data\"]\n"},
	{"docker ps", PARSE_TABLE, NULL,
	 "CONTAINER ID   IMAGE     COMMAND       CREATED         PORTS     NAMES\n"
	 "0123456789ab   nginx     \"run it now\"  2 minutes ago             web\n"
	 "0123456789ac   redis     \"redis\"       3 hours ago     6379/tcp  db\n",
	 0,
	 "schema 1(CONTAINER ID,IMAGE,COMMAND,CREATED,PORTS,NAMES)\n"
	 "row 1[\"0123456789ab\",\"nginx\",\"\"run it now\"\",\"2 minutes ago\",nil,\"web\"]\n"
	 "row 1[\"0123456789ac\",\"redis\",\"\"redis\"\",\"3 hours ago\",\"6379/tcp\",\"db\"]\n"},
	{"lsblk", PARSE_TABLE, NULL,
	 "NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n"
	 "sda      8:0    0   40G  0 disk \n"
	 "\xe2\x94\x9c\xe2\x94\x80sda1   8:1    0   39G  0 part /\n",
	 0,
	 "schema 1(NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS)\n"
	 "row 1[\"sda\",\"8:0\",0,\"40G\",0,\"disk\",nil]\n"
	 "row 1[\"\xe2\x94\x9c\xe2\x94\x80sda1\",\"8:1\",0,\"39G\",0,\"part\",\"/\"]\n"},
	{"free: the first column has no name", PARSE_TABLE, NULL,
	 "               total        used        free\n"
	 "Mem:        16384000     1234567     9876543\n"
	 "Swap:              0           0           0\n",
	 0,
	 "schema 1(column1,total,used,free)\nrow 1[\"Mem:\",16384000,1234567,9876543]\n"
	 "row 1[\"Swap:\",0,0,0]\n"},
	{"neither by place nor by count", PARSE_TABLE, NULL, "AA  BB  CC\n1   2   3\nxxxxxx y\n", 0,
	 "schema 1(AA,BB,CC)\nrow 1[1,2,3]\n" UNPARSED("the row does not fit under the header",
						       "\"xxxxxx y\"")},
	{"tabs", PARSE_TABLE, NULL, "A\tB\tC\nx\t\ty\n", 0,
	 "schema 1(A,B,C)\nrow 1[\"x\",nil,\"y\"]\n"},
	{"does not fit", PARSE_TABLE, NULL, "AA BB CC\nxxxxx y\n1  2  3\n", 0,
	 "schema 1(AA BB,CC)\nrow 1[\"xxxxx\",\"y\"]\nrow 1[\"1  2\",3]\n"},
	{"one column", PARSE_TABLE, NULL, "NAME\na b\n  c\n", 0,
	 "schema 1(NAME)\nrow 1[\"a b\"]\nrow 1[\"c\"]\n"},
	{"same names", PARSE_TABLE, NULL, "A  A\n1  2\n", 0, "schema 1(A,A_2)\nrow 1[1,2]\n"},
	{"fault_42: bytes", PARSE_TABLE, NULL, BYTES("A     B\n\xff\xfe    x\0y\n"),
	 "schema 1(A,B)\nrow 1[b\"\\xff\\xfe\",\"x\\x00y\"]\n"},
};

static void test_tables(void **state)
{
	(void)state;
	run_cases(table_cases, ARRAY_LEN(table_cases));
}

static void table_words(struct parse *p, const char *word, size_t count)
{
	run_repeat(p, word, count);
	parse_add(p, "\n", 1);
}

static void test_columns(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_TABLE, NULL, &c);

	(void)state;
	table_words(p, "C  ", LIMIT_COLUMNS);
	table_words(p, "1  ", LIMIT_COLUMNS + 1);
	run_finish(p);
	assert_int_equal(c.typed, 1);
	assert_int_equal(c.unparsed, 0);
	p = run_counter(PARSE_TABLE, NULL, &c);
	table_words(p, "C  ", LIMIT_COLUMNS + 1);
	table_words(p, "1  ", LIMIT_COLUMNS + 1);
	run_finish(p);
	assert_int_equal(c.records, 2);
	assert_int_equal(c.unparsed, 2);
}

static void test_big_row(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_TABLE, NULL, &c);

	(void)state;
	parse_add(p, "A  B\n", 5);
	table_words(p, "x ", LIMIT_TYPED_VALUE);
	parse_add(p, "1  2\n", 5);
	run_finish(p);
	/* Pieces of text for what is too big, then a row. */
	assert_int_equal(c.bytes, LIMIT_TYPED_VALUE * 2);
	assert_int_equal(c.typed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_big_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

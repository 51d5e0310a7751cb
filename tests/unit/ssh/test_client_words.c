/* What the words of the OpenSSH client mean: as they are printed by OpenSSH 9.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "alloc.h"
#include "client_words.h"
#include "pacer.h"

static const struct {
	const char *said;
	enum conn_end end;
	enum pacer_end trouble;
	const char *text;
} failures[] = {
	{"ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n", CONN_END_UNREACHABLE,
	 PACER_REFUSED, "connection refused"},
	{"ssh: connect to host h port 22: No route to host\r\n", CONN_END_UNREACHABLE,
	 PACER_UNREACHABLE, "no route to host"},
	{"ssh: connect to host h port 22: Permission denied\r\n", CONN_END_UNREACHABLE,
	 PACER_UNREACHABLE, "permission denied"},
	{"ssh: connect to host h port 22: Connection timed out\r\n", CONN_END_TIMEOUT,
	 PACER_UNREACHABLE, "connect"},
	{"Connection timed out during banner exchange\r\n"
	 "Connection to 10.0.0.1 port 22 timed out\r\n",
	 CONN_END_TIMEOUT, PACER_UNREACHABLE, "key exchange"},
	{"ssh: Could not resolve hostname h: Name or service not known\r\n", CONN_END_UNREACHABLE,
	 PACER_FINAL, "cannot resolve h.example.com: Name or service not known"},
	{"ssh: Could not resolve hostname h: Temporary failure in name resolution\r\n",
	 CONN_END_UNREACHABLE, PACER_RESOLVE_AGAIN,
	 "cannot resolve h.example.com: Temporary failure in name resolution"},
	{"kex_exchange_identification: Connection closed by remote host\r\n"
	 "Connection closed by 10.0.0.1 port 22\r\n",
	 CONN_END_UNREACHABLE, PACER_DROPPED, "the server closed the connection before the login"},
	{"kex_exchange_identification: read: Connection reset by peer\r\n", CONN_END_UNREACHABLE,
	 PACER_DROPPED, "the server closed the connection before the login"},
	{"kex_exchange_identification: banner line contains invalid characters\r\n",
	 CONN_END_UNREACHABLE, PACER_FINAL, "no SSH server answers there"},
	{"Unable to negotiate with 10.0.0.1 port 22: no matching cipher found. Their offer: x\r\n",
	 CONN_END_UNREACHABLE, PACER_FINAL,
	 "ssh: Unable to negotiate with 10.0.0.1 port 22: no matching cipher found. Their offer: "
	 "x"},
	{"No ED25519 host key is known for h and you have requested strict checking.\r\n"
	 "Host key verification failed.\r\n",
	 CONN_END_HOST_KEY, PACER_FINAL, "not known (by the OpenSSH client)"},
	{"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
	 "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\n"
	 "Host key for h has changed and you have requested strict checking.\r\n"
	 "Host key verification failed.\r\n",
	 CONN_END_HOST_KEY, PACER_FINAL,
	 "changed: not the key of known_hosts (by the OpenSSH client)"},
	{"Authorized uses only.\n\nroot@10.0.0.1: Permission denied (publickey,password).\r\n",
	 CONN_END_AUTH, PACER_FINAL, "permission denied (publickey,password)."},
	{"Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n"
	 "Disconnected from 10.0.0.1 port 22\r\n",
	 CONN_END_AUTH, PACER_FINAL, "too many authentication failures"},
	{"channel 0: open failed: connect failed: Connection refused\r\n"
	 "stdio forwarding failed\r\n"
	 "kex_exchange_identification: Connection closed by remote host\r\n",
	 CONN_END_UNREACHABLE, PACER_UNREACHABLE,
	 "ssh: channel 0: open failed: connect failed: Connection refused"},
	{"subsystem request failed on channel 0\r\n", CONN_END_REFUSED, PACER_FINAL,
	 "the server has no such subsystem (see sshd_config(5), Subsystem)"},
	{"/x/config: line 1: Bad configuration option: nonsense\r\n"
	 "/x/config: terminating, 1 bad configuration options\r\n",
	 CONN_END_UNREACHABLE, PACER_FINAL,
	 "ssh: /x/config: line 1: Bad configuration option: nonsense"},
	{"Timeout, server h not responding.\r\n", CONN_END_TIMEOUT, PACER_UNREACHABLE,
	 "ssh: Timeout, server h not responding."},
	{"first\nwhat is \x1b[31mthat\n\n", CONN_END_UNREACHABLE, PACER_FINAL,
	 "ssh: what is \\x1b[31mthat"},
	{"", CONN_END_UNREACHABLE, PACER_FINAL, "the OpenSSH client failed without a word"},
	{"\n\r\n", CONN_END_UNREACHABLE, PACER_FINAL, "the OpenSSH client failed without a word"},
};

static void test_failures(void **state)
{
	char host[] = "h", hostname[] = "h.example.com";
	const struct plan_target t = {.host = host, .hostname = hostname};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		struct conn_result result = {.exit_code = 3, .signal = "TERM"};

		client_words_failure(failures[i].said, &t, &result);
		assert_string_equal(result.text, failures[i].text);
		assert_int_equal(result.end, failures[i].end);
		assert_int_equal(result.trouble, failures[i].trouble);
		assert_int_equal(result.exit_code, -1);
		assert_string_equal(result.signal, "");
	}
}

/* A target whose configuration failed has no more than the name. */
static void test_no_host_name(void **state)
{
	const struct plan_target t = {.host = "h"};
	struct conn_result result = {0};

	(void)state;
	client_words_failure("ssh: Could not resolve hostname h: no\n", &t, &result);
	assert_string_equal(result.text, "cannot resolve: no");
}

static void test_long_lines_are_cut(void **state)
{
	const struct plan_target t = {.host = "h"};
	struct conn_result result = {0};
	char said[CLIENT_SAID_MAX];

	(void)state;
	memset(said, 'x', sizeof said - 1);
	said[sizeof said - 1] = '\0';
	client_words_failure(said, &t, &result);
	assert_true(strlen(result.text) < sizeof result.text);
	assert_memory_equal(result.text, "ssh: xxx", 8);
}

static void test_lost(void **state)
{
	struct conn_result result = {0};

	(void)state;
	assert_false(client_words_lost("", &result));
	assert_false(client_words_lost("the command's own words\n", &result));
	/* The command said that, and then something else. */
	assert_false(client_words_lost("Connection reset by peer\nretrying\n", &result));
	assert_true(
		client_words_lost("words\nConnection to h closed by remote host.\r\n", &result));
	assert_int_equal(result.end, CONN_END_LOST);
	assert_string_equal(result.text, "ssh: Connection to h closed by remote host.");
	assert_true(client_words_lost("client_loop: send disconnect: Broken pipe\r\n", &result));
	assert_true(client_words_lost("Timeout, server h not responding.\r\n", &result));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_no_host_name),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

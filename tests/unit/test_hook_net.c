#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/hook/net.h"

static struct gw_hook_net *make(const char *const *allow, size_t n, const char *hosts)
{
	struct bus_conf_list list = { .item = bus_xcalloc(n + 1, sizeof(char *)), .n = n }, ports = { 0 };
	const struct gw_hook_net_conf conf = { .allow = &list, .ports = &ports, .hosts = hosts };
	struct gw_hook_net *net;

	for (size_t i = 0; i < n; i++)
		list.item[i] = bus_xstrdup(allow[i]);
	if (gw_hook_net_new(&conf, &net, NULL))
		net = NULL;
	for (size_t i = 0; i < n; i++)
		free(list.item[i]);
	free(list.item);
	return net;
}

static bool may(struct gw_hook_net *net, const char *url, const char *address)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct bus_url to;

	assert_int_equal(bus_url_read(url, &to, NULL), BUS_OK);
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		memcpy(&a, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		memcpy(&a, &v6, sizeof(v6));
	else
		fail_msg("'%s' is no address", address);
	return gw_hook_net_may(net, &to, (const struct sockaddr *)&a);
}

/* Of IANA's registries of special-purpose addresses, and the forms that carry IPv4 inside IPv6. */
static const char *const inside[] = { "10.0.0.1",     "10.255.255.255",	 "172.16.0.1",	    "172.31.255.255",
				      "192.168.1.1",  "100.64.0.1",	 "100.127.255.255", "fc00::1",
				      "fd12:3456::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",  "2002:a00:1::1" };
static const char *const never[] = {
	"0.0.0.0",
	"127.0.0.1",
	"127.255.255.254",
	"169.254.169.254",
	"169.254.0.1",
	"192.0.0.8",
	"192.0.2.1",
	"198.18.0.1",
	"198.19.255.255",
	"198.51.100.7",
	"203.0.113.9",
	"224.0.0.1",
	"239.1.1.1",
	"240.0.0.1",
	"255.255.255.255",
	"::",
	"::1",
	"::127.0.0.1",
	"::ffff:127.0.0.1",
	"::ffff:169.254.169.254",
	"fe80::1",
	"fec0::1",
	"ff02::1",
	"2001::1",
	"2001:db8::1",
	"64:ff9b::7f00:1",
	"64:ff9b:1::1",
	"2002:7f00:1::",
	"fd00:ec2::254",
	"100::1",
	"3fff::1",
};
static const char *const whole[] = { "8.8.8.8",		 "172.32.0.1",	    "172.15.255.255",
				     "192.167.255.255",	 "100.128.0.1",	    "9.255.255.255",
				     "11.0.0.0",	 "2606:4700::1111", "2a00:1450::1",
				     "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8",
				     "223.255.255.255" };

static void goes_to_the_whole_internet_and_nowhere_else(void **state)
{
	struct gw_hook_net *net = make(NULL, 0, NULL);

	(void)state;
	for (size_t i = 0; i < BUS_LEN(whole); i++)
		if (!may(net, "https://a.test/", whole[i]))
			fail_msg("refused: %s", whole[i]);
	for (size_t i = 0; i < BUS_LEN(inside); i++)
		if (may(net, "https://a.test/", inside[i]))
			fail_msg("allowed: %s", inside[i]);
	for (size_t i = 0; i < BUS_LEN(never); i++)
		if (may(net, "https://a.test/", never[i]))
			fail_msg("allowed: %s", never[i]);
	gw_hook_net_free(&net);
}

static void a_host_of_the_list_may_be_private_but_never_this_machine(void **state)
{
	static const char *const allow[] = { "kait.dinsos.go.id:8443", "http://kait.lokal:8080" };
	struct gw_hook_net *net = make(allow, 2, NULL);

	(void)state;
	for (size_t i = 0; i < BUS_LEN(inside); i++) {
		assert_true(may(net, "https://kait.dinsos.go.id:8443/", inside[i]));
		assert_true(may(net, "http://kait.lokal:8080/", inside[i]));
		assert_false(may(net, "https://kait.dinsos.go.id/", inside[i]));
		assert_false(may(net, "https://lain.dinsos.go.id:8443/", inside[i]));
	}
	for (size_t i = 0; i < BUS_LEN(never); i++)
		if (may(net, "https://kait.dinsos.go.id:8443/", never[i]))
			fail_msg("allowed: %s", never[i]);
	gw_hook_net_free(&net);
}

static void addresses_of_the_list_are_good_for_every_host(void **state)
{
	static const char *const allow[] = { "10.20.0.0/15", "127.0.0.2/32", "fd12:3456::/33" };
	struct gw_hook_net *net = make(allow, 3, NULL);

	(void)state;
	assert_true(may(net, "https://a.test/", "10.20.0.1"));
	assert_true(may(net, "https://a.test/", "10.21.255.255"));
	assert_false(may(net, "https://a.test/", "10.22.0.0"));
	assert_true(may(net, "https://a.test/", "127.0.0.2"));
	assert_false(may(net, "https://a.test/", "127.0.0.1"));
	assert_false(may(net, "https://a.test/", "127.0.0.3"));
	assert_true(may(net, "https://a.test/", "fd12:3456:7fff::1"));
	assert_false(may(net, "https://a.test/", "fd12:3456:8000::1"));
	gw_hook_net_free(&net);
}

static enum bus_err url(struct gw_hook_net *net, const char *text)
{
	struct bus_url out;

	return gw_hook_net_url(net, text, &out, NULL);
}

static void a_url_is_looked_at_before_it_is_kept(void **state)
{
	static const char *const allow[] = { "kait.dinsos.go.id:8443", "http://kait.lokal:8080",
					     "http://127.0.0.2:81", "127.0.0.2/32" };
	struct gw_hook_net *net = make(allow, 4, NULL);

	(void)state;
	assert_int_equal(url(net, "https://a.test/x"), BUS_OK);
	assert_int_equal(url(net, "https://a.test:8443/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://a.test:22/x"), BUS_EDENIED);
	assert_int_equal(url(net, "http://a.test/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://kait.dinsos.go.id:8443/x"), BUS_OK);
	assert_int_equal(url(net, "http://kait.dinsos.go.id:8443/x"), BUS_EDENIED);
	assert_int_equal(url(net, "http://kait.lokal:8080/x"), BUS_OK);
	assert_int_equal(url(net, "http://KAIT.lokal:8080/x"), BUS_OK);
	assert_int_equal(url(net, "http://127.0.0.2:81/x"), BUS_OK);
	assert_int_equal(url(net, "https://127.0.0.1/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://2130706433/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://[::1]/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://[::ffff:169.254.169.254]/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://10.0.0.1/x"), BUS_EDENIED);
	assert_int_equal(url(net, "https://8.8.8.8/x"), BUS_OK);
	assert_int_equal(url(net, "https://a:b@a.test/x"), BUS_EINVAL);
	gw_hook_net_free(&net);
}

static void a_list_that_says_nothing_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	  "a.test",	  "10.0.0.0",	    "10.0.0.0/33",     "10.0.0.0/-1",
		"::/129", "a.test:443/x", "ftp://a.test:1", "https://a.test:", "10.0.0.0/8x"
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct gw_hook_net *net = make(&bad[i], 1, NULL);

		if (net)
			fail_msg("taken: '%s'", bad[i]);
	}
}

static void a_hosts_file_is_read_anew_for_each_name(void **state)
{
	char path[] = "/tmp/hosts-XXXXXX";
	struct sockaddr_storage a[4];
	struct gw_hook_net *net;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	dprintf(fd,
		"# kantor\n10.1.2.3 satu.test dua.test # tiga.test\nfd00::1\tsatu.test\nbukan satu.test\n");
	net = make(NULL, 0, path);
	assert_int_equal(gw_hook_net_find(net, "satu.test", a, 4), 2);
	assert_int_equal(a[0].ss_family, AF_INET);
	assert_int_equal(a[1].ss_family, AF_INET6);
	assert_int_equal(gw_hook_net_find(net, "DUA.test", a, 4), 1);
	assert_int_equal(gw_hook_net_find(net, "tiga.test", a, 4), 0);
	assert_int_equal(gw_hook_net_find(net, "satu.test", a, 1), 1);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(gw_hook_net_find(net, "satu.test", a, 4), 0);
	gw_hook_net_free(&net);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_to_the_whole_internet_and_nowhere_else),
		cmocka_unit_test(a_host_of_the_list_may_be_private_but_never_this_machine),
		cmocka_unit_test(addresses_of_the_list_are_good_for_every_host),
		cmocka_unit_test(a_url_is_looked_at_before_it_is_kept),
		cmocka_unit_test(a_list_that_says_nothing_is_refused),
		cmocka_unit_test(a_hosts_file_is_read_anew_for_each_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

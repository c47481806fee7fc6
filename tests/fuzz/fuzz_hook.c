/* What outsiders say to webhooks: URLs of readers, headers of receivers, a hosts file; and records of the topic. What is
 * taken keeps its promises: a URL that may be kept leads to an open port, a record reads back as it was written. */
#include <assert.h>
#include <stdint.h>

#include "gateway/hook/net.h"
#include "gateway/hook/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gw_hook_net *net(void)
{
	static const struct bus_conf_list none;
	static const struct gw_hook_net_conf conf = { .allow = &none, .ports = &none };
	static struct gw_hook_net *it;

	if (!it)
		assert(gw_hook_net_new(&conf, &it, NULL) == BUS_OK);
	return it;
}

static void record(struct bus_str text)
{
	struct gw_hook_sub *s, *again;
	struct gw_hook_pos p, q;
	struct bus_buf one = { 0 }, two = { 0 };

	if (gw_hook_sub_read(text, &s, NULL) == BUS_OK) {
		gw_hook_sub_write(s, &one);
		assert(gw_hook_sub_read(bus_buf_str(&one), &again, NULL) == BUS_OK);
		gw_hook_sub_write(again, &two);
		assert(bus_str_eq(bus_buf_str(&one), bus_buf_str(&two)));
		gw_hook_sub_unref(&s);
		gw_hook_sub_unref(&again);
	}
	bus_buf_reset(&one);
	if (gw_hook_pos_read(text, &p, NULL) == BUS_OK) {
		gw_hook_pos_write(&p, &one);
		assert(gw_hook_pos_read(bus_buf_str(&one), &q, NULL) == BUS_OK);
	}
	bus_buf_release(&one);
	bus_buf_release(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = bus_xstrndup((const char *)data, size);
	struct bus_url url;
	int64_t wait = gw_hook_retry_after(text, INT64_C(1700000000000));

	assert(wait >= -1);
	assert(gw_hook_allowed_rate(text) >= 0 && gw_hook_allowed_rate(text) <= GW_HOOK_RATE_MAX);
	(void)gw_hook_allowed(text, "bus.uji");
	if (gw_hook_net_url(net(), text, &url, NULL) == BUS_OK)
		assert(url.https && url.port == 443 && url.host[0] && !strpbrk(url.host, "/@[]% "));
	record((struct bus_str){ (const char *)data, size });
	free(text);
	return 0;
}

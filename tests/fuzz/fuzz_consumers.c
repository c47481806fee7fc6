/* A record of the topic of REST Proxy's consumers: whatever it holds, reading ends and stays within the bytes; what was read
 * is written and read again as the same; and the state takes any row of them. The first bytes say how the input is cut. */
#include <assert.h>

#include "bus/mem.h"
#include "gateway/restproxy/state.h"
#include "gateway/restproxy/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct gw_rp_instance *i)
{
	struct gw_rp_instance *back = NULL;
	struct gw_rp_pattern *pattern;
	struct bus_buf bytes = { 0 }, twice = { 0 };

	gw_rp_put_instance(i, &bytes);
	assert(gw_rp_read_instance(bus_buf_str(&bytes), &back, NULL) == BUS_OK);
	gw_rp_put_instance(back, &twice);
	assert(bus_str_eq(bus_buf_str(&bytes), bus_buf_str(&twice)));
	assert(gw_rp_count_held(back) == gw_rp_count_held(i) && gw_rp_count_held(i) <= GW_RP_HELD_MAX);
	pattern = gw_rp_instance_pattern(back);
	(void)gw_rp_wants(back, pattern, "pku.uji.a.v1");
	gw_rp_pattern_free(&pattern);
	gw_rp_instance_unref(&back);
	bus_buf_release(&bytes);
	bus_buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_rp_state *s = gw_rp_state_new();
	struct gw_rp_instance *i = NULL;
	struct gw_rp_event e;

	if (gw_rp_read_instance((struct bus_str){ (const char *)data, size }, &i, NULL) == BUS_OK)
		again(i);
	gw_rp_instance_unref(&i);
	while (size > 2) { /* kind and id, length, value */
		const uint8_t id[GW_RP_ID_LEN] = { (uint8_t)(data[0] % 5) };
		const size_t n = data[1] < size - 2 ? data[1] : size - 2;
		struct bus_buf key = { 0 };

		gw_rp_put_key("icbx"[data[0] / 64], id, &key);
		gw_rp_state_read(s, bus_buf_str(&key),
				 (struct bus_str){ n ? (const char *)data + 2 : NULL, n }, 0, 0, &e);
		bus_buf_release(&key);
		data += 2 + n;
		size -= 2 + n;
	}
	gw_rp_state_free(&s);
	return 0;
}

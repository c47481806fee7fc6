/* Who gets which partition. */
#include "bus/mem.h"
#include "gateway/restproxy/state.h"

size_t gw_rp_share(const char *topic, int32_t partition, size_t n)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (const char *p = topic; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;
	return (h % n + (size_t)partition % n) % n;
}

int gw_rp_share_order(const uint8_t a[GW_RP_ID_LEN], const uint8_t b[GW_RP_ID_LEN])
{
	return memcmp(a, b, GW_RP_ID_LEN);
}

struct gw_rp_pattern *gw_rp_instance_pattern(const struct gw_rp_instance *i)
{
	const char *why;

	return i->mode == GW_RP_PATTERN && i->n_names == 1 ? gw_rp_pattern_new(i->names[0], &why) : NULL;
}

bool gw_rp_wants(const struct gw_rp_instance *i, const struct gw_rp_pattern *p, const char *topic)
{
	if (i->mode == GW_RP_PATTERN)
		return p && gw_rp_pattern_matches(p, topic);
	for (size_t k = 0; i->mode == GW_RP_TOPICS && k < i->n_names; k++)
		if (strcmp(i->names[k], topic) == 0)
			return true;
	return false;
}

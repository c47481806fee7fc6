/* Who gets which partition. */
#include <regex.h>

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

const char *gw_rp_pattern_bad(const char *pattern)
{
	regex_t re;

	if (strlen(pattern) > GW_RP_PATTERN_MAX)
		return "topic_pattern is too long";
	for (const char *p = pattern; *p; p++) {
		if (*p == '{')
			return "topic_pattern may not have {}";
		if (*p == '\\' && (p[1] == '\0' || !strchr(".*+?()|[]^$\\-_", *++p)))
			return "topic_pattern may have a backslash only before a punctuation mark";
	}
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return "topic_pattern is not a regular expression";
	regfree(&re);
	return NULL;
}

/* All of the topic's name, as Java's Pattern.matches(). */
static bool matches(const char *pattern, const char *topic)
{
	char *whole = bus_xasprintf("^(%s)$", pattern);
	regex_t re;
	bool yes = false;

	if (regcomp(&re, whole, REG_EXTENDED | REG_NOSUB) == 0) {
		yes = regexec(&re, topic, 0, NULL, 0) == 0;
		regfree(&re);
	}
	free(whole);
	return yes;
}

bool gw_rp_wants(const struct gw_rp_instance *i, const char *topic)
{
	if (i->mode == GW_RP_PATTERN && i->n_names == 1)
		return !gw_rp_pattern_bad(i->names[0]) && matches(i->names[0], topic);
	for (size_t k = 0; i->mode == GW_RP_TOPICS && k < i->n_names; k++)
		if (strcmp(i->names[k], topic) == 0)
			return true;
	return false;
}

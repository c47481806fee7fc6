/* gateway/restproxy/pattern.h - topic_pattern: what strangers send, and all gateways match against all names of topics.
 *
 * Literals, `.`, classes ([a-z_], [^.]), groups, `|`, `*`, `+`, `?`; a backslash takes a mark as it is; ^ and $ where a name
 * begins and ends. All of the name must match, as with Java's Pattern.matches(). One state a character of the pattern
 * (Glushkov), all followed at once: time grows with pattern times name, memory not at all, whatever is nested.
 * (The C library's regcomp needs memory without bound for nested repetition.)
 * Thread: any; a pattern does not change.
 */
#ifndef GATEWAY_RESTPROXY_PATTERN_H
#define GATEWAY_RESTPROXY_PATTERN_H

#include <stdbool.h>

#define GW_RP_PATTERN_MAX 256 /* bytes */

struct gw_rp_pattern;

/* NULL: it is none that we take; *why says so. */
struct gw_rp_pattern *gw_rp_pattern_new(const char *text, const char **why);
void gw_rp_pattern_free(struct gw_rp_pattern **p);
bool gw_rp_pattern_matches(const struct gw_rp_pattern *p, const char *topic);

#endif

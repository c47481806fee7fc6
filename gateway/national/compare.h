/* gateway/national/compare.h - a mirror's rows and digest at a cursor, compared with ours.
 *
 * The digest of a state: the XOR of the SHA-256 of every row as canonical JSON (canonical.h). Exact or nothing: what we
 * have now is what was at the cursor only if nothing has changed since; else the answer is "unknown", with the reason.
 * Thread: one that does not answer requests: it reads the whole view.
 */
#ifndef GATEWAY_NATIONAL_COMPARE_H
#define GATEWAY_NATIONAL_COMPARE_H

#include "gateway/serve/api.h"

#define GW_DIGEST_HEX (2 * BUS_SHA256_LEN + 1)

enum gw_compared { GW_EQUAL, GW_DIFFERENT, GW_UNKNOWN };
extern const char *const gw_compared_name[3]; /* "equal", "different", "unknown" */

struct gw_claim { /* of a mirror; digest "": not said; rows -1: not said */
	int64_t seq, rows;
	char digest[GW_DIGEST_HEX]; /* small letters */
};

struct gw_comparison {
	enum gw_compared result;
	const char *why;      /* of GW_UNKNOWN: static text, a word */
	struct gw_claim here; /* of GW_EQUAL and GW_DIFFERENT */
};

void gw_compare(struct gw_api *api, const struct gw_view *v, struct gw_grant grant,
		const struct gw_claim *claim, const _Atomic bool *stop, struct gw_comparison *out);

#endif

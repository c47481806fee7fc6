/* deploy/ctl/mask.h - a datum as JSON for an operator's eyes: fields whose class of personal data (x_pdp) is
 * U, S or A come out as "***", whatever they hold.
 *
 * A sink around schema_json_sink (plain spelling). One thread; one datum at a time.
 */
#ifndef DEPLOY_CTL_MASK_H
#define DEPLOY_CTL_MASK_H

#include "schemas/avro/json.h"

struct ctl_mask {
	struct schema_sink sink; /* pass &x.sink to schema_read */
	struct schema_json_sink json;
	bool hiding; /* inside the value of a masked field */
	int depth;   /* of containers opened in there */
};

void ctl_mask_init(struct ctl_mask *m, struct bus_json_out *out);

#endif

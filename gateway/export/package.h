/* gateway/export/package.h - what a bundle says of its files: datapackage.json (Frictionless Data Package 1.0),
 * SHA256SUMS (as sha256sum reads it), README.txt. Cannot fail. Thread: any. */
#ifndef GATEWAY_EXPORT_PACKAGE_H
#define GATEWAY_EXPORT_PACKAGE_H

#include "gateway/export/work.h"

struct gw_part {     /* a file of a bundle */
	char *path;  /* here */
	char *name;  /* in the bundle: "data/penduduk-147101.csv" */
	char *value; /* of the column it was split by; NULL: none */
	int64_t bytes, rows;
	char sha256[2 * BUS_SHA256_LEN + 1];
};

void gw_package_json(struct gw_export *x, const struct gw_part *part, size_t n, struct bus_buf *out);
void gw_package_readme(struct gw_export *x, struct bus_buf *out);
void gw_package_sum(const char *sha256, const char *name, struct bus_buf *out); /* a line */
void gw_package_key(const struct gw_exports *all, struct bus_buf *out); /* the public key: PEM, RFC 8410 */

#endif

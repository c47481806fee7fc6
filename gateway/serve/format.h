/* gateway/serve/format.h - rows as JSON, NDJSON or CSV, masked as granted. Thread: any; a struct belongs to one. */
#ifndef GATEWAY_SERVE_FORMAT_H
#define GATEWAY_SERVE_FORMAT_H

#include "bus/buf.h"
#include "gateway/serve/query.h"

enum gw_form {
	GW_FORM_JSON,
	GW_FORM_PAGE,
	GW_FORM_OBJECT, /* PostgREST's: the one row itself, or 406 */
	GW_FORM_NDJSON,
	GW_FORM_CSV
};

/* By Accept (NULL, any type: JSON). False: none of ours. no_nulls: PostgREST's `nulls=stripped`. */
bool gw_form_of(const char *accept, enum gw_form *out, bool *no_nulls);
const char *gw_form_type(enum gw_form form); /* content type */

/* The masked value of a column that may be shown but not in clear: text for text, null for the rest. */
#define GW_MASK "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"

/* One value as JSON, in clear. */
struct bus_json_out;
void gw_format_value(struct bus_json_out *j, const struct gw_value *v);
/* One row as a JSON object with the params' columns; no line end. */
void gw_format_json(const struct gw_params *p, const struct gw_value *value, struct bus_buf *out);
/* The same of many rows: what stands before each value is written once. Zero-initialised before gw_format_members. */
struct gw_members {
	struct bus_buf text;		  /* `{"a":` `,"b":` ... */
	size_t end[GW_COLUMNS_MAX + 1]; /* in text */
};
void gw_format_members(const struct gw_params *p, struct gw_members *out);
void gw_format_row(const struct gw_params *p, const struct gw_members *members, const struct gw_value *value,
		   struct bus_buf *out);
void gw_members_release(struct gw_members *members);
/* CSV (RFC 4180): cells that a spreadsheet would take for a formula get a leading apostrophe (OWASP, CSV
 * injection). excel: semicolons, and decimal commas,
 * as id-ID spreadsheets expect, and a BOM before the header. Null is nothing, empty text is "". */
void gw_format_csv_head(const struct gw_params *p, struct bus_buf *out);
void gw_format_csv(const struct gw_params *p, const struct gw_value *value, struct bus_buf *out);

#endif

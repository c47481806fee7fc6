/* gateway/docs/openapi_doc.h - the OpenAPI document of the public port, made anew for each reader: the
 * routes of gw_api_routes, and for a reader with a key one typed set of paths for every view it may read.
 *
 * As 3.0.3 for gateways that import such documents (they lose the types of 3.1), and as 3.1 for the rest: one text,
 * which differs in its first line and in how a value that may be null is written. Thread: any.
 */
#ifndef GATEWAY_DOCS_OPENAPI_DOC_H
#define GATEWAY_DOCS_OPENAPI_DOC_H

#include "bus/buf.h"
#include "bus/json_out.h"
#include "gateway/serve/access.h"

struct gw_openapi_view {
	const struct gw_view *view;
	struct gw_grant grant;
};

enum gw_openapi_version { GW_OPENAPI_3_0, GW_OPENAPI_3_1 };
/* n may be 0: the general part only. english: titles and descriptions, else Indonesian. */
void gw_openapi_write(const struct gw_openapi_view *view, size_t n, enum gw_openapi_version version,
		      bool english, struct bus_buf *out);

/* One view's own document: what an API gateway imports. base: URL of its server, no slash at its end. */
void gw_openapi_write_one(const struct gw_openapi_view *view, enum gw_openapi_version version, const char *base,
			  bool english, struct bus_buf *out);

/* --- inside openapi_*.c --- */
struct gw_pen {
	struct bus_json_out j;
	bool english, v31;
	bool one; /* the document is one view's own */
};

/* What a route is for: openapi_operations.c has one for every line of gateway/routes.c. */
struct gw_operation {
	const char *method, *path;
	const char *id, *tag;
	const char *title_id, *title_en;
	const char *parameters; /* names of openapi_parts.c, parted by spaces */
	const char *body; /* NULL: none; `TYPE=Schema TYPE=`: a schema of openapi_parts.c, or "" for text; `?` before: may be left out */
	const char *answers; /* as gw_pen_answers */
	bool open;	     /* without a key */
};
extern const struct gw_operation gw_operations[]; /* ends with method NULL */

void gw_pen_str(struct gw_pen *p, const char *key, const char *value);
void gw_pen_text(struct gw_pen *p, const char *key, const char *id, const char *en);
/* "type" (and "format", if not NULL), that may be null. */
void gw_pen_type(struct gw_pen *p, const char *type, const char *format, bool nullable);
/* The next word of a list parted by spaces; false: none. */
bool gw_pen_word(const char **at, char out[64]);
/* "schema": of that name; `[Name]` an array of them, `[]` of objects; "" any object; "*" anything; NULL text. */
void gw_pen_content_schema(struct gw_pen *p, const char *schema);
void gw_pen_flag(struct gw_pen *p, const char *key, bool value);
void gw_pen_object(struct gw_pen *p, const char *key);
void gw_pen_array(struct gw_pen *p, const char *key);
void gw_pen_ref(struct gw_pen *p, const char *kind, const char *name); /* {"$ref":"#/components/kind/name"} */
/* "parameters": [refs]; names parted by spaces. The array stays open for more. */
void gw_pen_parameters(struct gw_pen *p, const char *names);
/* Members of "responses": `STATUS` is the shared problem, `STATUS=NAME` a shared response. */
void gw_pen_answers(struct gw_pen *p, const char *answers);
/* A schema of `name:type` words: s text, i integer, w at most so many wait, b boolean, t time, m map of
 * integers, o any object, a array of objects, A array of text, l text in two languages; `?` after it: may be null. */
void gw_pen_schema(struct gw_pen *p, const char *members, const char *example); /* example: JSON or NULL */

const struct gw_operation *gw_operation_of(const char *method, const char *path);
/* "get": {...}. view: the one whose own path this is, without the parameter; NULL: the general path. */
void gw_openapi_operation(struct gw_pen *p, const struct gw_operation *o, const char *view);
void gw_openapi_components(struct gw_pen *p, const struct gw_openapi_view *view, size_t n);
void gw_openapi_view_paths(struct gw_pen *p, const struct gw_openapi_view *v);
void gw_openapi_view_schema(struct gw_pen *p, const struct gw_openapi_view *v);

#endif

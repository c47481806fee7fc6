/* schemas/kinds/json_schema.h - JSON Schema: drafts 4, 6, 7, 2019-09 and 2020-12; behind kinds/kind.h.
 *
 *   kinds/json_schema.c          the two entries
 *   kinds/json_schema_walk.c     every subschema: are its keywords what the draft's metaschema says
 *   kinds/json_schema_ref.c      ids, anchors, and where each $ref leads
 *   kinds/json_schema_uri.c      RFC 3986 references, JSON pointers
 *   kinds/json_schema_pattern.c  is it a regular expression
 *   kinds/json_schema_text.c     the text as Jackson writes it
 *
 * The draft is that of $schema, else draft 7 (as Confluent). Stricter than Confluent's registry, which looks
 * only at keywords that it will use: any keyword whose value the metaschema refuses is refused. Laxer than
 * the metaschema where Confluent takes what is harmless and common: an empty `required` or `enum` and values
 * that stand in `enum` twice, 1.0 for a count in draft 4.
 */
#ifndef SCHEMAS_KINDS_JSON_SCHEMA_H
#define SCHEMAS_KINDS_JSON_SCHEMA_H

#include "bus/json.h"
#include "schemas/kinds/kind.h"

enum bus_err schema_json_check(struct bus_str text, const struct schema_kind_reference *ref, size_t n_refs,
			       int flags, struct bus_buf *canonical, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_json_format(const char *format, struct bus_str text,
				const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
				struct bus_error *err) BUS_MUSTCHECK;

/* --- kinds/json_schema_text.c ------------------------------------------------------------------------------ */

/* Compact, numbers as BigDecimal.toString(). sorted: members by name, in UTF-16's order as Java has it. Depth
 * is the parser's. */
void schema_json_text(const struct bus_json *v, bool sorted, struct bus_buf *out);

/* --- kinds/json_schema_pattern.c --------------------------------------------------------------------------- */

/* NULL: a regular expression as far as every dialect agrees; else what is wrong with it. */
const char *schema_json_pattern(struct bus_str pattern);

/* --- kinds/json_schema_uri.c ------------------------------------------------------------------------------- */

/* The reference against the base (which may be ""), without fragment, appended to out. */
void schema_json_uri_resolve(struct bus_str base, struct bus_str reference, struct bus_buf *out);
struct bus_str schema_json_uri_fragment(struct bus_str uri); /* after '#'; n 0: none */
/* %41 -> A, appended to out; false: not so encoded. */
bool schema_json_uri_decode(struct bus_str text, struct bus_buf *out);

/* --- kinds/json_schema_walk.c, kinds/json_schema_ref.c ----------------------------------------------------------- */

enum schema_json_draft { /* bits: a keyword belongs to several */
			 SCHEMA_JSON_4 = 1,
			 SCHEMA_JSON_6 = 2,
			 SCHEMA_JSON_7 = 4,
			 SCHEMA_JSON_2019 = 8,
			 SCHEMA_JSON_2020 = 16,
};

enum schema_json_draft schema_json_draft_of(const struct bus_json *root);

struct schema_json_place { /* where a subschema stands; a list to the root */
	const struct schema_json_place *up;
	const struct bus_json *v;
	struct bus_str step;		 /* a member's name ... */
	size_t index;			 /* ... or, step.p NULL, a place in an array */
	const struct bus_json *resource; /* the nearest schema with an id: '#' is there */
	struct bus_str base;		 /* its URI */
	struct schema_json_place *next;	 /* in the queue */
};

struct schema_json_map_slot {
	const void *scope;
	struct bus_str text;
	const struct bus_json *v;
};

struct schema_json_map { /* (scope, text) -> value; open addressing, at most half full */
	struct schema_json_map_slot *slot;
	size_t size, n;
};

struct schema_json_ref {
	struct schema_json_ref *next;
	const struct schema_json_place *at;
	const char *keyword;
	struct bus_str text;
};

struct schema_json_walk {
	struct bus_arena *arena;
	struct bus_error *err;
	enum schema_json_draft draft;
	uint64_t seed;
	const struct bus_json *root;
	const struct schema_kind_reference *ref;
	size_t n_refs;
	const struct bus_json **reference_root; /* n_refs of them; NULL: not asked for yet */
	struct schema_json_place *head, **tail; /* to be looked at */
	struct schema_json_ref *refs, **refs_tail;
	bool foreign; /* in a reference: its own references are not followed */
	struct schema_json_map seen, resource, anchor, child;
};

/* NULL when the arena is full. */
struct schema_json_place *schema_json_enter(struct schema_json_walk *w, const struct schema_json_place *up,
					    const struct bus_json *v, struct bus_str step, size_t index);
/* Looks at every place in the queue. */
enum bus_err schema_json_walk_all(struct schema_json_walk *w) BUS_MUSTCHECK;
/* '<pointer>': message. */
enum bus_err schema_json_fail(struct schema_json_walk *w, const struct schema_json_place *at,
			      const char *keyword, const char *fmt, ...) BUS_PRINTF(4, 5);
enum bus_err schema_json_no_room(struct schema_json_walk *w);

bool schema_json_map_put(struct schema_json_walk *w, struct schema_json_map *m, const void *scope,
			 struct bus_str text, const struct bus_json *v); /* false: there already */
const struct bus_json *schema_json_map_get(const struct schema_json_walk *w, const struct schema_json_map *m,
					   const void *scope, struct bus_str text);

/* $id, id, $anchor ... of a place just entered: sets its resource and base. */
enum bus_err schema_json_ids(struct schema_json_walk *w, struct schema_json_place *at) BUS_MUSTCHECK;
/* Every $ref leads somewhere; places not seen before are put into the queue and looked at. */
enum bus_err schema_json_refs(struct schema_json_walk *w) BUS_MUSTCHECK;

#endif

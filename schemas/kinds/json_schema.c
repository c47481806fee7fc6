#include "schemas/kinds/json_schema.h"

#include "bus/crypto.h"

enum schema_json_draft schema_json_draft_of(const struct bus_json *root)
{
	static const struct {
		const char *uri;
		enum schema_json_draft draft;
	} known[] = {
		{ "//json-schema.org/draft-04/schema", SCHEMA_JSON_4 },
		{ "//json-schema.org/draft-06/schema", SCHEMA_JSON_6 },
		{ "//json-schema.org/draft-07/schema", SCHEMA_JSON_7 },
		{ "//json-schema.org/draft/2019-09/schema", SCHEMA_JSON_2019 },
		{ "//json-schema.org/draft/2020-12/schema", SCHEMA_JSON_2020 },
	};
	const struct bus_json *v = root->type == BUS_JSON_OBJECT ? bus_json_get(root, "$schema") : NULL;
	struct bus_str uri = v && v->type == BUS_JSON_STRING ? v->text : BUS_STR("");
	const char *colon = memchr(uri.p, ':', uri.n);

	if (uri.n > 0 && uri.p[uri.n - 1] == '#')
		uri.n--;
	if (colon && (colon - uri.p == 4 || colon - uri.p == 5) && memcmp(uri.p, "http", 4) == 0) {
		uri.n -= (size_t)(colon + 1 - uri.p);
		uri.p = colon + 1;
		for (size_t i = 0; i < BUS_LEN(known); i++)
			if (bus_str_is(uri, known[i].uri))
				return known[i].draft;
	}
	return SCHEMA_JSON_7;
}

static enum bus_err check(struct bus_arena *arena, const struct bus_json *root,
			  const struct schema_kind_reference *ref, size_t n_refs, struct bus_error *err)
{
	struct schema_json_walk w = { .arena = arena,
				      .err = err,
				      .draft = schema_json_draft_of(root),
				      .root = root,
				      .ref = ref,
				      .n_refs = n_refs };
	struct schema_json_place *at;
	enum bus_err rc;

	w.tail = &w.head;
	w.refs_tail = &w.refs;
	bus_random(&w.seed, sizeof(w.seed)); /* whoever writes schemas cannot aim at one slot */
	w.reference_root = bus_xcalloc(n_refs + 1, sizeof(*w.reference_root));
	at = schema_json_enter(&w, NULL, root, (struct bus_str){ "", 0 }, 0);
	rc = at ? BUS_OK : schema_json_no_room(&w);
	if (rc == BUS_OK) {
		at->resource = root;
		at->base = BUS_STR("");
		rc = schema_json_walk_all(&w);
	}
	if (rc == BUS_OK)
		rc = schema_json_refs(&w);
	free(w.reference_root);
	free(w.seen.slot);
	free(w.resource.slot);
	free(w.anchor.slot);
	free(w.child.slot);
	return rc;
}

static enum bus_err read(struct bus_str text, struct bus_arena *arena, struct bus_json **root,
			 struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = SCHEMA_KIND_DEPTH_MAX,
						.text = SCHEMA_KIND_TEXT_MAX };
	enum bus_err rc = bus_json_parse(text, &limits, arena, root, err);

	return rc == BUS_EPARSE ? bus_fail_prefix(err, BUS_ESCHEMA, "not JSON"), BUS_ESCHEMA : rc;
}

enum bus_err schema_json_check(struct bus_str text, const struct schema_kind_reference *ref, size_t n_refs,
			       int flags, struct bus_buf *canonical, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(SCHEMA_KIND_MEMORY_MAX);
	struct bus_json *root = NULL;
	enum bus_err rc = read(text, arena, &root, err);

	if (rc == BUS_OK)
		rc = check(arena, root, ref, n_refs, err);
	if (rc == BUS_OK)
		schema_json_text(root, flags & SCHEMA_KIND_NORMALIZE, canonical);
	bus_arena_free(&arena);
	return rc;
}

enum bus_err schema_json_format(const char *format, struct bus_str text,
				const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
				struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(SCHEMA_KIND_MEMORY_MAX);
	struct bus_json *root = NULL;
	enum bus_err rc = read(text, arena, &root, err);

	(void)format; /* Confluent has none for JSON */
	(void)ref;
	(void)n_refs;
	if (rc == BUS_OK)
		schema_json_text(root, false, out);
	bus_arena_free(&arena);
	return rc;
}

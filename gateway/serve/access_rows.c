#include "gateway/serve/access_rows.h"

#include "bus/arena.h"
#include "bus/crypto.h"

struct gw_grant_rows {
	struct gw_grant_rows *next;
	struct bus_arena *arena;
	uint8_t digest[BUS_SHA256_LEN]; /* of columns and values */
	struct gw_scope scope;
	struct gw_scope_part part[GW_SCOPE_PARTS_MAX];
};

void gw_grant_rows_free(struct gw_grant_rows **kept)
{
	struct gw_grant_rows *r;

	while ((r = *kept)) {
		*kept = r->next;
		bus_arena_free(&r->arena);
		free(r);
	}
}

uint64_t gw_grant_rows_id(const struct gw_scope *rows)
{
	const struct gw_grant_rows *r;
	uint64_t id = 0;

	if (!rows)
		return 0;
	r = (const void *)((const char *)rows - offsetof(struct gw_grant_rows, scope));
	memcpy(&id, r->digest, sizeof(id));
	return id;
}

static enum bus_err read_part(struct bus_yaml *y, struct bus_yaml_node *list, struct gw_grant_rows *r,
			      struct bus_error *err)
{
	struct gw_scope_part *p = &r->part[r->scope.n];
	const char **value;

	if (r->scope.n == GW_SCOPE_PARTS_MAX)
		return bus_yaml_fail(y, list, err, "'rows' has more than %d columns", GW_SCOPE_PARTS_MAX);
	if (list->kind != BUS_YAML_LIST || !list->first || bus_yaml_count(list) > GW_GRANT_ROWS_MAX)
		return bus_yaml_fail(y, list, err, "'%s' needs a list of 1 to %d values", list->key,
				     GW_GRANT_ROWS_MAX);
	value = bus_arena_alloc(r->arena, bus_yaml_count(list) * sizeof(*value));
	*p = (struct gw_scope_part){ .column = bus_arena_dup(r->arena, list->key, strlen(list->key)),
				     .value = value };
	for (struct bus_yaml_node *item = list->first; item; item = item->next) {
		if (item->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(y, item, err, "a value of column '%s' is needed", list->key);
		value[p->n++] = bus_arena_dup(r->arena, item->text, item->text_len);
	}
	r->scope.n++;
	return BUS_OK;
}

bool gw_grant_rows_fit(const struct gw_scope *rows, const struct gw_view *v, const char **column)
{
	for (size_t i = 0; i < rows->n; i++) {
		*column = rows->part[i].column;
		if (!gw_scope_ok(v, *column))
			return false;
		for (size_t k = 0; k < rows->part[i].n; k++)
			if (!gw_scope_value_ok(&v->column[gw_view_column(v, *column)],
					       rows->part[i].value[k]))
				return false;
	}
	return true;
}

static void digest(struct gw_grant_rows *r)
{
	struct bus_sha256_stream *s = bus_sha256_new();

	for (size_t i = 0; i < r->scope.n; i++) {
		bus_sha256_add(s, r->part[i].column, strlen(r->part[i].column) + 1);
		for (size_t k = 0; k < r->part[i].n; k++)
			bus_sha256_add(s, r->part[i].value[k], strlen(r->part[i].value[k]) + 1);
		bus_sha256_add(s, "", 1);
	}
	bus_sha256_end(&s, r->digest);
}

enum bus_err gw_grant_rows_read(struct gw_grant_rows **kept, struct bus_yaml *y, struct bus_yaml_node *map,
				const struct gw_scope **out, struct bus_error *err)
{
	struct gw_grant_rows *r, *same;
	enum bus_err rc = BUS_OK;

	if (map->kind != BUS_YAML_MAP || !map->first)
		return bus_yaml_fail(y, map, err, "'rows' needs a map, like {kode_kel: ['1471011003']}");
	r = bus_xcalloc(1, sizeof(*r));
	r->arena = bus_arena_new(0);
	r->scope.part = r->part;
	for (struct bus_yaml_node *n = map->first; n && rc == BUS_OK; n = n->next) {
		bus_yaml_get(map, n->key);
		rc = read_part(y, n, r, err);
	}
	digest(r);
	for (same = *kept; same && memcmp(same->digest, r->digest, sizeof(r->digest)) != 0; same = same->next)
		;
	if (rc != BUS_OK || same) {
		gw_grant_rows_free(&r);
	} else {
		r->next = *kept;
		*kept = same = r;
	}
	if (rc == BUS_OK)
		*out = &same->scope;
	return rc;
}

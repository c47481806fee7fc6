/* What an export is asked for: a page's parameters, and those of a file. */
#include <stdio.h>

#include "gateway/export/work.h"

static bool refuse(struct gw_export *x, const char **problem, const char *detail, const char *hint)
{
	snprintf(x->params.detail, sizeof(x->params.detail), "%s", detail);
	snprintf(x->params.hint, sizeof(x->params.hint), "%s", hint ? hint : "");
	*problem = "parameter-invalid";
	return false;
}

static bool set_pack(struct gw_export *x, const char *value, const char **problem)
{
	for (size_t i = 0; i < GW_PACKS; i++) {
		if (strcmp(gw_pack_name[i], value) != 0)
			continue;
		if (!x->kind || !(x->kind->packs >> i & 1))
			break;
		x->pack = (enum gw_pack)i;
		return true;
	}
	return refuse(x, problem, "compression",
		      "avro: deflate, snappy, zstd, none; parquet: zstd, snappy, none");
}

/* Files of a bundle are named by the value: nothing that points at a person. */
static bool set_split(struct gw_export *x, const char *value, const char **problem)
{
	int column = gw_view_column(x->view, value);

	if (column < 0 || !((x->params.grant.shown & x->params.grant.clear) >> column & 1))
		return refuse(x, problem, "split: no such column", NULL);
	if (x->view->column[column].pdp != 'N' || x->view->column[column].type == GW_JSON)
		return refuse(x, problem, "split: only by a column of class N", NULL);
	x->split = column;
	return true;
}

static bool set_bundle(struct gw_export *x, const char *value, const char **problem)
{
	x->bundle = strcmp(value, "true") == 0;
	return x->bundle || strcmp(value, "false") == 0 || refuse(x, problem, "bundle", "true, false");
}

bool gw_export_ask(struct gw_export *x, const char *name, const char *value, const char **problem)
{
	char *kept_name = bus_arena_dup(x->arena, name, strlen(name)),
	     *kept = bus_arena_dup(x->arena, value, strlen(value));

	if (!kept_name || !kept)
		return refuse(x, problem, "the question is too long", NULL);
	bus_buf_printf(&x->question, "%s=%s\n", name, value);
	if (strcmp(name, "format") == 0) {
		x->kind = gw_file_kind_named(value);
		if (!x->kind)
			return refuse(x, problem, "format", "csv, ndjson, avro, xlsx, parquet");
		x->pack = x->kind->usual;
		return true;
	}
	if (strcmp(name, "compression") == 0)
		return set_pack(x, value, problem);
	if (x->job && strcmp(name, "bundle") == 0)
		return set_bundle(x, value, problem);
	if (x->job && strcmp(name, "split") == 0)
		return set_split(x, value, problem);
	if (strcmp(name, "provenance") == 0 && strcmp(value, "true") == 0)
		return refuse(x, problem, "provenance: a file has none; pages of at most 100 rows have it",
			      "Accept: application/json, application/x-ndjson; limit=100");
	if (strcmp(name, "as_of") == 0)
		return refuse(x, problem,
			      "as_of: a file is of the moment it is made (its as_of and cursor); a past day "
			      "comes in pages",
			      "Accept: text/csv, application/x-ndjson; limit=10000; Link: rel=next");
	if (gw_params_add(&x->params, kept_name, kept))
		return true;
	*problem = x->params.problem;
	return false;
}

bool gw_export_asked(struct gw_export *x, const char **problem)
{
	if (!gw_params_end(&x->params)) {
		*problem = x->params.problem;
		return false;
	}
	if (!x->kind)
		return refuse(x, problem, "format is missing", "csv, ndjson, avro, xlsx, parquet");
	if (x->params.after)
		return refuse(x, problem, "after: a file is not paged", NULL);
	if (x->split >= 0 && !x->bundle)
		return refuse(x, problem, "split: only in a bundle", "\"bundle\": true");
	x->limited = x->params.has_limit;
	return true;
}

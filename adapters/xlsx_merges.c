/* Where the merged cells of a worksheet are. */
#include "adapters/xlsx_sheet.h"
#include "adapters/xml.h"

#define PART_MAX ((uint64_t)16 * 1024 * 1024 * 1024)

struct reading {
	struct adapter_xml *xml;
	struct adapter_sheet_merge *merge;
	size_t n, cap;
};

static void on_start(void *ctx, const char *name, const char **atts)
{
	struct reading *r = ctx;
	struct adapter_sheet_merge m = { 0 };
	const char *ref, *p;

	if (strcmp(name, "mergeCell") != 0)
		return;
	ref = adapter_xml_att(atts, "ref");
	p = ref ? adapter_sheet_place(ref, &m.column, &m.row) : NULL;
	p = p && *p == ':' ? adapter_sheet_place(p + 1, &m.column_end, &m.row_end) : NULL;
	if (!p || *p || m.row == 0 || m.row_end < m.row || m.column_end < m.column)
		return; /* a place that is none merges nothing */
	if (r->n == ADAPTER_SHEET_MERGES) {
		adapter_xml_fail(r->xml, "lebih dari %d sel gabungan / more than %d merged cells",
				 ADAPTER_SHEET_MERGES, ADAPTER_SHEET_MERGES);
		return;
	}
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->merge = bus_xrealloc(r->merge, r->cap * sizeof(*r->merge));
	}
	r->merge[r->n++] = m;
}

static int by_row(const void *a, const void *b)
{
	const struct adapter_sheet_merge *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static const struct adapter_xml_handler handler = { .start = on_start };

enum bus_err adapter_xlsx_merges(struct adapter_package *p, const char *part,
				 struct adapter_sheet_merge **out, size_t *n, struct bus_error *err)
{
	struct reading r = { NULL, NULL, 0, 0 };
	struct adapter_part *stream = NULL;
	enum bus_err rc = adapter_part_open(p, part, PART_MAX, &stream, err);

	if (rc == BUS_OK) {
		r.xml = adapter_xml_new(adapter_part_read, stream, &handler, &r);
		rc = adapter_xml_all(r.xml, err);
		adapter_xml_free(&r.xml);
	}
	adapter_part_close(&stream);
	if (rc != BUS_OK) {
		free(r.merge);
		r = (struct reading){ NULL, NULL, 0, 0 };
	}
	if (r.n > 1)
		qsort(r.merge, r.n, sizeof(*r.merge), by_row);
	*out = r.merge;
	*n = r.n;
	return rc;
}

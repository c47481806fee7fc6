#include "adapters/xlsx_book.h"

#include "adapters/adapter.h"
#include "adapters/xml.h"
#include "bus/buf.h"

#define PART_MAX ((uint64_t)64 * 1024 * 1024)
#define RELATIONS_MAX 4096
#define FORMATS_MAX 65536 /* cell styles; Excel's own limit is 65,490 */

struct relation {
	char *id, *type, *target;
};

struct reading {
	struct adapter_package *package;
	struct adapter_xlsx_book *book;
	struct adapter_xml *xml;
	char *workbook; /* its part */
	struct relation *relation;
	size_t n_relations;
	struct { /* number formats of the workbook's own */
		uint32_t id;
		uint8_t format;
	} * custom;
	size_t n_custom;
	bool in_xfs;
};

static void forget_relations(struct reading *r)
{
	for (size_t i = 0; i < r->n_relations; i++) {
		free(r->relation[i].id);
		free(r->relation[i].type);
		free(r->relation[i].target);
	}
	r->n_relations = 0;
}

static enum bus_err read_part(struct reading *r, const char *name, const struct adapter_xml_handler *handler,
			      struct bus_error *err)
{
	struct adapter_part *part = NULL;
	enum bus_err rc = adapter_part_open(r->package, name, PART_MAX, &part, err);

	if (rc == BUS_OK) {
		r->xml = adapter_xml_new(adapter_part_read, part, handler, r);
		rc = adapter_xml_all(r->xml, err);
		adapter_xml_free(&r->xml);
		if (rc != BUS_OK)
			rc = bus_fail_prefix(err, rc, "%s", name);
	}
	adapter_part_close(&part);
	return rc == BUS_ENOENT ? BUS_EDATA : rc;
}

/* ---- relations ---- */

static void on_relation(void *ctx, const char *name, const char **atts)
{
	struct reading *r = ctx;
	const char *id = adapter_xml_att(atts, "Id"), *type = adapter_xml_att(atts, "Type"),
		   *target = adapter_xml_att(atts, "Target"), *mode = adapter_xml_att(atts, "TargetMode"),
		   *slash = type ? strrchr(type, '/') : NULL;

	if (strcmp(name, "Relationship") != 0 || !id || !slash || !target ||
	    (mode && strcmp(mode, "External") == 0))
		return;
	if (r->n_relations == RELATIONS_MAX) {
		adapter_xml_fail(r->xml, "lebih dari %d hubungan / more than %d relationships", RELATIONS_MAX,
				 RELATIONS_MAX);
		return;
	}
	r->relation[r->n_relations++] =
	    (struct relation){ bus_xstrdup(id), bus_xstrdup(slash + 1), bus_xstrdup(target) };
}

static const struct adapter_xml_handler relations = { .start = on_relation };

/* The part that target names, seen from the part `from`: "/" begins at the package, ".." goes up. */
static char *resolve(const char *from, const char *target)
{
	const char *slash = strrchr(from, '/');
	char *path = target[0] == '/'
			 ? bus_xstrdup(target + 1)
			 : bus_xasprintf("%.*s%s", slash ? (int)(slash + 1 - from) : 0, from, target);
	size_t n = 0;

	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		const char *next = p[len] ? p + len + 1 : p + len;

		if (len == 2 && memcmp(p, "..", 2) == 0) {
			if (n > 0)
				n--;
			while (n > 0 && path[n - 1] != '/')
				n--;
		} else if (len > 0 && !(len == 1 && p[0] == '.')) {
			memmove(path + n, p, (size_t)(next - p));
			n += (size_t)(next - p);
		}
		p = next;
	}
	path[n] = '\0';
	return path;
}

/* The part of the first relation of this type from `from`; NULL: there is none. */
static char *related(const struct reading *r, const char *from, const char *type)
{
	for (size_t i = 0; i < r->n_relations; i++)
		if (strcmp(r->relation[i].type, type) == 0)
			return resolve(from, r->relation[i].target);
	return NULL;
}

/* ---- the workbook ---- */

static bool is_true(const char *s)
{
	return s && (strcmp(s, "1") == 0 || strcmp(s, "true") == 0 || strcmp(s, "on") == 0);
}

static void on_workbook(void *ctx, const char *name, const char **atts)
{
	struct reading *r = ctx;
	struct adapter_xlsx_book *b = r->book;
	struct adapter_xlsx_sheet_name *s = &b->sheet[b->n_sheets];

	if (strcmp(name, "workbookPr") == 0)
		b->from_1904 = is_true(adapter_xml_att(atts, "date1904"));
	if (strcmp(name, "sheet") == 0) {
		const char *title = adapter_xml_att(atts, "name"), *id = adapter_xml_att(atts, "id");

		if (b->n_sheets == ADAPTER_SHEETS_MAX) {
			adapter_xml_fail(r->xml, "lebih dari %d lembar / more than %d sheets",
					 ADAPTER_SHEETS_MAX, ADAPTER_SHEETS_MAX);
			return;
		}
		s->name = bus_xstrdup(title ? title : "");
		for (size_t i = 0; id && i < r->n_relations && !s->part; i++)
			if (strcmp(r->relation[i].id, id) == 0 &&
			    strcmp(r->relation[i].type, "worksheet") == 0)
				s->part = resolve(r->workbook, r->relation[i].target);
		b->n_sheets++;
	}
}

static const struct adapter_xml_handler workbook = { .start = on_workbook };

/* ---- styles ---- */

static uint32_t number(const char *s)
{
	return s ? (uint32_t)strtoul(s, NULL, 10) : 0;
}

static uint8_t format_of(const struct reading *r, uint32_t id)
{
	for (size_t i = 0; i < r->n_custom; i++)
		if (r->custom[i].id == id)
			return r->custom[i].format;
	return (uint8_t)adapter_xlsx_format_builtin(id);
}

static void on_style(void *ctx, const char *name, const char **atts)
{
	struct reading *r = ctx;
	struct adapter_xlsx_book *b = r->book;

	if (strcmp(name, "numFmt") == 0 && r->n_custom < FORMATS_MAX) {
		const char *code = adapter_xml_att(atts, "formatCode");

		if (!code)
			return;
		if ((r->n_custom & (r->n_custom - 1)) == 0)
			r->custom =
			    bus_xrealloc(r->custom, (r->n_custom ? 2 * r->n_custom : 1) * sizeof(*r->custom));
		r->custom[r->n_custom].id = number(adapter_xml_att(atts, "numFmtId"));
		r->custom[r->n_custom++].format = (uint8_t)adapter_xlsx_format_parse(code);
	} else if (strcmp(name, "cellXfs") == 0) {
		r->in_xfs = true;
	} else if (strcmp(name, "xf") == 0 && r->in_xfs && b->n_formats < FORMATS_MAX) {
		b->format[b->n_formats++] = format_of(r, number(adapter_xml_att(atts, "numFmtId")));
	}
}

static void on_style_end(void *ctx, const char *name)
{
	struct reading *r = ctx;

	if (strcmp(name, "cellXfs") == 0)
		r->in_xfs = false;
}

static const struct adapter_xml_handler styles = { .start = on_style, .end = on_style_end };

/* ---- all of it ---- */

static enum bus_err refuse_others(const struct adapter_package *p, struct bus_error *err)
{
	static const struct {
		const char *part, *message;
	} others[] = {
		{ "xl/workbook.bin", "berkas .xlsb belum didukung: simpan sebagai .xlsx / .xlsb is not "
				     "supported: save it as .xlsx" },
		{ "content.xml", "berkas OpenDocument (.ods): pakai kind: ods / an OpenDocument file (.ods): "
				 "use kind: ods" },
		{ "word/document.xml", "berkas Word, bukan lembar sebar / a Word document, no spreadsheet" },
		{ "ppt/presentation.xml",
		  "berkas PowerPoint, bukan lembar sebar / a PowerPoint file, no spreadsheet" },
	};

	for (size_t i = 0; i < BUS_LEN(others); i++)
		if (adapter_package_has(p, others[i].part))
			return bus_fail(err, BUS_EDATA, "%s", others[i].message);
	return BUS_OK;
}

static enum bus_err read_all(struct reading *r, struct bus_error *err)
{
	const char *slash;
	char *path;
	enum bus_err rc = refuse_others(r->package, err);

	if (rc == BUS_OK && !adapter_package_has(r->package, "_rels/.rels"))
		rc = bus_fail(err, BUS_EDATA,
			      "ZIP ini bukan .xlsx: ekstrak dahulu / this ZIP is no .xlsx: unpack it first");
	if (rc == BUS_OK)
		rc = read_part(r, "_rels/.rels", &relations, err);
	if (rc != BUS_OK)
		return rc;
	r->workbook = related(r, "", "officeDocument");
	forget_relations(r);
	if (!r->workbook)
		return bus_fail(err, BUS_EDATA,
				"berkas ini tanpa buku kerja / the file has no workbook in it");
	slash = strrchr(r->workbook, '/');
	path = bus_xasprintf("%.*s_rels/%s.rels", slash ? (int)(slash + 1 - r->workbook) : 0, r->workbook,
			     slash ? slash + 1 : r->workbook);
	rc = read_part(r, path, &relations, err);
	free(path);
	if (rc == BUS_OK)
		rc = read_part(r, r->workbook, &workbook, err);
	r->book->strings = related(r, r->workbook, "sharedStrings");
	r->book->styles = related(r, r->workbook, "styles");
	r->book->format = bus_xcalloc(FORMATS_MAX, 1);
	if (rc == BUS_OK && r->book->styles)
		rc = read_part(r, r->book->styles, &styles, err);
	return rc;
}

enum bus_err adapter_xlsx_book_read(struct adapter_package *p, struct adapter_xlsx_book **out,
				    struct bus_error *err)
{
	struct reading r = { .package = p };
	enum bus_err rc;

	r.book = bus_xcalloc(1, sizeof(*r.book));
	r.relation = bus_xcalloc(RELATIONS_MAX, sizeof(*r.relation));
	rc = read_all(&r, err);
	forget_relations(&r);
	free(r.relation);
	free(r.custom);
	free(r.workbook);
	if (rc != BUS_OK)
		adapter_xlsx_book_free(&r.book);
	*out = r.book;
	return rc;
}

void adapter_xlsx_book_free(struct adapter_xlsx_book **b)
{
	if (!*b)
		return;
	for (size_t i = 0; i < (*b)->n_sheets; i++) {
		free((*b)->sheet[i].name);
		free((*b)->sheet[i].part);
	}
	free((*b)->strings);
	free((*b)->styles);
	free((*b)->format);
	free(*b);
	*b = NULL;
}

/* An OpenDocument spreadsheet (.ods; .fods, the same in one XML file) as a book of sheets, and the source that reads a table
 * of it. It has no list of its sheets: their names are known as far as it has been read. */
#include <assert.h>

#include "adapters/ods_content.h"
#include "adapters/package.h"
#include "adapters/sheet_table.h"

#define CONTENT "content.xml"
#define CONTENT_MAX ((uint64_t)16 * 1024 * 1024 * 1024)
#define MANIFEST "META-INF/manifest.xml"
#define MANIFEST_MAX ((uint64_t)16 * 1024 * 1024)
#define FLAT_WITHIN 4096 /* bytes in which a flat document says what it is */

struct ods {
	struct adapter_input *in;
	struct adapter_package *package; /* NULL: a flat document */
	struct adapter_part *part;
	uint64_t at; /* bytes of a flat document that were read */
	struct adapter_ods_content *content;
	char *name[ADAPTER_SHEETS_MAX];
	size_t n_names;
	size_t begun; /* sheets of this reading; the last one is at hand */
	bool fresh;   /* none of its rows has been asked for */
	bool ended;   /* all of them have been given */
};

static void book_close(void *book)
{
	struct ods *o = book;

	adapter_ods_content_free(&o->content);
	adapter_part_close(&o->part);
	adapter_package_close(&o->package);
	for (size_t i = 0; i < o->n_names; i++)
		free(o->name[i]);
	free(o);
}

/* ---- the bytes ---- */

static enum bus_err read_flat(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err)
{
	struct ods *o = ctx;
	enum bus_err rc = adapter_input_read_at(o->in, o->at, p, n, got, err);

	if (rc == BUS_OK)
		o->at += *got;
	return rc;
}

/* Begins to read, from the beginning. */
static enum bus_err start(struct ods *o, struct bus_error *err)
{
	uint64_t size = (uint64_t)adapter_input_size(o->in);
	enum bus_err rc = BUS_OK;

	adapter_ods_content_free(&o->content);
	adapter_part_close(&o->part);
	o->begun = 0;
	o->at = 0;
	if (o->package)
		rc = adapter_part_open(o->package, CONTENT, CONTENT_MAX, &o->part, err);
	if (rc != BUS_OK)
		return rc;
	o->content = o->part ? adapter_ods_content_new(adapter_part_read, o->part, size)
			     : adapter_ods_content_new(read_flat, o, size);
	return BUS_OK;
}

/* ---- what it is ---- */

static void on_manifest(void *ctx, const char *name, const char **atts)
{
	bool *encrypted = ctx;

	(void)atts;
	*encrypted |= strcmp(name, "encryption-data") == 0;
}

static const struct adapter_xml_handler manifest = { .start = on_manifest };

/* A manifest that cannot be read says nothing; the content will. */
static bool is_encrypted(struct adapter_package *p)
{
	struct adapter_part *part = NULL;
	struct adapter_xml *xml;
	bool encrypted = adapter_package_has(p, "encrypted-package");

	if (adapter_part_open(p, MANIFEST, MANIFEST_MAX, &part, NULL) == BUS_OK) {
		xml = adapter_xml_new(adapter_part_read, part, &manifest, &encrypted);
		(void)!adapter_xml_all(xml, NULL);
		adapter_xml_free(&xml);
	}
	adapter_part_close(&part);
	return encrypted;
}

static enum bus_err open_package(struct ods *o, struct bus_error *err)
{
	enum bus_err rc = adapter_sheet_expect_zip(o->in, ".ods", err);

	if (rc == BUS_OK)
		rc = adapter_package_open(o->in, &o->package, err);
	if (rc != BUS_OK)
		return rc;
	if (is_encrypted(o->package))
		return bus_fail(
		    err, BUS_EDATA,
		    "berkas .ods bersandi: simpan tanpa kata sandi / the .ods is encrypted: save it without "
		    "a password");
	if (adapter_package_has(o->package, CONTENT))
		return BUS_OK;
	if (adapter_package_has(o->package, "[Content_Types].xml"))
		return bus_fail(
		    err, BUS_EDATA,
		    "berkas Excel (.xlsx), bukan .ods: pakai kind: xlsx / an Excel workbook (.xlsx), no "
		    ".ods: use kind: xlsx");
	return bus_fail(err, BUS_EDATA,
			"ZIP ini bukan .ods: ekstrak dahulu / this ZIP is no .ods: unpack it first");
}

static enum bus_err book_open(struct adapter_input *in, void **book, struct bus_error *err)
{
	struct ods *o = bus_xcalloc(1, sizeof(*o));
	struct bus_str head;
	enum bus_err rc = adapter_input_peek(in, FLAT_WITHIN, &head, err);

	o->in = in;
	if (rc == BUS_OK && !adapter_ods_is_flat(head))
		rc = open_package(o, err);
	if (rc == BUS_OK)
		rc = start(o, err);
	if (rc != BUS_OK) {
		book_close(o);
		return rc;
	}
	*book = o;
	return BUS_OK;
}

bool adapter_ods_is_flat(struct bus_str head)
{
	size_t n = strlen(ADAPTER_ODS_NAMESPACE);

	if (head.n > FLAT_WITHIN)
		head.n = FLAT_WITHIN;
	return head.n > 4 && memcmp(head.p, "PK\3\4", 4) != 0 &&
	       memmem(head.p, head.n, ADAPTER_ODS_NAMESPACE, n);
}

/* ---- sheets ---- */

/* Reads on to the next sheet. */
static enum bus_err forward(struct ods *o, struct bus_error *err)
{
	const char *name;
	enum bus_err rc = adapter_ods_content_table(o->content, &name, err);

	if (rc != BUS_OK)
		return rc;
	if (o->begun++ == o->n_names)
		o->name[o->n_names++] = bus_xstrdup(name);
	o->fresh = true;
	o->ended = false;
	return BUS_OK;
}

static enum bus_err book_sheet(void *book, size_t i, const char **name, bool *cells, struct bus_error *err)
{
	struct ods *o = book;
	enum bus_err rc = BUS_OK;

	assert(i < ADAPTER_SHEETS_MAX);
	while (rc == BUS_OK && i >= o->n_names)
		rc = forward(o, err);
	if (rc != BUS_OK)
		return rc;
	*name = o->name[i];
	*cells = true;
	return BUS_OK;
}

static enum bus_err book_begin(void *book, size_t i, struct bus_error *err)
{
	struct ods *o = book;
	enum bus_err rc = BUS_OK;

	if (o->begun > i + 1 || (o->begun == i + 1 && !o->fresh))
		rc = start(o, err);
	while (rc == BUS_OK && o->begun < i + 1)
		rc = forward(o, err);
	return rc;
}

static enum bus_err book_next(void *book, struct adapter_sheet_row *row, struct bus_error *err)
{
	struct ods *o = book;
	enum bus_err rc = adapter_ods_content_row(o->content, row, err);

	o->fresh = false;
	o->ended = rc == BUS_ENOENT;
	return rc;
}

static enum bus_err book_merges(void *book, size_t i, struct adapter_sheet_merge **out, size_t *n,
				struct bus_error *err)
{
	struct ods *o = book;
	struct adapter_sheet_row row;
	enum bus_err rc = BUS_OK;

	if (o->begun != i + 1 || !o->ended) {
		rc = book_begin(o, i, err);
		while (rc == BUS_OK)
			rc = book_next(o, &row, err);
	}
	if (rc == BUS_OK || rc == BUS_ENOENT)
		rc = adapter_ods_content_merges(o->content, out, n, err);
	return rc;
}

const struct adapter_sheet_book_kind adapter_sheet_book_ods = {
	.name = "ods",
	.open = book_open,
	.close = book_close,
	.sheet = book_sheet,
	.begin = book_begin,
	.next = book_next,
	.merges = book_merges,
};

static enum bus_err open_table(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			       const char *const *wanted, size_t n_wanted, void **source,
			       struct bus_error *err)
{
	return adapter_sheet_table_open(&adapter_sheet_book_ods, yaml, conf, in, wanted, n_wanted, source,
					err);
}

const struct adapter_source_kind adapter_source_ods = {
	.name = "ods",
	.open = open_table,
	.next = adapter_sheet_table_next,
	.end = adapter_sheet_table_end,
	.close = adapter_sheet_table_close,
};

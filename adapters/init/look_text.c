/* CSV and its kin, and records of fixed width. */
#include <stdio.h>

#include "adapters/csv.h"
#include "adapters/init/layout.h"
#include "adapters/init/text.h"
#include "adapters/source.h"

#define FIELDS_MAX 2048

struct reading {
	struct adapter_init_grid grid;
	struct adapter_text text;
	size_t *count; /* of records by their number of fields */
};

static const char *sure_name(char separator, char out[8])
{
	if (separator == '\t')
		return "tab";
	snprintf(out, 8, "'%c'", separator);
	return out;
}

static struct bus_str field(struct adapter_csv *csv, struct adapter_text *text, size_t i)
{
	const struct adapter_csv_field *f = &csv->field[i];
	struct bus_str part = { csv->raw.p + f->at, f->n };

	return f->doubled ? adapter_text_unquote(text, part, csv->quote) : adapter_text_decode(text, part);
}

static enum adapter_encoding encoding_of(const struct adapter_init_text *t)
{
	return strcmp(t->encoding, "utf-8") == 0 ? ADAPTER_UTF8 : ADAPTER_WINDOWS_1252;
}

static enum bus_err read_grid(const char *path, char separator, const struct adapter_init_text *t,
			      struct reading *r, struct bus_error *err)
{
	struct bus_str *cell = bus_xcalloc(FIELDS_MAX, sizeof(*cell));
	struct adapter_input *in = NULL;
	struct adapter_csv csv = { 0 };
	uint32_t number = 0;
	enum bus_err rc = adapter_input_open(path, &in, err);

	r->count = bus_xcalloc(FIELDS_MAX + 2, sizeof(*r->count));
	adapter_text_init(&r->text, encoding_of(t));
	if (rc == BUS_OK)
		rc = adapter_source_sniff(in, err);
	if (rc == BUS_OK) {
		adapter_csv_init(&csv, in, separator, '"');
		adapter_csv_limit(&csv, FIELDS_MAX);
	}
	while (rc == BUS_OK && (rc = adapter_csv_next(&csv, err)) == BUS_OK) {
		size_t n = csv.too_long || csv.broken ? 0 : csv.n > FIELDS_MAX ? FIELDS_MAX : csv.n;

		number++;
		adapter_text_row(&r->text, csv.raw);
		for (size_t i = 0; i < n; i++)
			cell[i] = field(&csv, &r->text, i);
		adapter_init_grid_put(&r->grid, number, cell, n, csv.too_long || csv.broken);
		if (csv.raw.n > 0)
			r->count[n]++;
	}
	if (rc == BUS_ENOENT)
		rc = BUS_OK;
	adapter_csv_release(&csv);
	adapter_input_close(&in);
	free(cell);
	return rc;
}

static void note_encoding(const struct adapter_init_text *t, struct adapter_init_shape *out)
{
	if (t->utf16)
		adapter_init_note(
		    out, ADAPTER_INIT_HIGH, false,
		    "pengodean UTF-16 (ada penanda urutan byte) / encoding UTF-16 (by its byte order)");
	else if (t->bom)
		adapter_init_note(out, ADAPTER_INIT_HIGH, false,
				  "pengodean UTF-8 dengan BOM / encoding UTF-8 with a byte order mark");
	else if (!t->other)
		adapter_init_note(
		    out, ADAPTER_INIT_HIGH, false,
		    "pengodean UTF-8: semua byte sah / encoding UTF-8: every byte is well-formed");
	else if (t->repaired)
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, true,
		    "pengodean UTF-8 dengan byte Windows-1252 di sana-sini / encoding UTF-8 with bytes "
		    "of Windows-1252 here and there");
	else
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, false,
		    "pengodean Windows-1252: ada byte yang bukan UTF-8 / encoding Windows-1252: some "
		    "bytes are not UTF-8");
}

void adapter_init_note_layout(const struct adapter_init_layout *l, const struct adapter_init_grid *g,
			      struct adapter_init_shape *out)
{
	if (l->n_header == 0)
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, true,
		    "tidak ada kepala tabel: baris pertama sudah data; kolom dinamai kolom_1 ... / no "
		    "header: the first row is data already; columns are called kolom_1 ...");
	else
		adapter_init_note(
		    out, l->header_sure ? ADAPTER_INIT_HIGH : ADAPTER_INIT_MEDIUM, false,
		    "kepala tabel di baris %u%s%s: kata di atas kolom isian / header in row %u: words "
		    "above columns of data",
		    (unsigned)g->row[l->header]->number, l->n_header > 1 ? ", beberapa baris" : "",
		    l->numbered ? ", lalu nomor kolom" : "", (unsigned)g->row[l->header]->number);
	if (l->totals + l->notes + l->repeats > 0)
		adapter_init_note(
		    out, l->uncovered ? ADAPTER_INIT_LOW : ADAPTER_INIT_MEDIUM, l->uncovered > 0,
		    "%zu baris jumlah, %zu catatan atau tanda tangan, %zu kepala berulang dilewati / %zu "
		    "rows of totals, %zu notes or signatures, %zu repeated headers passed over",
		    l->totals, l->notes, l->repeats, l->totals, l->notes, l->repeats);
	if (l->uncovered > 0)
		adapter_init_note(
		    out, ADAPTER_INIT_LOW, true,
		    "%zu di antaranya tak dapat dibedakan dengan aturan dan akan terhitung / %zu of them "
		    "cannot be told apart by a rule and will be counted",
		    l->uncovered, l->uncovered);
}

/* ---- separated fields ---- */

/* How many fields the records have; the table is as wide as that. */
static size_t usual_fields(const struct reading *r)
{
	size_t best = 1;

	for (size_t i = 1; i <= FIELDS_MAX; i++)
		if (r->count[i] > r->count[best])
			best = i;
	return best;
}

static void put_columns(const struct adapter_init_layout *l, size_t fields, struct adapter_init_shape *out)
{
	char spare[32];

	bus_buf_puts(&out->source, "header_rows: 0\ncolumns: [");
	for (size_t i = 0; i < fields; i++) {
		bus_buf_puts(&out->source, i > 0 ? ", " : "");
		snprintf(spare, sizeof(spare), "kolom_%zu", i + 1);
		adapter_init_put_yaml(&out->source, i < l->n_columns ? l->name[i] : spare);
	}
	bus_buf_puts(&out->source, "]\n");
}

static void describe(const struct reading *r, const struct adapter_init_layout *l,
		     const struct adapter_init_text *t, char separator, struct adapter_init_shape *out)
{
	const struct adapter_init_grid *g = &r->grid;
	size_t fields = usual_fields(r), header_fields = 0;
	bool by_header;

	for (size_t h = l->header; h < l->header + l->n_header; h++)
		if (g->row[h]->n > header_fields)
			header_fields = g->row[h]->n;
	by_header = l->n_header > 0 && l->names_good && !l->numbered && header_fields == fields;
	out->kind = "delimited";
	bus_buf_puts(&out->source, "kind: delimited\nseparator: ");
	if (separator == '\t')
		bus_buf_puts(&out->source, "tab\n");
	else
		bus_buf_printf(&out->source, "\"%c\"\n", separator ? separator : ',');
	if (strcmp(t->encoding, "utf-8") != 0)
		bus_buf_printf(&out->source, "encoding: %s\n", t->encoding);
	bus_buf_printf(&out->source, "title_rows: %u\n",
		       (unsigned)((by_header ? g->row[l->header]->number : g->row[l->data]->number) - 1));
	if (by_header)
		bus_buf_printf(&out->source, "header_rows: %zu\n", l->n_header);
	else
		put_columns(l, fields, out);
	adapter_init_put_rules(l, (const char *const *)l->name, &out->source);
	for (uint32_t i = 0; i < l->n_columns; i++)
		if (l->name[i][0] && (by_header || l->n_header == 0 || adapter_init_layout_uses(g, l, i)))
			adapter_init_column_add(out, l->name[i], false);
	out->expected = l->records;
}

static enum bus_err delimited(const char *path, char separator, const struct adapter_init_text *t,
			      struct adapter_init_shape *out, struct bus_error *err)
{
	struct adapter_init_layout l = { 0 };
	struct reading r = { 0 };
	enum bus_err rc = read_grid(path, separator, t, &r, err);
	size_t fields = rc == BUS_OK ? usual_fields(&r) : 0;

	/* A row of more fields than the others is broken: it makes the table no wider. */
	if (rc == BUS_OK &&
	    !adapter_init_layout(&r.grid, 0, r.grid.n, 0,
				 fields > 1 && fields < r.grid.width ? (uint32_t)fields : r.grid.width, &l))
		rc = bus_fail(err, BUS_EDATA,
			      "tidak ada baris data di berkas ini / there is no row of data in this file");
	if (rc == BUS_OK) {
		describe(&r, &l, t, separator, out);
		adapter_init_note_layout(&l, &r.grid, out);
	}
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&r.grid);
	adapter_text_release(&r.text);
	free(r.count);
	return rc;
}

/* ---- fixed places ---- */

static enum bus_err cut_lines(const char *path, const struct adapter_init_text *t,
			      const struct adapter_init_places *p, struct reading *r, struct bus_error *err)
{
	struct bus_str *cell = bus_xcalloc(p->fields, sizeof(*cell)), line;
	struct adapter_input *in = NULL;
	uint32_t number = 0;
	bool long_line;
	enum bus_err rc = adapter_input_open(path, &in, err);

	adapter_text_init(&r->text, encoding_of(t));
	if (rc == BUS_OK)
		rc = adapter_source_sniff(in, err);
	while (rc == BUS_OK && (rc = adapter_input_line(in, &line, &long_line, err)) == BUS_OK) {
		number++;
		adapter_text_row(&r->text, line);
		for (size_t i = 0; i < p->fields; i++) {
			size_t from = p->from[i] < line.n ? p->from[i] : line.n;
			size_t n = line.n - from < p->n[i] ? line.n - from : p->n[i];

			cell[i] = adapter_text_decode(&r->text, (struct bus_str){ line.p + from, n });
		}
		adapter_init_grid_put(&r->grid, number, cell, p->fields, false);
	}
	adapter_input_close(&in);
	free(cell);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static void put_fields(const struct adapter_init_places *p, char *const *name, struct adapter_init_shape *out)
{
	char spare[32];

	bus_buf_puts(&out->source, "  fields:\n");
	for (size_t i = 0; i < p->fields; i++) {
		snprintf(spare, sizeof(spare), "kolom_%zu", i + 1);
		bus_buf_puts(&out->source, "    ");
		adapter_init_put_yaml(&out->source, name && name[i][0] ? name[i] : spare);
		bus_buf_printf(&out->source, ": [%zu, %zu]\n", p->from[i] + 1, p->from[i] + p->n[i]);
		adapter_init_column_add(out, name && name[i][0] ? name[i] : spare, false);
	}
}

static void put_fixed(const struct adapter_init_text *t, struct adapter_init_shape *out)
{
	out->kind = "fixed";
	bus_buf_puts(&out->source, "kind: fixed\n");
	if (strcmp(t->encoding, "utf-8") != 0)
		bus_buf_printf(&out->source, "encoding: %s\n", t->encoding);
}

static void typed_records(const struct adapter_init_places *p, const struct adapter_init_text *t,
			  struct adapter_init_shape *out)
{
	put_fixed(t, out);
	if (p->header)
		bus_buf_printf(&out->source, "header: {record: \"%c\"}\n", p->header);
	if (p->trailer)
		bus_buf_printf(&out->source, "trailer: {record: \"%c\"}\n", p->trailer);
	bus_buf_printf(&out->source, "data:\n  record: \"%c\"\n  length: %zu\n", p->type, p->length);
	put_fields(p, NULL, out);
	adapter_init_note(
	    out, ADAPTER_INIT_HIGH, false,
	    "lebar tetap: tiap baris data diawali '%c' dan panjangnya %zu byte / fixed width: records "
	    "begin with '%c' and are %zu bytes long",
	    p->type, p->length, p->type, p->length);
	adapter_init_note(
	    out, ADAPTER_INIT_LOW, true,
	    "batas kolom ditebak dari peralihan angka dan huruf: cocokkan dengan dokumen susunan berkas / "
	    "places of fields were guessed where digits and letters change: compare with the file's "
	    "description");
}

static enum bus_err fixed_table(const char *path, const struct adapter_init_places *p,
				const struct adapter_init_text *t, struct adapter_init_shape *out,
				struct bus_error *err)
{
	struct adapter_init_layout l = { 0 };
	struct reading r = { 0 };
	enum bus_err rc = cut_lines(path, t, p, &r, err);

	if (rc == BUS_OK && !adapter_init_layout(&r.grid, 0, r.grid.n, 0, (uint32_t)p->fields, &l))
		rc = bus_fail(err, BUS_EDATA,
			      "tidak ada baris data di berkas ini / there is no row of data in this file");
	if (rc == BUS_OK) {
		put_fixed(t, out);
		bus_buf_printf(&out->source, "title_rows: %u\n", (unsigned)r.grid.row[l.data]->number - 1);
		bus_buf_printf(&out->source, "data:\n  length: %zu\n%s", p->length,
			       p->shorter ? "  shorter: true\n" : "");
		/* The rules want names for all columns: those of the header, or made up. */
		put_fields(p, l.name, out);
		adapter_init_put_rules(&l, (const char *const *)l.name, &out->source);
		out->expected = l.records;
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, false,
		    "lebar tetap: kolom dipisah ruang yang sama di semua baris / fixed width: columns are "
		    "parted by spaces at the same places in all lines");
		adapter_init_note_layout(&l, &r.grid, out);
	}
	adapter_init_layout_release(&l);
	adapter_init_grid_release(&r.grid);
	adapter_text_release(&r.text);
	return rc;
}

enum bus_err adapter_init_look_text(const char *path, struct adapter_init_shape *out, struct bus_error *err)
{
	struct adapter_init_separator sep;
	struct adapter_init_places places = { 0 };
	struct adapter_init_text t;
	bool fixed = false;
	char word[8];
	enum bus_err rc = adapter_init_text_scan(path, &t, err);

	if (rc == BUS_OK)
		rc = adapter_init_separator_find(path, &sep, err);
	if (rc == BUS_OK && sep.share < 0.9)
		rc = adapter_init_places_find(path, &fixed, &places, err);
	if (rc != BUS_OK)
		return rc;
	note_encoding(&t, out);
	/* A few commas in addresses are no separator of records that are all alike otherwise. */
	if (fixed && (places.type || sep.share < 0.5 || sep.fields < 3)) {
		if (places.type)
			typed_records(&places, &t, out);
		return places.type ? BUS_OK : fixed_table(path, &places, &t, out, err);
	}
	if (sep.c)
		adapter_init_note(
		    out,
		    sep.share > 0.95  ? ADAPTER_INIT_HIGH
		    : sep.share > 0.7 ? ADAPTER_INIT_MEDIUM
				      : ADAPTER_INIT_LOW,
		    false,
		    "pemisah %s: %.0f%% baris berisi %zu isian / separator %s: %.0f%% of the rows have "
		    "%zu fields",
		    sure_name(sep.c, word), sep.share * 100, sep.fields, sure_name(sep.c, word),
		    sep.share * 100, sep.fields);
	else
		adapter_init_note(out, ADAPTER_INIT_LOW, true,
				  "tidak ada pemisah: satu kolom / nothing separates fields: one column");
	return delimited(path, sep.c ? sep.c : ',', &t, out, err);
}

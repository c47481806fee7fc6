#include "adapters/init/draft.h"

#include <ctype.h>
#include <stdio.h>

#include "bus/json_out.h"

const char *adapter_init_sure_name(enum adapter_init_sure s)
{
	static const char *const names[] = { "rendah/low", "sedang/medium", "tinggi/high" };

	return names[s];
}

const char *adapter_init_type_name(enum adapter_init_type t)
{
	static const char *const names[] = { "teks/text",    "kode/code",  "identitas/identifier",
					     "bulat/whole",  "rupiah",	   "pecahan/decimal",
					     "tanggal/date", "waktu/time", "larik/list" };

	return names[t];
}

void adapter_init_draft_names(struct adapter_init_draft *d)
{
	static const char *const taken[] = { "row", "kunci", "tanda", "id_subjek" };

	for (size_t i = 0; i < d->shape->n_columns; i++) {
		char first[64];
		bool again = true;

		snprintf(first, sizeof(first), "%s", d->guess[i].field);
		for (unsigned k = 2; again; k++) {
			again = false;
			for (size_t t = 0; t < BUS_LEN(taken); t++)
				again |= strcmp(d->guess[i].field, taken[t]) == 0;
			for (size_t o = 0; o < i && !again; o++)
				again = strcmp(d->guess[o].field, d->guess[i].field) == 0;
			if (again)
				snprintf(d->guess[i].field, sizeof(d->guess[i].field), "%.56s_%u", first, k);
		}
	}
}

/* ---- the mapping ---- */

/* The record's key is one column as it stands. */
static bool is_plain_key(const struct adapter_init_draft *d)
{
	return d->key->n == 1 && !d->key->personal;
}

static const char *key_name(const struct adapter_init_draft *d)
{
	return is_plain_key(d) ? d->guess[d->key->part[0]].field : "kunci";
}

static void put_indented(const struct bus_buf *from, const char *indent, struct bus_buf *out)
{
	const char *p = from->p, *end = from->p + from->n;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = lf ? (size_t)(lf - p) : (size_t)(end - p);

		bus_buf_puts(out, indent);
		bus_buf_put(out, p, n);
		bus_buf_putc(out, '\n');
		p += n + 1;
	}
}

static void put_origin(const struct adapter_init_guess *g, const char *as, struct bus_buf *out)
{
	bus_buf_puts(out, g->type == ADAPTER_INIT_LIST ? "{each: " : "{from: ");
	adapter_init_put_yaml(out, g->from);
	if (g->n_nulls > 0 && g->type != ADAPTER_INIT_LIST) {
		bus_buf_puts(out, ", nulls: [");
		for (size_t i = 0; i < g->n_nulls; i++) {
			bus_buf_puts(out, i > 0 ? ", " : "");
			adapter_init_put_yaml(out, g->null[i]);
		}
		bus_buf_puts(out, "]");
	}
	if (*as)
		bus_buf_printf(out, ", as: %s", as);
	bus_buf_puts(out, "}");
}

/* Line breaks would end the comment. */
static void put_comment(const char *text, struct bus_buf *out)
{
	for (; *text; text++)
		bus_buf_putc(out, (unsigned char)*text < 0x20 ? ' ' : *text);
}

static void put_value(const struct adapter_init_draft *d, size_t i, struct bus_buf *out)
{
	const struct adapter_init_guess *g = &d->guess[i];
	bool key = is_plain_key(d) && d->key->part[0] == i;

	bus_buf_printf(out, "  # %s, %s: ", adapter_init_type_name(g->type), adapter_init_sure_name(g->sure));
	put_comment(g->why, out);
	if (g->empty > 0)
		bus_buf_printf(out, "; %llu kosong/empty", (unsigned long long)g->empty);
	if (g->class != 'N')
		bus_buf_puts(out, "; data pribadi/personal data");
	if (g->choices[0]) {
		bus_buf_puts(out, "; pilihan/choices: ");
		put_comment(g->choices, out);
	}
	bus_buf_printf(out, "\n  %s: ", g->field);
	/* A key is a text: of a number that is one the digits alone. */
	put_origin(g, key && g->type != ADAPTER_INIT_ID ? "clean" : g->as, out);
	bus_buf_putc(out, '\n');
}

static void put_key(const struct adapter_init_draft *d, struct bus_buf *out)
{
	const struct adapter_init_key *k = d->key;
	const struct adapter_init_guess *first = &d->guess[k->part[0]];
	bool nik = k->n == 1 && strcmp(first->as, "nik_lenient") == 0;

	if (is_plain_key(d))
		return;
	bus_buf_puts(out,
		     k->personal
			 ? "  # kunci: nama samaran, sebab isinya data pribadi / key: a pseudonym, for it is "
			   "made of personal data\n"
			 : "  # kunci: gabungan kolom / key: several columns together\n");
	bus_buf_printf(out, "  kunci: {%s: ", k->personal ? "pseudonym" : "join");
	if (nik) {
		bus_buf_printf(out, "%s}\n", first->field);
		return;
	}
	bus_buf_puts(out, "[");
	for (size_t i = 0; i < k->n; i++) {
		const struct adapter_init_guess *g = &d->guess[k->part[i]];

		bus_buf_puts(out, i > 0 ? ", " : "");
		put_origin(g, g->type == ADAPTER_INIT_ID ? g->as : "clean", out);
	}
	bus_buf_puts(out, "]");
	if (k->personal)
		bus_buf_printf(out, ", domain: \"%s:\"}\n", d->entity);
	else
		bus_buf_puts(out, ", with: \"|\"}\n");
}

static void put_checks(const struct adapter_init_draft *d, struct bus_buf *out)
{
	bus_buf_printf(
	    out,
	    "\nchecks:\n"
	    "  - {class: kunci_kosong, fate: refuse, when: {missing: %s}}\n"
	    "  - {class: kunci_ganda, fate: refuse, when: {repeated: %s}}\n"
	    "  # yang tak terbaca dikosongkan dan ditandai / what cannot be read is left empty and flagged\n"
	    "  - class: isian_tak_terbaca\n"
	    "    fate: flag\n"
	    "    when:\n"
	    "      bad:\n",
	    key_name(d), key_name(d));
	for (size_t i = 0; i < d->shape->n_columns; i++)
		if (!(is_plain_key(d) && d->key->part[0] == i))
			bus_buf_printf(out, "        - %s\n", d->guess[i].field);
}

void adapter_init_put_mapping(const struct adapter_init_draft *d, struct bus_buf *out)
{
	bool other = false;

	bus_buf_printf(out,
		       "# yaml-language-server: $schema=skema-editor/mapping.json\n"
		       "# Draf oleh `titian adapter init`: periksa tiap tebakan, lalu hapus catatannya.\n"
		       "# Drafted by `titian adapter init`: look at every guess, then delete its note.\n"
		       "feed: %s_%s\n",
		       d->opd, d->entity);
	if (d->fetch) {
		bus_buf_puts(out, d->fetch);
	} else {
		bus_buf_puts(out, "files: [");
		adapter_init_put_yaml(out, d->pattern);
		bus_buf_puts(out, "]\n");
	}
	bus_buf_printf(out,
		       "topic: pku.%s.%s.v1\n"
		       "kind: register\n"
		       "# true bila tiap berkas memuat seluruh data: yang tak ada lagi lalu dihapus.\n"
		       "# true when each file holds all records: what is gone is then removed.\n"
		       "complete: %s\n\nsource:\n",
		       d->opd, d->entity, d->complete ? "true" : "false");
	put_indented(&d->shape->source, "  ", out);
	bus_buf_puts(out, "\nvalues:\n");
	for (size_t i = 0; i < d->shape->n_columns; i++)
		put_value(d, i, out);
	put_key(d, out);
	for (size_t i = 0; i < d->shape->n_columns; i++)
		other |= !(is_plain_key(d) && d->key->part[0] == i);
	if (other)
		put_checks(d, out);
	bus_buf_printf(out, "\nkey: %s\n\nfields:\n", key_name(d));
	if (!is_plain_key(d))
		bus_buf_puts(out, "  kunci: kunci\n");
	for (size_t i = 0; i < d->shape->n_columns; i++)
		bus_buf_printf(out, "  %s: %s\n", d->guess[i].field, d->guess[i].field);
	bus_buf_puts(out, "  tanda: {flags: true}\n");
}

/* ---- the schema ---- */

static const char *avro_type(const struct adapter_init_guess *g)
{
	switch (g->type) {
	case ADAPTER_INIT_WHOLE:
	case ADAPTER_INIT_RUPIAH:
		return "\"long\"";
	case ADAPTER_INIT_DECIMAL:
		return "\"double\"";
	case ADAPTER_INIT_DATE:
		return "{\"type\": \"int\", \"logicalType\": \"date\"}";
	case ADAPTER_INIT_TIME:
		return "{\"type\": \"long\", \"logicalType\": \"timestamp-millis\"}";
	case ADAPTER_INIT_LIST:
		return "{\"type\": \"array\", \"items\": \"string\"}";
	default:
		return "\"string\"";
	}
}

/* "data_kk" -> "DataKk" */
static void put_camel(const char *name, struct bus_buf *out)
{
	bool up = true;

	for (; *name; name++) {
		if (*name == '_') {
			up = true;
			continue;
		}
		bus_buf_putc(out, up ? (char)toupper((unsigned char)*name) : *name);
		up = false;
	}
}

static void put_field(const struct adapter_init_draft *d, size_t i, struct bus_buf *out)
{
	const struct adapter_init_guess *g = &d->guess[i];
	struct bus_json_out j = { .buf = out };

	bus_buf_printf(out, "    {\"name\": \"%s\", \"type\": ", g->field);
	if (is_plain_key(d) && d->key->part[0] == i)
		bus_buf_puts(out, "\"string\"");
	else if (g->type == ADAPTER_INIT_LIST)
		bus_buf_printf(out, "%s, \"default\": []", avro_type(g));
	else
		bus_buf_printf(out, "[\"null\", %s], \"default\": null", avro_type(g));
	bus_buf_puts(out, ", \"doc\": ");
	bus_json_put_text(&j, g->from);
	bus_buf_printf(out, ", \"x_pdp\": \"%c\"%s},\n", g->class,
		       g->type == ADAPTER_INIT_RUPIAH ? ", \"x_satuan\": \"IDR\"" : "");
}

void adapter_init_put_schema(const struct adapter_init_draft *d, struct bus_buf *out)
{
	bus_buf_puts(out, "{\n  \"type\": \"record\",\n  \"name\": \"");
	put_camel(d->entity, out);
	bus_buf_printf(
	    out,
	    "\",\n  \"namespace\": \"id.go.pekanbaru.%s.v1\",\n"
	    "  \"doc\": \"Draf oleh titian adapter init / drafted by titian adapter init\",\n"
	    "  \"x_topik\": \"pku.%s.%s.v1\",\n  \"x_jenis\": \"register\",\n  \"x_kunci\": \"%s\",\n"
	    "  \"x_produsen\": \"%s\",\n  \"x_walidata\": \"diskominfotiksan\",\n  \"fields\": [\n",
	    d->opd, d->opd, d->entity, key_name(d), d->opd);
	if (!is_plain_key(d))
		bus_buf_printf(
		    out,
		    "    {\"name\": \"kunci\", \"type\": \"string\", \"doc\": \"%s\", \"x_pdp\": \"%c\"},\n",
		    d->key->personal ? "Nama samaran / pseudonym" : "Kunci gabungan / combined key",
		    d->key->personal ? 'P' : 'N');
	for (size_t i = 0; i < d->shape->n_columns; i++)
		put_field(d, i, out);
	bus_buf_puts(out,
		     "    {\"name\": \"tanda\", \"type\": {\"type\": \"array\", \"items\": \"string\"}, "
		     "\"default\": [], "
		     "\"doc\": \"Kelas cacat pada baris ini / defect classes found on this row\", \"x_pdp\": "
		     "\"N\"}\n  ]\n}\n");
}

void adapter_init_put_config(const struct adapter_init_draft *d, struct bus_buf *out)
{
	bus_buf_printf(
	    out,
	    "# yaml-language-server: $schema=skema-editor/adapter.json\n"
	    "# Draf oleh `titian adapter init` / drafted by `titian adapter init`\n"
	    "opd: %s\n"
	    "drop: {dir: masuk}          # letakkan berkas di sini / drop files here\n"
	    "mappings: [%s.yaml]\n"
	    "referensi: {dir: referensi} # tabel rujukan / reference tables\n"
	    "key:\n"
	    "  # Kunci coba: ganti dengan kunci kota dari Diskominfo sebelum menerbitkan.\n"
	    "  # A key for trying: put the city's key, from Diskominfo, in its place before publishing.\n"
	    "  city: kunci/kota.key\n"
	    "  opd: kunci/opd.key          # milik Anda; simpan cadangannya / yours; keep a copy\n"
	    "kafka: {bootstrap: \"localhost:9092\"}\n"
	    "schemas: {dir: skema}\n",
	    d->opd, d->entity);
}

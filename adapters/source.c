#include "adapters/source.h"

#include <strings.h>

static const struct adapter_source_kind *const kinds[] = {
	&adapter_source_delimited, &adapter_source_fixed,   &adapter_source_jsonl,
	&adapter_source_json,	   &adapter_source_pgdump,  &adapter_source_xlsx,
	&adapter_source_ods,	   &adapter_source_sqldump, &adapter_source_xml,
};

const struct adapter_source_kind *adapter_source_find(const char *name)
{
	for (size_t i = 0; i < BUS_LEN(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

size_t adapter_source_names(const char **names, size_t max)
{
	size_t n = 0;

	for (; n < BUS_LEN(kinds) && n < max; n++)
		names[n] = kinds[n]->name;
	return n;
}

/* What departments send when text was asked for, by its first bytes. */
static const struct {
	const char *bytes;
	size_t n;
	const char *message;
} foreign[] = {
	{ "\xd0\xcf\x11\xe0", 4,
	  "berkas .xls lama (Excel 97-2003) tidak dibaca: buka di Excel atau LibreOffice, File > Save As "
	  "(Simpan Sebagai) .xlsx; satu folder sekaligus: soffice --headless --convert-to xlsx *.xls / "
	  "legacy .xls is not supported: save it as .xlsx (File > Save As in Excel or LibreOffice); a whole "
	  "folder at once: soffice --headless --convert-to xlsx *.xls" },
	{ "PK\x03\x04", 4,
	  "berkas .xlsx, .ods atau ZIP, bukan teks: pakai kind: xlsx atau kind: ods, simpan sebagai CSV, "
	  "atau "
	  "ekstrak dahulu / .xlsx, .ods or ZIP, no text: use kind: xlsx or kind: ods, save it as CSV, or "
	  "unpack it first" },
	{ "PK\x05\x06", 4,
	  "berkas ZIP kosong: kirim berkasnya sendiri / an empty ZIP: send the file itself" },
	{ "%PDF", 4,
	  "berkas PDF tidak dapat dibaca: kirim data aslinya sebagai CSV / "
	  "PDF cannot be read: send the data itself as CSV" },
	{ "\x1f\x8b", 2, "berkas gzip: ekstrak dahulu / gzip: unpack it first" },
	{ "PGDMP", 5, "pg_dump format khusus: pakai pg_dump -Fp / pg_dump's custom format: use pg_dump -Fp" },
	{ "SQLite format 3", 15,
	  "berkas basis data SQLite: ekspor sebagai CSV / an SQLite database: export it as CSV" },
};

/* Many web applications offer "Excel" and send an HTML table. */
static bool is_markup(struct bus_str head)
{
	static const char *const begins[] = { "<html", "<table", "<!doctype", "<?xml" };
	size_t i = 0;

	while (i < head.n && strchr(" \t\r\n", head.p[i]) && head.p[i])
		i++;
	for (size_t k = 0; k < BUS_LEN(begins); k++)
		if (head.n - i >= strlen(begins[k]) &&
		    strncasecmp(head.p + i, begins[k], strlen(begins[k])) == 0)
			return true;
	return false;
}

/* "Unicode text" of Excel and Notepad: by its byte order mark, or by the NULs beside its first characters. */
static bool is_utf16(struct bus_str head, bool *big_endian, size_t *mark)
{
	const char *p = head.p;

	*mark = 0;
	if (head.n < 4)
		return false;
	if (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0) {
		*mark = 2;
		*big_endian = p[0] == '\xfe';
		return true;
	}
	*big_endian = !p[0];
	return (p[0] && !p[1] && p[2] && !p[3]) || (!p[0] && p[1] && !p[2] && p[3]);
}

enum bus_err adapter_source_sniff(struct adapter_input *in, struct bus_error *err)
{
	struct bus_str head;
	bool big_endian;
	size_t mark;
	enum bus_err rc;

	rc = adapter_input_peek(in, ADAPTER_PEEK_MAX, &head, err);
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < BUS_LEN(foreign); i++)
		if (head.n >= foreign[i].n && memcmp(head.p, foreign[i].bytes, foreign[i].n) == 0)
			return bus_fail(err, BUS_EDATA, "%s", foreign[i].message);
	if (is_utf16(head, &big_endian, &mark)) {
		adapter_input_skip(in, mark);
		adapter_input_utf16(in, big_endian);
		rc = adapter_input_peek(in, ADAPTER_PEEK_MAX, &head, err);
		if (rc != BUS_OK)
			return rc;
	}
	if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0) {
		adapter_input_skip(in, 3);
		head = (struct bus_str){ head.p + 3, head.n - 3 };
	}
	if (head.n == 0)
		return bus_fail(err, BUS_EDATA, "berkas kosong / the file is empty");
	if (is_markup(head))
		return bus_fail(err, BUS_EDATA,
				"berkas HTML atau XML: simpan sebagai CSV / HTML or XML: save it as CSV");
	if (adapter_has_nul(head))
		return bus_fail(err, BUS_EDATA,
				"berkas biner (ada byte NUL): kirim sebagai teks UTF-8 / "
				"binary (it holds NUL bytes): send text in UTF-8");
	return BUS_OK;
}

enum bus_err adapter_source_encoding(struct bus_yaml *yaml, struct bus_yaml_node *conf,
				     enum adapter_encoding *out, struct bus_error *err)
{
	static const char *const names[] = { "utf-8", "windows-1252", "latin-1" };
	struct bus_yaml_node *node = bus_yaml_get(conf, "encoding");
	const char *near;

	if (!node)
		return BUS_OK;
	if (node->kind == BUS_YAML_SCALAR) {
		for (size_t i = 0; i < BUS_LEN(names); i++) {
			if (strcasecmp(node->text, names[i]) == 0) {
				*out = (enum adapter_encoding)i;
				return BUS_OK;
			}
		}
	}
	near = node->kind == BUS_YAML_SCALAR ? bus_nearest(node->text, names, BUS_LEN(names)) : NULL;
	return bus_yaml_fail(yaml, node, err, "encoding must be utf-8, windows-1252 or latin-1%s%s",
			     near ? "; did you mean " : "", near ? near : "");
}

enum bus_err adapter_source_word(struct bus_yaml *yaml, struct bus_yaml_node *conf, const char *key,
				 bool must, const char **out, struct bus_error *err)
{
	enum bus_err rc = bus_yaml_str(yaml, conf, key, must, out, err);
	struct bus_yaml_node *node = bus_yaml_get(conf, key);

	if (rc == BUS_OK && node && node->text[0] == '\0')
		return bus_yaml_fail(yaml, node, err, "'%s' must not be empty", key);
	return rc;
}

enum bus_err adapter_source_no_column(const char *wanted, const char *const *names, size_t n,
				      struct bus_error *err)
{
	const char *near = bus_nearest(wanted, names, n);

	return bus_fail(err, BUS_EDATA, "kolom '%s' tidak ada / there is no column '%s'%s%s%s", wanted,
			wanted, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

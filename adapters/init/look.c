/* What kind of file it is: by its first bytes, not by its name. */
#include <ctype.h>
#include <strings.h>

#include "adapters/init/shape.h"
#include "adapters/package.h"
#include "adapters/source.h"

static size_t skip_space(struct bus_str s, size_t i)
{
	while (i < s.n && isspace((unsigned char)s.p[i]))
		i++;
	return i;
}

static bool has_rows(const struct bus_json *v, int depth)
{
	if (v->type == BUS_JSON_ARRAY)
		return v->first && v->first->type == BUS_JSON_OBJECT;
	for (const struct bus_json *c = v->type == BUS_JSON_OBJECT && depth < 3 ? v->first : NULL; c;
	     c = c->next)
		if (has_rows(c, depth + 1))
			return true;
	return false;
}

/* The first line is an object, and the next begins one too; or it is the only line, and holds no list of rows. */
static bool is_json_lines(struct bus_str head, size_t at)
{
	struct bus_arena *arena = bus_arena_new((size_t)4 * 1024 * 1024);
	const char *lf = memchr(head.p + at, '\n', head.n - at);
	size_t end = lf ? (size_t)(lf - head.p) : head.n;
	struct bus_json *tree;
	bool whole, rows;

	whole = head.p[at] == '{' &&
		bus_json_parse((struct bus_str){ head.p + at, end - at }, NULL, arena, &tree, NULL) == BUS_OK;
	rows = whole && has_rows(tree, 0);
	bus_arena_free(&arena);
	at = skip_space(head, end);
	return whole && (at == head.n ? !rows : head.p[at] == '{');
}

static bool contains(struct bus_str head, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= head.n; i++)
		if (strncasecmp(head.p + i, word, n) == 0)
			return true;
	return false;
}

static bool is_sql(struct bus_str head, size_t at)
{
	static const char *const begins[] = {
		"--",	"/*",	  "insert", "create", "set ",  "begin", "start transaction",
		"drop", "pragma", "copy ",  "use ",   "lock ", "#",	"replace"
	};
	bool begun = false;

	for (size_t i = 0; i < BUS_LEN(begins); i++)
		begun |= head.n - at >= strlen(begins[i]) &&
			 strncasecmp(head.p + at, begins[i], strlen(begins[i])) == 0;
	return begun &&
	       (contains(head, "INSERT INTO") || contains(head, "CREATE TABLE") || contains(head, "COPY ") ||
		contains(head, "REPLACE INTO") || contains(head, "INSERT IGNORE") ||
		contains(head, "PostgreSQL database dump") || contains(head, "SQL Dump") ||
		contains(head, "MySQL dump") || contains(head, "MariaDB dump"));
}

/* By its first bytes, in whatever encoding. A page of HTML is none. */
static bool is_xml(struct bus_str head)
{
	size_t at = head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	if (head.n >= 4 && (memcmp(head.p, "\xff\xfe<", 4) == 0 || memcmp(head.p, "\xfe\xff\0<", 4) == 0))
		return true;
	at = skip_space(head, at);
	return at + 1 < head.n && head.p[at] == '<' &&
	       (head.p[at + 1] == '?' || head.p[at + 1] == '_' || isalpha((unsigned char)head.p[at + 1]) ||
		strncmp(head.p + at, "<!--", head.n - at < 4 ? head.n - at : 4) == 0) &&
	       (head.n - at < 5 || strncasecmp(head.p + at, "<html", 5) != 0);
}

/* A ZIP with the content of an OpenDocument file, or with an encrypted one: its reader will say what it is. */
static bool holds_opendocument(struct adapter_input *in)
{
	struct adapter_package *p;
	bool holds = false;

	if (adapter_package_open(in, &p, NULL) == BUS_OK)
		holds = adapter_package_has(p, "content.xml") || adapter_package_has(p, "encrypted-package");
	adapter_package_close(&p);
	return holds;
}

enum bus_err adapter_init_look(const char *path, const struct adapter_init_want *want,
			       struct adapter_init_shape *out, struct bus_error *err)
{
	struct adapter_input *in = NULL;
	struct bus_str head = { NULL, 0 };
	enum { TEXT, XLSX, ODS, JSON, LINES, SQL, XML } kind = TEXT;
	size_t at = 0;
	enum bus_err rc = adapter_input_open(path, &in, err);

	if (rc == BUS_OK)
		rc = adapter_input_peek(in, 4096, &head, err);
	if (rc == BUS_OK && head.n >= 4 && memcmp(head.p, "PK\3\4", 4) == 0) {
		kind = holds_opendocument(in) ? ODS : XLSX;
	} else if (rc == BUS_OK && adapter_ods_is_flat(head)) {
		kind = ODS;
	} else if (rc == BUS_OK && is_xml(head)) {
		kind = XML;
	} else if (rc == BUS_OK) {
		rc = adapter_source_sniff(in, err);
		if (rc == BUS_OK)
			rc = adapter_input_peek(in, ADAPTER_PEEK_MAX, &head, err);
		if (rc == BUS_OK) {
			at = skip_space(head, 0);
			if (at == head.n)
				rc = bus_fail(err, BUS_EDATA, "berkas kosong / the file is empty");
			else if (head.p[at] == '{' || head.p[at] == '[')
				kind = is_json_lines(head, at) ? LINES : JSON;
			else if (is_sql(head, at))
				kind = SQL;
		}
	}
	adapter_input_close(&in);
	if (rc != BUS_OK)
		return rc;
	switch (kind) {
	case XLSX:
		return adapter_init_look_sheets(path, &adapter_sheet_book_xlsx, want, out, err);
	case ODS:
		return adapter_init_look_sheets(path, &adapter_sheet_book_ods, want, out, err);
	case JSON:
		return adapter_init_look_json(path, false, want, out, err);
	case LINES:
		return adapter_init_look_json(path, true, want, out, err);
	case XML:
		return adapter_init_look_xml(path, want, out, err);
	case SQL:
		return adapter_init_look_sql(path, want, out, err);
	case TEXT:
		break;
	}
	return adapter_init_look_text(path, out, err);
}

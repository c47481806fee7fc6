#include "adapters/init/text.h"

#include "adapters/csv.h"
#include "adapters/source.h"
#include "bus/utf8.h"

#define FIELDS_MAX 2048

enum bus_err adapter_init_text_scan(const char *path, struct adapter_init_text *out, struct bus_error *err)
{
	struct adapter_input *in = NULL;
	struct bus_str head, line;
	uint64_t good = 0, bad = 0;
	bool long_line;
	enum bus_err rc = adapter_input_open(path, &in, err);

	*out = (struct adapter_init_text){ .encoding = "utf-8" };
	if (rc == BUS_OK)
		rc = adapter_input_peek(in, 4, &head, err);
	if (rc == BUS_OK) {
		out->bom = head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0;
		rc = adapter_source_sniff(in, err);
		out->utf16 = rc == BUS_OK && adapter_input_is_utf16(in);
	}
	while (rc == BUS_OK && (rc = adapter_input_line(in, &line, &long_line, err)) == BUS_OK) {
		for (size_t i = 0; i < line.n;) {
			i += bus_utf8_ok(line.p + i, line.n - i);
			if (i == line.n)
				break;
			bad++;
			i++;
		}
		for (size_t i = 0; i < line.n && good < 1000; i++) {
			size_t len =
			    (unsigned char)line.p[i] >= 0x80 ? bus_utf8_len(line.p + i, line.n - i) : 0;

			good += len > 1;
			i += len > 1 ? len - 1 : 0;
		}
	}
	if (rc == BUS_ENOENT)
		rc = BUS_OK;
	out->lines = in ? adapter_input_lines(in) : 0;
	out->other = bad > 0;
	out->repaired = bad > 0 && good > 0;
	if (bad > 0 && good == 0)
		out->encoding = "windows-1252";
	adapter_input_close(&in);
	return rc;
}

/* ---- separators ---- */

static enum bus_err try(const char *path, char separator, struct adapter_init_separator *out,
			struct bus_error *err)
{
	size_t *count = bus_xcalloc(FIELDS_MAX + 2, sizeof(*count)), records = 0, best = 0;
	struct adapter_input *in = NULL;
	struct adapter_csv csv = { 0 };
	enum bus_err rc = adapter_input_open(path, &in, err);

	if (rc == BUS_OK)
		rc = adapter_source_sniff(in, err);
	if (rc == BUS_OK) {
		adapter_csv_init(&csv, in, separator, '"');
		adapter_csv_limit(&csv, FIELDS_MAX);
	}
	while (rc == BUS_OK && records < ADAPTER_INIT_SAMPLE &&
	       (rc = adapter_csv_next(&csv, err)) == BUS_OK) {
		if (csv.raw.n == 0)
			continue;
		records++;
		count[csv.too_long || csv.broken ? 0 : csv.n]++;
	}
	if (rc == BUS_ENOENT)
		rc = BUS_OK;
	for (size_t i = 2; i <= FIELDS_MAX; i++)
		if (count[i] > count[best] || best < 2)
			best = i;
	*out = (struct adapter_init_separator){ separator, best,
						records > 0 ? (double)count[best] / (double)records : 0 };
	adapter_csv_release(&csv);
	adapter_input_close(&in);
	free(count);
	return rc;
}

/* How much speaks for it: many records alike, and many fields. */
static double weight(const struct adapter_init_separator *s)
{
	double many = s->fields > 10 ? 10 : (double)s->fields;

	return s->share * s->share * (1 + many / 10) * (strchr(" ~^#", s->c) ? 0.7 : 1);
}

enum bus_err adapter_init_separator_find(const char *path, struct adapter_init_separator *out,
					 struct bus_error *err)
{
	static const char marks[] = { ';', ',', '\t', '|', '^', '~', '#' };
	enum bus_err rc = BUS_OK;

	*out = (struct adapter_init_separator){ 0 };
	for (size_t i = 0; i < sizeof(marks) && rc == BUS_OK; i++) {
		struct adapter_init_separator s;

		rc = try(path, marks[i], &s, err);
		if (rc == BUS_OK && s.share > 0 && weight(&s) > weight(out))
			*out = s;
	}
	return rc;
}

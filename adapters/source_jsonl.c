/* One JSON object a line. Options: adapters/README.md. */
#include <stdio.h>

#include "adapters/json_row.h"
#include "adapters/source.h"

struct jsonl {
	struct adapter_input *in;
	struct adapter_json_row *reader;
	const char *defect;
	bool torn; /* the last line is broken and has no line end */
	char detail[200];
};

static void jsonl_close(void *source)
{
	struct jsonl *s = source;

	adapter_json_row_free(&s->reader);
	free(s);
}

static enum bus_err jsonl_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			       const char *const *wanted, size_t n_wanted, void **source,
			       struct bus_error *err)
{
	struct jsonl *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->in = in;
	s->defect = ADAPTER_DEFECT_JSON;
	if ((rc = adapter_source_word(yaml, conf, "defect", false, &s->defect, err)) == BUS_OK &&
	    (rc = bus_yaml_no_more(yaml, conf, err)) == BUS_OK &&
	    (rc = adapter_json_row_new(yaml, conf, wanted, n_wanted, &s->reader, err)) == BUS_OK && in)
		rc = adapter_source_sniff(in, err);
	if (rc != BUS_OK || !in) {
		jsonl_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

static bool is_blank(struct bus_str line)
{
	size_t i = 0;

	while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	return i == line.n;
}

static void set_defect(struct jsonl *s, struct adapter_row *row, enum bus_err rc, const char *why)
{
	static const char first_line[] = "line 1, ";

	/* A place within a line is a column: "line 1" would be read as the file's. */
	if (strncmp(why, first_line, sizeof(first_line) - 1) == 0)
		why += sizeof(first_line) - 1;
	snprintf(s->detail, sizeof(s->detail), "%s%.150s", rc == BUS_EPARSE ? "bukan JSON / not JSON: " : "",
		 why);
	row->defect = s->defect;
	row->detail = s->detail;
	s->torn = rc == BUS_EPARSE && adapter_input_unended(s->in);
}

static enum bus_err jsonl_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct jsonl *s = source;
	struct bus_error broken = { .code = BUS_OK };
	struct bus_str line;
	bool too_long;
	enum bus_err rc;

	do {
		rc = adapter_input_line(s->in, &line, &too_long, err);
		if (rc != BUS_OK)
			return rc;
	} while (is_blank(line));
	*row = (struct adapter_row){ .line = adapter_input_line_number(s->in), .raw = line };
	if (too_long) {
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
		return BUS_OK;
	}
	rc = adapter_json_row_read(s->reader, line, row, &broken);
	if (rc != BUS_OK)
		set_defect(s, row, rc, broken.text);
	return BUS_OK;
}

static void jsonl_end(void *source, struct adapter_end *out)
{
	const struct jsonl *s = source;

	*out = (struct adapter_end){ .cut = s->torn };
	if (s->torn)
		snprintf(out->why, sizeof(out->why),
			 "baris terakhir terpotong / the last line is broken off and has no line end");
}

const struct adapter_source_kind adapter_source_jsonl = {
	.name = "jsonl",
	.open = jsonl_open,
	.next = jsonl_next,
	.end = jsonl_end,
	.close = jsonl_close,
};

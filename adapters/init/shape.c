#include "adapters/init/shape.h"

#include <stdarg.h>
#include <stdio.h>

#include "bus/json_out.h"
#include "bus/plain.h"

void adapter_init_shape_release(struct adapter_init_shape *s)
{
	for (size_t i = 0; i < s->n_columns; i++)
		free(s->column[i]);
	free(s->column);
	free(s->list);
	for (size_t i = 0; i < s->n_notes; i++)
		free(s->note[i].text);
	bus_buf_release(&s->source);
	*s = (struct adapter_init_shape){ 0 };
}

void adapter_init_note(struct adapter_init_shape *s, enum adapter_init_sure sure, bool warning,
		       const char *fmt, ...)
{
	struct adapter_init_note *n = &s->note[s->n_notes];
	va_list ap;

	if (s->n_notes == ADAPTER_INIT_NOTES_MAX)
		return;
	*n = (struct adapter_init_note){ .sure = sure, .warning = warning };
	va_start(ap, fmt);
	if (vasprintf(&n->text, fmt, ap) < 0)
		abort();
	va_end(ap);
	bus_plain(n->text, strlen(n->text), false);
	s->n_notes++;
}

void adapter_init_column_add(struct adapter_init_shape *s, const char *name, bool list)
{
	if (s->n_columns == ADAPTER_INIT_COLUMNS_MAX) {
		s->left_out++;
		return;
	}
	s->column = bus_xrealloc(s->column, (s->n_columns + 1) * sizeof(*s->column));
	s->list = bus_xrealloc(s->list, (s->n_columns + 1) * sizeof(*s->list));
	s->column[s->n_columns] = bus_xstrdup(name);
	s->list[s->n_columns++] = list;
}

/* What YAML takes for something else than a text, in one of its versions. */
static bool is_plain(const char *text)
{
	static const char *const taken[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };

	if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_'))
		return false;
	for (size_t i = 0; i < BUS_LEN(taken); i++)
		if (strcasecmp(text, taken[i]) == 0)
			return false;
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] == '\0';
}

void adapter_init_put_yaml(struct bus_buf *b, const char *text)
{
	struct bus_json_out j = { .buf = b };

	if (is_plain(text))
		bus_buf_puts(b, text);
	else
		bus_json_put_text(&j, text);
}

enum bus_err adapter_init_read(const char *path, const struct adapter_init_shape *shape,
			       adapter_init_row_fn fn, void *ctx, uint64_t *records, struct bus_error *err)
{
	const struct adapter_source_kind *kind = adapter_source_find(shape->kind);
	struct adapter_input *in = NULL;
	struct bus_yaml *yaml = NULL;
	struct adapter_row row;
	void *source = NULL;
	enum bus_err rc;

	*records = 0;
	rc = bus_yaml_parse("source", 1, shape->source.p, shape->source.n, &yaml, err);
	if (rc == BUS_OK)
		rc = adapter_input_open(path, &in, err);
	if (rc == BUS_OK) {
		(void)bus_yaml_get(bus_yaml_root(yaml), "kind");
		rc = kind->open(yaml, bus_yaml_root(yaml), in, (const char *const *)shape->column,
				shape->n_columns, &source, err);
	}
	while (rc == BUS_OK) {
		rc = kind->next(source, &row, err);
		if (rc != BUS_OK)
			break;
		++*records;
		if (fn)
			fn(ctx, &row);
	}
	if (rc == BUS_ENOENT && source)
		rc = BUS_OK;
	if (source)
		kind->close(source);
	adapter_input_close(&in);
	bus_yaml_free(&yaml);
	return rc;
}

/* What `init` makes of any file: it ends, within its bounds, and the schema it drafts is one; of text files, that is: the
 * workbook's parts have a target of their own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "adapters/init/draft.h"
#include "schemas/avro/schema.h"

struct reading {
	struct adapter_init_column *column;
	struct adapter_init_prints *prints;
	size_t n;
};

static void take(void *ctx, const struct adapter_row *row)
{
	struct reading *r = ctx;

	adapter_init_columns_take(r->column, r->n, row);
	adapter_init_prints_take(r->prints, row);
}

static void draft(const char *path, struct adapter_init_shape *shape)
{
	struct reading r = { adapter_init_columns_new(shape->n_columns),
			     adapter_init_prints_new(shape->n_columns), shape->n_columns };
	struct adapter_init_draft d = {
		.opd = "uji", .entity = "data", .file = path, .pattern = "data*", .shape = shape
	};
	struct adapter_init_key key;
	struct bus_buf text = { 0 };
	struct schema *schema = NULL;
	struct bus_error err;

	d.guess = bus_xcalloc(r.n + 1, sizeof(*d.guess));
	if (adapter_init_read(path, shape, take, &r, &d.records, &err) == BUS_OK) {
		for (size_t i = 0; i < r.n; i++)
			adapter_init_column_guess(r.column, i, shape->column[i], shape->list[i], &d.guess[i]);
		adapter_init_draft_names(&d);
		adapter_init_key_find(r.prints, d.guess, r.n, &key);
		d.key = &key;
		adapter_init_put_mapping(&d, &text);
		bus_buf_reset(&text);
		adapter_init_put_schema(&d, &text);
		if (schema_parse(bus_buf_str(&text), SCHEMA_STRICT, NULL, 0, &schema, &err) != BUS_OK) {
			fprintf(stderr, "%s\n%s\n", err.text, bus_buf_cstr(&text));
			abort();
		}
		schema_unref(&schema);
	}
	bus_buf_release(&text);
	free(d.guess);
	adapter_init_columns_free(&r.column, r.n);
	adapter_init_prints_free(&r.prints);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct adapter_init_want want = { NULL, NULL, NULL };
	struct adapter_init_shape shape = { 0 };
	char path[64];
	int fd = memfd_create("init", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (adapter_init_look(path, &want, &shape, NULL) == BUS_OK && shape.n_columns > 0)
		draft(path, &shape);
	adapter_init_shape_release(&shape);
	close(fd);
	return 0;
}

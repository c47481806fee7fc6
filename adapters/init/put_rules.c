#include "adapters/init/layout.h"
#include "adapters/init/shape.h"

static void put_text(struct bus_buf *out, struct bus_str s)
{
	char *text = bus_xstrndup(s.p, s.n);

	adapter_init_put_yaml(out, text);
	free(text);
}

void adapter_init_put_rules(const struct adapter_init_layout *l, const char *const *name, struct bus_buf *out)
{
	if (l->n_rules == 0)
		return;
	bus_buf_puts(out, "skip_rows:\n");
	for (size_t i = 0; i < l->n_rules; i++) {
		const struct adapter_init_rule *r = &l->rule[i];

		if (r->test == ADAPTER_INIT_FILLED) {
			bus_buf_printf(out, "  - {filled: %u}\n", (unsigned)r->filled);
			continue;
		}
		bus_buf_puts(out, "  - {column: ");
		adapter_init_put_yaml(out, name[r->column]);
		if (r->test == ADAPTER_INIT_EMPTY) {
			bus_buf_puts(out, ", empty: true}\n");
			continue;
		}
		bus_buf_puts(out, r->test == ADAPTER_INIT_PREFIX ? ", prefix: " : ", equals: ");
		put_text(out, r->text);
		bus_buf_puts(out, "}\n");
	}
}

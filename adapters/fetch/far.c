#include "adapters/fetch/far.h"

#include "bus/utf8.h"

static bool name_ok(struct bus_str s)
{
	if (s.n == 0 || s.n > ADAPTER_FAR_NAME_MAX || bus_utf8_ok(s.p, s.n) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '/' || s.p[i] == '\\')
			return false;
	return true;
}

enum bus_err adapter_far_add(struct adapter_far_list *l, struct bus_str name, int64_t size, int64_t mtime,
			     struct bus_error *err)
{
	if ((name.n == 1 && name.p[0] == '.') || (name.n == 2 && memcmp(name.p, "..", 2) == 0))
		return BUS_OK;
	if (!name_ok(name)) {
		l->refused++;
		return BUS_OK;
	}
	if (l->n == ADAPTER_FAR_FILES_MAX)
		return bus_fail(
		    err, BUS_ETOOBIG,
		    "the folder has over %d files: let what was read be moved away (after: {move: ...})",
		    ADAPTER_FAR_FILES_MAX);
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->file = bus_xrealloc(l->file, l->cap * sizeof(*l->file));
	}
	l->file[l->n++] = (struct adapter_far_file){ .name = bus_xasprintf("%.*s", (int)name.n, name.p),
						     .size = size,
						     .mtime = mtime };
	return BUS_OK;
}

const struct adapter_far_file *adapter_far_find(const struct adapter_far_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->file[i].name, name) == 0)
			return &l->file[i];
	return NULL;
}

void adapter_far_release(struct adapter_far_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->file[i].name);
	free(l->file);
	*l = (struct adapter_far_list){ 0 };
}

#include "schemas/kinds/proto.h"

#include "bus/crypto.h"
#include "bus/base64.h"

static enum bus_err begin(struct schema_proto *p, const struct schema_kind_reference *ref, size_t n_refs,
			  bool lenient, struct bus_error *err)
{
	*p = (struct schema_proto){ .ref = ref, .n_refs = n_refs, .lenient = lenient, .err = err };
	p->arena = bus_arena_new(SCHEMA_KIND_MEMORY_MAX);
	bus_random(&p->seed, sizeof(p->seed)); /* whoever writes schemas cannot aim at one slot */
	p->files = schema_proto_new(p, sizeof(*p->files));
	if (!p->files)
		return schema_proto_no_room(p);
	p->files->name = BUS_STR("default");
	p->files_tail = &p->files->next;
	p->n_files = 1;
	return BUS_OK;
}

/* The schema and all it imports: first those, so that what is wrong is said of the schema. */
static enum bus_err load(struct schema_proto *p, struct bus_str text)
{
	enum bus_err rc = schema_proto_load(p, text, p->files);

	if (rc == BUS_OK)
		rc = schema_proto_imports(p);
	for (struct schema_proto_file *f = p->files->next; f && rc == BUS_OK; f = f->next) {
		rc = schema_proto_define(p, f);
		if (rc)
			bus_fail_prefix(p->err, rc, "reference '" SCHEMA_PROTO_F "'",
					SCHEMA_PROTO_A(f->name));
	}
	if (rc == BUS_OK)
		rc = schema_proto_define(p, p->files);
	for (struct schema_proto_file *f = p->files->next; f && rc == BUS_OK; f = f->next) {
		rc = schema_proto_link(p, f);
		if (rc)
			bus_fail_prefix(p->err, rc, "reference '" SCHEMA_PROTO_F "'",
					SCHEMA_PROTO_A(f->name));
	}
	return rc ? rc : schema_proto_link(p, p->files);
}

enum bus_err schema_proto_check(struct bus_str text, const struct schema_kind_reference *ref, size_t n_refs,
				int flags, struct bus_buf *canonical, struct bus_error *err)
{
	struct bus_buf out = { 0 };
	struct schema_proto p;
	enum bus_err rc = begin(&p, ref, n_refs, false, err);

	if (rc == BUS_OK)
		rc = load(&p, text);
	if (rc == BUS_OK)
		rc = schema_proto_rules(&p);
	if (rc == BUS_OK)
		rc = schema_proto_text(&p, p.files,
				       flags & SCHEMA_KIND_NORMALIZE ? SCHEMA_PROTO_NORMALIZED : 0, &out);
	if (rc == BUS_OK && out.n == 0)
		rc = bus_fail(err, BUS_ESCHEMA, "the schema defines nothing");
	if (rc == BUS_OK)
		bus_buf_put(canonical, out.p, out.n);
	bus_buf_release(&out);
	bus_arena_free(&p.arena);
	return rc;
}

enum bus_err schema_proto_format(const char *format, struct bus_str text,
				 const struct schema_kind_reference *ref, size_t n_refs, struct bus_buf *out,
				 struct bus_error *err)
{
	bool serialized = strcmp(format, "serialized") == 0;
	bool ignore = strcmp(format, "ignore_extensions") == 0;
	struct bus_buf bytes = { 0 };
	struct schema_proto p;
	enum bus_err rc = begin(&p, ref, n_refs, true, err);

	if (rc == BUS_OK)
		rc = load(&p, text);
	if (rc == BUS_OK && serialized)
		rc = schema_proto_write(&p, p.files, &bytes);
	else if (rc == BUS_OK)
		rc = schema_proto_text(&p, p.files, ignore ? SCHEMA_PROTO_IGNORE_EXTENSIONS : 0, &bytes);
	if (rc == BUS_OK && serialized)
		bus_base64_put(bus_buf_str(&bytes), out);
	else if (rc == BUS_OK)
		bus_buf_put(out, bytes.p, bytes.n);
	bus_buf_release(&bytes);
	bus_arena_free(&p.arena);
	return rc;
}

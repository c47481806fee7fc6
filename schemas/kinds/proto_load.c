#include "bus/base64.h"
#include "schemas/kinds/proto.h"

/* Whoever sends base64 has no blank in it, and no .proto text is without one of these. */
static bool is_text(struct bus_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr(" \t\n;{\"'", s.p[i]))
			return true;
	return false;
}

enum bus_err schema_proto_load(struct schema_proto *p, struct bus_str text, struct schema_proto_file *file)
{
	struct bus_buf bytes = { 0 };
	struct bus_str kept;
	enum bus_err rc;

	if (is_text(text))
		return schema_proto_parse(p, text, file);
	if (!bus_base64_parse(text, &bytes)) {
		bus_buf_release(&bytes);
		return bus_fail(p->err, BUS_ESCHEMA,
				"neither .proto text nor a FileDescriptorProto in base64");
	}
	kept = (struct bus_str){ bus_arena_dup(p->arena, bytes.p ? bytes.p : "", bytes.n), bytes.n };
	bus_buf_release(&bytes);
	rc = kept.p ? schema_proto_read(p, kept, file) : schema_proto_no_room(p);
	return rc;
}

static struct bus_str text_of(const struct schema_proto *p, struct bus_str name)
{
	for (size_t i = 0; i < p->n_refs; i++)
		if (bus_str_is(name, p->ref[i].name))
			return p->ref[i].text;
	return schema_proto_known(name);
}

static struct schema_proto_file *loaded(const struct schema_proto *p, struct bus_str name)
{
	for (struct schema_proto_file *f = p->files; f; f = f->next)
		if (f != p->files && bus_str_eq(f->name, name))
			return f;
	return NULL;
}

/* Puts the file into the list; *out NULL: there is none of that name. */
static enum bus_err load(struct schema_proto *p, struct bus_str name, struct schema_proto_file **out)
{
	struct bus_str text = text_of(p, name);
	enum bus_err rc;

	*out = loaded(p, name);
	if (*out || !text.p)
		return BUS_OK;
	if (p->n_files >= SCHEMA_PROTO_FILES_MAX)
		return bus_fail(p->err, BUS_ETOOBIG, "more than %d files are imported",
				SCHEMA_PROTO_FILES_MAX);
	*out = schema_proto_new(p, sizeof(**out));
	if (!*out)
		return schema_proto_no_room(p);
	(*out)->name = name;
	rc = schema_proto_load(p, text, *out);
	if (rc)
		return bus_fail_prefix(p->err, rc, "reference '" SCHEMA_PROTO_F "'", SCHEMA_PROTO_A(name));
	*p->files_tail = *out;
	p->files_tail = &(*out)->next;
	p->n_files++;
	return BUS_OK;
}

/* What the files from f on import; the list grows meanwhile. */
static enum bus_err follow(struct schema_proto *p, struct schema_proto_file *f, bool implicit)
{
	for (; f; f = f->next)
		for (struct schema_proto_import *i = f->imports; i; i = i->next) {
			enum bus_err rc = load(p, i->name, &i->file);

			if (rc)
				return rc;
			if (i->file && !implicit)
				i->file->implicit = false;
			if (!i->file && !p->lenient && !i->weak)
				return schema_proto_fail(
				    p, f == p->files ? i->at : (struct schema_proto_at){ 0 },
				    "'" SCHEMA_PROTO_F "' is imported%s" SCHEMA_PROTO_F
				    "%s and not given: register it and name it in \"references\"",
				    SCHEMA_PROTO_A(i->name), f == p->files ? "" : " by '",
				    SCHEMA_PROTO_A(f == p->files ? BUS_STR("") : f->name),
				    f == p->files ? "" : "'");
		}
	return BUS_OK;
}

enum bus_err schema_proto_imports(struct schema_proto *p)
{
	return follow(p, p->files, false);
}

enum bus_err schema_proto_file_named(struct schema_proto *p, struct bus_str name,
				     struct schema_proto_file **out)
{
	struct schema_proto_file **from = p->files_tail;
	enum bus_err rc = load(p, name, out);
	bool lenient = p->lenient;

	if (rc || !*from)
		return rc;
	rc = follow(p, *from, true);
	p->lenient = true; /* a name that the schema defines too is the schema's */
	for (struct schema_proto_file *f = *from; f && rc == BUS_OK; f = f->next) {
		f->implicit = true;
		rc = schema_proto_define(p, f);
	}
	for (struct schema_proto_file *f = *from; f && rc == BUS_OK; f = f->next)
		rc = schema_proto_link(p, f);
	p->lenient = lenient;
	p->visible_from = NULL;
	return rc;
}

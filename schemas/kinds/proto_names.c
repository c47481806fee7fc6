#include "schemas/kinds/proto.h"

#define PACKAGE_PARTS_MAX 64

static uint64_t more(uint64_t h, struct bus_str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h;
}

/* Of "scope.name", the scope's known. */
static uint64_t inside(uint64_t scope, struct bus_str name)
{
	return more(more(scope, BUS_STR(".")), name);
}

static size_t slot_of(uint64_t h, size_t size)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return (h ^ h >> 32) & (size - 1);
}

static bool is_joined(struct bus_str full, struct bus_str scope, struct bus_str name)
{
	if (scope.n == 0)
		return bus_str_eq(full, name);
	return full.n == scope.n + 1 + name.n && memcmp(full.p, scope.p, scope.n) == 0 &&
	       full.p[scope.n] == '.' && memcmp(full.p + scope.n + 1, name.p, name.n) == 0;
}

/* The slot of "scope.name", free when there is no such name. */
static struct schema_proto_symbol *lookup(const struct schema_proto *p, uint64_t h, struct bus_str scope,
					  struct bus_str name)
{
	size_t i = slot_of(h, p->symbol_size);

	while (p->symbol[i].name.p && !(p->symbol[i].hash == h && is_joined(p->symbol[i].name, scope, name)))
		i = (i + 1) & (p->symbol_size - 1);
	return &p->symbol[i];
}

static enum bus_err grow(struct schema_proto *p)
{
	struct schema_proto_symbol *old = p->symbol;
	size_t n = p->symbol_size;

	p->symbol_size = n ? n * 2 : 1024;
	p->symbol = schema_proto_new(p, p->symbol_size * sizeof(*p->symbol));
	if (!p->symbol)
		return schema_proto_no_room(p);
	for (size_t i = 0; i < n; i++)
		if (old[i].name.p)
			*lookup(p, old[i].hash, (struct bus_str){ 0 }, old[i].name) = old[i];
	return BUS_OK;
}

static enum bus_err put(struct schema_proto *p, struct schema_proto_at at, struct schema_proto_symbol s)
{
	struct schema_proto_symbol *there;
	enum bus_err rc = BUS_OK;

	if (p->n_symbols * 2 >= p->symbol_size)
		rc = grow(p);
	if (rc)
		return rc;
	there = lookup(p, s.hash, (struct bus_str){ 0 }, s.name);
	if (!there->name.p) {
		*there = s;
		p->n_symbols++;
		return BUS_OK;
	}
	if (p->lenient || (there->kind == SCHEMA_PROTO_IS_PACKAGE && s.kind == SCHEMA_PROTO_IS_PACKAGE))
		return BUS_OK;
	if (there->file->implicit) { /* the schema is such a file itself */
		*there = s;
		return BUS_OK;
	}
	if (there->file != s.file)
		return schema_proto_fail(p, at,
					 "'" SCHEMA_PROTO_F "' is defined in '" SCHEMA_PROTO_F "' already",
					 SCHEMA_PROTO_A(s.name), SCHEMA_PROTO_A(there->file->name));
	return schema_proto_fail(p, at, "'" SCHEMA_PROTO_F "' is defined twice%s", SCHEMA_PROTO_A(s.name),
				 s.kind == SCHEMA_PROTO_IS_OTHER && there->kind == SCHEMA_PROTO_IS_OTHER
				     ? " (the values of an enum share one scope with it: give them a prefix)"
				     : "");
}

/* A name that nothing refers to, but that may not be there twice. */
static enum bus_err put_plain(struct schema_proto *p, struct schema_proto_file *file,
			      struct schema_proto_at at, struct bus_str scope, uint64_t scope_hash,
			      struct bus_str name, void *what)
{
	const struct bus_str full = schema_proto_join(p, scope, name);

	if (!full.p)
		return schema_proto_no_room(p);
	return put(
	    p, at,
	    (struct schema_proto_symbol){ .hash = scope.n ? inside(scope_hash, name) : more(p->seed, name),
					  .name = full,
					  .kind = SCHEMA_PROTO_IS_OTHER,
					  .file = file,
					  .what = what });
}

static uint64_t scope_of(const struct schema_proto *p, const struct schema_proto_file *file,
			 const struct schema_proto_message *m)
{
	return m ? m->hash : file->n_scopes ? file->package_hash[file->n_scopes - 1] : p->seed;
}

static uint64_t hash_in(const struct schema_proto *p, const struct schema_proto_file *file,
			const struct schema_proto_message *m, struct bus_str name)
{
	return m || file->n_scopes ? inside(scope_of(p, file, m), name) : more(p->seed, name);
}

static struct bus_str scope_name(const struct schema_proto_file *file, const struct schema_proto_message *m)
{
	return m ? m->full : file->package;
}

static enum bus_err define_enums(struct schema_proto *p, struct schema_proto_file *file,
				 struct schema_proto_message *m, struct schema_proto_enum *e)
{
	enum bus_err rc = BUS_OK;

	for (; e && rc == BUS_OK; e = e->next) {
		rc = put(p, e->at,
			 (struct schema_proto_symbol){ .hash = hash_in(p, file, m, e->name),
						       .name = e->full,
						       .kind = SCHEMA_PROTO_IS_ENUM,
						       .file = file,
						       .what = e });
		for (struct schema_proto_constant *c = e->constants; c && rc == BUS_OK; c = c->next)
			rc = put_plain(p, file, c->at, scope_name(file, m), scope_of(p, file, m), c->name,
				       NULL);
	}
	return rc;
}

static enum bus_err define_extends(struct schema_proto *p, struct schema_proto_file *file,
				   struct schema_proto_message *m, struct schema_proto_extend *e)
{
	for (; e; e = e->next)
		for (struct schema_proto_field *f = e->fields; f; f = f->next) {
			const struct bus_str full = schema_proto_join(p, scope_name(file, m), f->name);
			enum bus_err rc;

			if (!full.p)
				return schema_proto_no_room(p);
			rc = put(p, f->at,
				 (struct schema_proto_symbol){ .hash = hash_in(p, file, m, f->name),
							       .name = full,
							       .kind = SCHEMA_PROTO_IS_EXTENSION,
							       .file = file,
							       .what = f,
							       .extend = e });
			if (rc)
				return rc;
		}
	return BUS_OK;
}

/* Depth: the parser's. */
static enum bus_err define_messages(struct schema_proto *p, struct schema_proto_file *file,
				    struct schema_proto_message *m)
{
	enum bus_err rc = BUS_OK;

	for (; m && rc == BUS_OK; m = m->next) {
		m->hash = hash_in(p, file, m->parent, m->name);
		rc = put(p, m->at,
			 (struct schema_proto_symbol){ .hash = m->hash,
						       .name = m->full,
						       .kind = SCHEMA_PROTO_IS_MESSAGE,
						       .file = file,
						       .what = m });
		for (struct schema_proto_field *f = m->fields; f && rc == BUS_OK; f = f->next)
			rc = put_plain(p, file, f->at, m->full, m->hash, f->name, f);
		for (struct schema_proto_oneof *o = m->oneofs; o && rc == BUS_OK; o = o->next)
			rc = put_plain(p, file, o->at, m->full, m->hash, o->name, NULL);
		if (rc == BUS_OK)
			rc = define_messages(p, file, m->messages);
		if (rc == BUS_OK)
			rc = define_enums(p, file, m, m->enums);
		if (rc == BUS_OK)
			rc = define_extends(p, file, m, m->extends);
	}
	return rc;
}

static enum bus_err define_package(struct schema_proto *p, struct schema_proto_file *file)
{
	uint64_t h = p->seed;
	size_t from = 0;

	if (file->package.n == 0)
		return BUS_OK;
	file->package_hash = schema_proto_new(p, PACKAGE_PARTS_MAX * sizeof(*file->package_hash));
	if (!file->package_hash)
		return schema_proto_no_room(p);
	for (size_t i = 0; i <= file->package.n; i++) {
		struct bus_str name = { file->package.p, i };
		enum bus_err rc;

		if (i < file->package.n && file->package.p[i] != '.')
			continue;
		if (file->n_scopes == PACKAGE_PARTS_MAX)
			return schema_proto_fail(p, file->package_at, "a package of more than %d parts",
						 PACKAGE_PARTS_MAX);
		h = more(h, (struct bus_str){ file->package.p + from, i - from });
		from = i;
		file->package_hash[file->n_scopes++] = h;
		rc = put(p, file->package_at,
			 (struct schema_proto_symbol){
			     .hash = h, .name = name, .kind = SCHEMA_PROTO_IS_PACKAGE, .file = file });
		if (rc)
			return rc;
	}
	return BUS_OK;
}

enum bus_err schema_proto_define(struct schema_proto *p, struct schema_proto_file *file)
{
	enum bus_err rc;

	if (file->defined)
		return BUS_OK;
	file->defined = true;
	rc = define_package(p, file);
	if (rc == BUS_OK)
		rc = define_messages(p, file, file->messages);
	if (rc == BUS_OK)
		rc = define_enums(p, file, NULL, file->enums);
	if (rc == BUS_OK)
		rc = define_extends(p, file, NULL, file->extends);
	for (struct schema_proto_service *s = file->services; s && rc == BUS_OK; s = s->next) {
		struct bus_str full = schema_proto_join(p, file->package, s->name);
		uint64_t h = hash_in(p, file, NULL, s->name);

		if (!full.p)
			return schema_proto_no_room(p);
		rc = put(p, s->at,
			 (struct schema_proto_symbol){
			     .hash = h, .name = full, .kind = SCHEMA_PROTO_IS_SERVICE, .file = file });
		for (struct schema_proto_rpc *r = s->rpcs; r && rc == BUS_OK; r = r->next)
			rc = put_plain(p, file, r->at, full, h, r->name, NULL);
	}
	return rc;
}

/* Marks what the file sees: itself, what it imports, and what that imports publicly. */
static void see(struct schema_proto *p, struct schema_proto_file *file)
{
	bool changed = true;

	if (p->visible_from == file)
		return;
	p->visible_from = file;
	p->round++;
	file->visible = p->round;
	for (struct schema_proto_import *i = file->imports; i; i = i->next)
		if (i->file)
			i->file->visible = p->round;
	while (changed) { /* at most once a file */
		changed = false;
		for (struct schema_proto_file *f = p->files; f; f = f->next)
			for (struct schema_proto_import *i = f->imports;
			     f->visible == p->round && f != file && i; i = i->next)
				if (i->public && i->file && i->file->visible != p->round) {
					i->file->visible = p->round;
					changed = true;
				}
	}
}

static bool is_visible(const struct schema_proto *p, const struct schema_proto_symbol *s)
{
	if (!s->name.p || s->kind != SCHEMA_PROTO_IS_PACKAGE)
		return s->name.p && s->file->visible == p->round;
	for (const struct schema_proto_file *f = p->files; f; f = f->next)
		if (f->visible == p->round && f->package.n >= s->name.n &&
		    memcmp(f->package.p, s->name.p, s->name.n) == 0 &&
		    (f->package.n == s->name.n || f->package.p[s->name.n] == '.'))
			return true;
	return false;
}

/* In one scope. True: this is the answer, *out NULL when it is none. */
static bool resolve_in(struct schema_proto *p, uint64_t scope_hash, struct bus_str scope, struct bus_str name,
		       bool types, const struct schema_proto_symbol **out)
{
	const char *dot = memchr(name.p, '.', name.n);
	struct bus_str first = { name.p, dot ? (size_t)(dot - name.p) : name.n };
	const struct schema_proto_symbol *s;

	*out = NULL;
	s = lookup(p, scope.n ? inside(scope_hash, first) : more(p->seed, first), scope, first);
	if (!is_visible(p, s))
		return false;
	if (!dot) {
		if (types && s->kind != SCHEMA_PROTO_IS_MESSAGE && s->kind != SCHEMA_PROTO_IS_ENUM)
			return false;
		*out = s;
		return true;
	}
	if (s->kind == SCHEMA_PROTO_IS_OTHER || s->kind == SCHEMA_PROTO_IS_EXTENSION)
		return false;
	s = lookup(p, scope.n ? inside(scope_hash, name) : more(p->seed, name), scope, name);
	*out = is_visible(p, s) ? s : NULL;
	return true;
}

const struct schema_proto_symbol *schema_proto_resolve(struct schema_proto *p, struct schema_proto_file *file,
						       const struct schema_proto_message *scope,
						       struct bus_str name, bool types)
{
	const struct schema_proto_symbol *found;
	struct bus_str package;

	if (name.n == 0 || p->symbol_size == 0)
		return NULL;
	see(p, file);
	if (scope) /* of an option's value it is the message, wherever that stands */
		file = scope->file;
	package = file->package;
	if (name.p[0] == '.') {
		found = schema_proto_find(p, (struct bus_str){ name.p + 1, name.n - 1 });
		return found && is_visible(p, found) ? found : NULL;
	}
	for (; scope; scope = scope->parent)
		if (resolve_in(p, scope->hash, scope->full, name, types, &found))
			return found;
	for (size_t i = file->n_scopes; i-- > 0;) {
		const char *dot;

		if (resolve_in(p, file->package_hash[i], package, name, types, &found))
			return found;
		dot = memrchr(package.p, '.', package.n);
		package.n = dot ? (size_t)(dot - package.p) : 0;
	}
	resolve_in(p, p->seed, (struct bus_str){ 0 }, name, types, &found);
	return found;
}

const struct schema_proto_symbol *schema_proto_find(const struct schema_proto *p, struct bus_str full)
{
	const struct schema_proto_symbol *s;

	if (p->symbol_size == 0 || full.n == 0)
		return NULL;
	s = lookup(p, more(p->seed, full), (struct bus_str){ 0 }, full);
	return s->name.p ? s : NULL;
}

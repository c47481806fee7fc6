/* Metadata and rules as text: Confluent's JSON (Jackson, NON_EMPTY) and the bytes of its hash. */
#include "schemas/store/meta.h"

static void put_set(struct bus_json_out *j, const char *name, const struct bus_str *item, size_t n)
{
	if (n == 0)
		return;
	bus_json_key(j, name);
	bus_json_array(j);
	for (size_t i = 0; i < n; i++)
		bus_json_put_str(j, item[i]);
	bus_json_array_end(j);
}

static void put_map(struct bus_json_out *j, const char *name, const struct schema_pair *pair, size_t n)
{
	if (n == 0)
		return;
	bus_json_key(j, name);
	bus_json_object(j);
	for (size_t i = 0; i < n; i++) {
		bus_json_key_str(j, pair[i].key);
		bus_json_put_str(j, pair[i].value);
	}
	bus_json_object_end(j);
}

static void put_text(struct bus_json_out *j, const char *name, struct bus_str text)
{
	if (text.n == 0)
		return;
	bus_json_key(j, name);
	bus_json_put_str(j, text);
}

void schema_metadata_write(const struct schema_metadata *m, struct bus_json_out *j)
{
	bus_json_object(j);
	if (m->n_tagged > 0) {
		bus_json_key(j, "tags");
		bus_json_object(j);
		for (size_t i = 0; i < m->n_tagged; i++) {
			bus_json_key_str(j, m->tagged[i].key);
			bus_json_array(j);
			for (size_t k = 0; k < m->tagged[i].n; k++)
				bus_json_put_str(j, m->tagged[i].tag[k]);
			bus_json_array_end(j);
		}
		bus_json_object_end(j);
	}
	put_map(j, "properties", m->property, m->n_properties);
	put_set(j, "sensitive", m->sensitive, m->n_sensitive);
	bus_json_object_end(j);
}

static void put_rule(const struct schema_rule *r, struct bus_json_out *j)
{
	bus_json_object(j);
	put_text(j, "name", r->name);
	put_text(j, "doc", r->doc);
	put_text(j, "kind", r->kind);
	put_text(j, "mode", r->mode);
	put_text(j, "type", r->type);
	put_set(j, "tags", r->tag, r->n_tags);
	put_map(j, "params", r->param, r->n_params);
	put_text(j, "expr", r->expr);
	put_text(j, "onSuccess", r->on_success);
	put_text(j, "onFailure", r->on_failure);
	bus_json_key(j, "disabled");
	bus_json_put_bool(j, r->disabled);
	bus_json_object_end(j);
}

void schema_rule_set_write(const struct schema_rule_set *s, struct bus_json_out *j)
{
	static const char *const name[] = { "migrationRules", "domainRules", "encodingRules" };

	bus_json_object(j);
	for (int k = 0; k < SCHEMA_RULE_KINDS; k++) {
		if (s->n[k] == 0)
			continue;
		bus_json_key(j, name[k]);
		bus_json_array(j);
		for (size_t i = 0; i < s->n[k]; i++)
			put_rule(&s->rule[k][i], j);
		bus_json_array_end(j);
	}
	put_text(j, "enableAt", s->enable_at);
	bus_json_object_end(j);
}

void schema_meta_members(const struct schema_metadata *m, const struct schema_rule_set *s,
			 struct bus_buf *out)
{
	struct bus_json_out a = { .buf = out }, b = { .buf = out };

	if (m) {
		bus_buf_puts(out, "\"metadata\":");
		schema_metadata_write(m, &a);
	}
	if (s) {
		bus_buf_puts(out, m ? ",\"ruleSet\":" : "\"ruleSet\":");
		schema_rule_set_write(s, &b);
	}
}

static void add(struct bus_buf *out, struct bus_str s)
{
	bus_buf_put(out, s.p, s.n);
}

static void add_pairs(struct bus_buf *out, const struct schema_pair *pair, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add(out, pair[i].key);
		add(out, pair[i].value);
	}
}

static void add_all(struct bus_buf *out, const struct bus_str *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(out, item[i]);
}

void schema_metadata_bytes(const struct schema_metadata *m, struct bus_buf *out)
{
	for (size_t i = 0; i < m->n_tagged; i++) {
		add(out, m->tagged[i].key);
		add_all(out, m->tagged[i].tag, m->tagged[i].n);
	}
	add_pairs(out, m->property, m->n_properties);
	add_all(out, m->sensitive, m->n_sensitive);
}

void schema_rule_set_bytes(const struct schema_rule_set *s, struct bus_buf *out)
{
	for (int k = 0; k < SCHEMA_RULE_KINDS; k++)
		for (size_t i = 0; i < s->n[k]; i++) {
			const struct schema_rule *r = &s->rule[k][i];

			add(out, r->name);
			add(out, r->doc);
			add(out, r->kind);
			add(out, r->mode);
			add(out, r->type);
			add_all(out, r->tag, r->n_tags);
			add_pairs(out, r->param, r->n_params);
			add(out, r->expr);
			add(out, r->on_success);
			add(out, r->on_failure);
			if (r->disabled)
				bus_buf_putc(out, 1);
		}
	add(out, s->enable_at);
}

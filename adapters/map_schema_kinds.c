/* The options of each kind of source and of fetching. Nobody keeps a list of them: each kind's reader is given a sample, and what
 * it asks for is what it knows. A sample holds what makes a reader go on to the end. */
#include <stdio.h>

#include "adapters/change/change.h"
#include "adapters/fetch/kind.h"
#include "adapters/map_schema.h"
#include "adapters/source.h"
#include "bus/yaml.h"

#define SAMPLES_MAX 4
#define KINDS_MAX 32

struct sample {
	const char *kind; /* NULL: for all */
	const char *text; /* NULL: no more */
};

static const struct sample source_samples[] = {
	{ NULL,
	  "table: a\nrows: /a\nskip_rows: [{column: a, empty: true}]\nend_row: {column: a, empty: true}\n" },
	{ "fixed", "header: {record: a}\ndata: {record: b, length: 9, fields: {a: [1, 2]}}\n"
		   "trailer: {record: c, controls: {a: {at: [1, 2], count: true}}}\n" },
	{ NULL, NULL },
};
static const struct sample fetch_samples[] = {
	{ NULL,
	  "every: 1h\nconnection: a\nfiles: a\nquery: a ?\nurl: \"https://a/{since}\"\nmark: {column: a, "
	  "type: time}\nafter: {move: a}\n"
	  "api_key: {header: a, file: b}\noauth2: {url: \"https://a/\", client_id: a, secret_file: b}\n" },
	{ NULL, "every: 1h\nconnection: a\noutbox: {table: a, id: b, after: {mark: a}}\nurl: \"https://a/\"\n"
		"page: {by: cursor, at: a, parameter: b}\n" },
	{ NULL,
	  "every: 1h\nconnection: a\nquery: a\nurl: \"https://a/\"\npage: {by: number, parameter: b}\n" },
	{ NULL, "every: 1h\nconnection: a\nfiles: a\nurl: a\noutbox: {table: a, id: b, after: keep}\nafter: "
		"keep\n" },
	{ NULL, NULL },
};
static const struct sample change_samples[] = { { NULL, "connection: a\ntable: a\n" }, { NULL, NULL } };

/* Gives conf to the reader of this kind. */
typedef void (*ask_fn)(const char *kind, struct bus_yaml *yaml, struct bus_yaml_node *conf);

static void ask_source(const char *name, struct bus_yaml *yaml, struct bus_yaml_node *conf)
{
	const struct adapter_source_kind *kind = adapter_source_find(name);
	struct bus_error err;
	void *source = NULL;

	if (kind->open(yaml, conf, NULL, NULL, 0, &source, &err) == BUS_OK && source)
		kind->close(source);
}

static void ask_fetch(const char *name, struct bus_yaml *yaml, struct bus_yaml_node *conf)
{
	static const atomic_bool stop;
	const struct adapter_fetch_kind *kind;
	struct bus_error err;
	void *fetch = NULL;
	size_t i = 0;

	while (strcmp((kind = adapter_fetch_kind_at(i))->name, name) != 0)
		i++;
	(void)bus_yaml_get(conf, "every"); /* fetch.c's */
	if (kind->open(yaml, conf, false, &stop, &fetch, &err) == BUS_OK)
		kind->close(fetch);
}

static void ask_change(const char *name, struct bus_yaml *yaml, struct bus_yaml_node *conf)
{
	(void)name;
	adapter_change_options(yaml, conf);
}

static struct bus_yaml_node *asked_at(const struct bus_yaml_node *map, const char *key)
{
	for (struct bus_yaml_node *c = map->first; c; c = c->next)
		if (c->asked && strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static bool told_before(struct bus_yaml_node *const *map, size_t at, size_t i, const char *key)
{
	const char *k;

	for (size_t m = 0; m <= at; m++)
		for (size_t n = 0; (m < at || n < i) && (k = bus_yaml_asked(map[m], n)); n++)
			if (strcmp(k, key) == 0)
				return true;
	return false;
}

static void put_map(struct bus_json_out *j, struct bus_yaml_node *const *map, size_t n, const char *kind);

/* What a key holds in the samples: a map, a word or a map, a list of maps; anything, where none is a map. The first of a list stands
 * for all of them. */
static void put_value(struct bus_json_out *j, struct bus_yaml_node *const *node, size_t n)
{
	struct bus_yaml_node *map[SAMPLES_MAX], *item[SAMPLES_MAX];
	size_t n_maps = 0, n_items = 0;
	bool word = false;

	for (size_t i = 0; i < n; i++) {
		word |= node[i]->kind == BUS_YAML_SCALAR;
		if (node[i]->kind == BUS_YAML_MAP)
			map[n_maps++] = node[i];
		if (node[i]->kind == BUS_YAML_LIST && node[i]->first->kind == BUS_YAML_MAP)
			item[n_items++] = node[i]->first;
	}
	if (n_maps > 0) {
		bus_json_key(j, "type");
		bus_json_put_raw(j, bus_str(word ? "[\"string\",\"object\"]" : "\"object\""));
		put_map(j, map, n_maps, NULL);
	} else if (n_items > 0) {
		bus_json_text_member(j, "type", "array");
		bus_json_key(j, "items");
		bus_json_object(j);
		put_value(j, item, n_items);
		bus_json_object_end(j);
	}
}

/* Its keys are names that the mapping gives; the first stands for all of them. */
static void put_names(struct bus_json_out *j, struct bus_yaml_node *const *map, size_t n)
{
	struct bus_yaml_node *first[SAMPLES_MAX];

	for (size_t i = 0; i < n; i++)
		first[i] = map[i]->first;
	bus_json_key(j, "additionalProperties");
	bus_json_object(j);
	put_value(j, first, n);
	bus_json_object_end(j);
}

/* What any of these maps was asked for, and nothing else. kind: what `kind` must say; NULL: it is as any other key. */
static void put_map(struct bus_json_out *j, struct bus_yaml_node *const *map, size_t n, const char *kind)
{
	const char *key;

	if (!bus_yaml_asked(map[0], 0)) {
		put_names(j, map, n);
		return;
	}
	bus_json_key(j, "properties");
	bus_json_object(j);
	for (size_t m = 0; m < n; m++)
		for (size_t i = 0; (key = bus_yaml_asked(map[m], i)); i++) {
			struct bus_yaml_node *within[SAMPLES_MAX];
			size_t n_within = 0;

			if (told_before(map, m, i, key))
				continue;
			for (size_t k = 0; k < n; k++)
				if ((within[n_within] = asked_at(map[k], key)))
					n_within++;
			bus_json_key(j, key);
			bus_json_object(j);
			if (kind && strcmp(key, "kind") == 0)
				bus_json_text_member(j, "const", kind);
			put_value(j, within, n_within);
			bus_json_object_end(j);
		}
	bus_json_object_end(j);
	bus_json_bool_member(j, "additionalProperties", false);
}

static void put_kind(struct bus_json_out *j, const char *kind, const struct sample *samples, ask_fn ask)
{
	struct bus_yaml *yaml[SAMPLES_MAX] = { NULL };
	struct bus_yaml_node *map[SAMPLES_MAX];
	size_t n = 0;

	for (; samples->text; samples++) {
		char *text;

		if (samples->kind && strcmp(samples->kind, kind) != 0)
			continue;
		text = bus_xasprintf("kind: %s\n%s", kind, samples->text);
		if (bus_yaml_parse("sample", 1, text, strlen(text), &yaml[n], NULL))
			abort();
		free(text);
		map[n] = bus_yaml_root(yaml[n]);
		(void)bus_yaml_get(map[n], "kind");
		ask(kind, yaml[n], map[n]);
		n++;
	}
	bus_json_object(j);
	bus_json_key(j, "if");
	bus_json_object(j);
	bus_json_key(j, "properties");
	bus_json_object(j);
	bus_json_key(j, "kind");
	bus_json_object(j);
	bus_json_text_member(j, "const", kind);
	bus_json_object_end(j);
	bus_json_object_end(j);
	bus_json_object_end(j);
	bus_json_key(j, "then");
	bus_json_object(j);
	put_map(j, map, n, kind);
	bus_json_object_end(j);
	bus_json_object_end(j);
	while (n > 0)
		bus_yaml_free(&yaml[--n]);
}

static void put_kinds(struct bus_json_out *j, const char *member, const char *const *kind, size_t n,
		      const struct sample *samples, ask_fn ask)
{
	bus_json_key(j, member);
	bus_json_object(j);
	bus_json_text_member(j, "type", "object");
	bus_json_key(j, "required");
	bus_json_array(j);
	bus_json_put_text(j, "kind");
	bus_json_array_end(j);
	bus_json_key(j, "properties");
	bus_json_object(j);
	bus_json_key(j, "kind");
	bus_json_object(j);
	bus_json_key(j, "enum");
	bus_json_array(j);
	for (size_t i = 0; i < n; i++)
		bus_json_put_text(j, kind[i]);
	bus_json_array_end(j);
	bus_json_object_end(j);
	bus_json_object_end(j);
	bus_json_key(j, "allOf");
	bus_json_array(j);
	for (size_t i = 0; i < n; i++)
		put_kind(j, kind[i], samples, ask);
	bus_json_array_end(j);
	bus_json_object_end(j);
}

void adapter_map_schema_kinds(struct bus_json_out *j)
{
	static const char *const change[] = { "postgres", "mariadb" };
	const char *name[KINDS_MAX];
	const struct adapter_fetch_kind *fetch;
	size_t n = adapter_source_names(name, KINDS_MAX);

	put_kinds(j, "source", name, n, source_samples, ask_source);
	for (n = 0; n < KINDS_MAX && (fetch = adapter_fetch_kind_at(n)); n++)
		name[n] = fetch->name;
	put_kinds(j, "fetch", name, n, fetch_samples, ask_fetch);
	put_kinds(j, "change", change, BUS_LEN(change), change_samples, ask_change);
}

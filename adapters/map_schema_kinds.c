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

static const char *const source_samples[] = { "table: a\nrows: /a\n", NULL };
static const char *const fetch_samples[] = {
	"every: 1h\nconnection: a\nfiles: a\nquery: a ?\nurl: \"https://a/{since}\"\nmark: {column: a, type: "
	"time}\n"
	"api_key: {header: a, file: b}\noauth2: {url: \"https://a/\", client_id: a, secret_file: b}\n",
	"every: 1h\nconnection: a\noutbox: {table: a, id: b}\nurl: \"https://a/\"\n"
	"page: {by: cursor, at: a, parameter: b}\n",
	"every: 1h\nconnection: a\nquery: a\nurl: \"https://a/\"\npage: {by: number, parameter: b}\n", NULL
};
static const char *const change_samples[] = { "connection: a\ntable: a\n", NULL };

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

static struct bus_yaml_node *map_at(const struct bus_yaml_node *map, const char *key)
{
	for (struct bus_yaml_node *c = map->first; c; c = c->next)
		if (c->asked && c->kind == BUS_YAML_MAP && strcmp(c->key, key) == 0)
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

/* What any of these maps was asked for, and nothing else. kind: what `kind` must say; NULL: it is as any other key. */
static void put_closed(struct bus_json_out *j, struct bus_yaml_node *const *map, size_t n, const char *kind)
{
	const char *key;

	bus_json_key(j, "properties");
	bus_json_object(j);
	for (size_t m = 0; m < n; m++)
		for (size_t i = 0; (key = bus_yaml_asked(map[m], i)); i++) {
			struct bus_yaml_node *within[SAMPLES_MAX];
			size_t n_within = 0;

			if (told_before(map, m, i, key))
				continue;
			for (size_t k = 0; k < n; k++)
				if ((within[n_within] = map_at(map[k], key)))
					n_within++;
			bus_json_key(j, key);
			bus_json_object(j);
			if (kind && strcmp(key, "kind") == 0)
				bus_json_text_member(j, "const", kind);
			if (n_within > 0) {
				bus_json_text_member(j, "type", "object");
				put_closed(j, within, n_within, NULL);
			}
			bus_json_object_end(j);
		}
	bus_json_object_end(j);
	bus_json_bool_member(j, "additionalProperties", false);
}

static void put_kind(struct bus_json_out *j, const char *kind, const char *const *samples, ask_fn ask)
{
	struct bus_yaml *yaml[SAMPLES_MAX] = { NULL };
	struct bus_yaml_node *map[SAMPLES_MAX];
	size_t n = 0;

	for (; samples[n]; n++) {
		char *text = bus_xasprintf("kind: %s\n%s", kind, samples[n]);

		if (bus_yaml_parse("sample", 1, text, strlen(text), &yaml[n], NULL))
			abort();
		free(text);
		map[n] = bus_yaml_root(yaml[n]);
		(void)bus_yaml_get(map[n], "kind");
		ask(kind, yaml[n], map[n]);
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
	put_closed(j, map, n, kind);
	bus_json_object_end(j);
	bus_json_object_end(j);
	while (n > 0)
		bus_yaml_free(&yaml[--n]);
}

static void put_kinds(struct bus_json_out *j, const char *member, const char *const *kind, size_t n,
		      const char *const *samples, ask_fn ask)
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
	static const char *const change[] = { "postgres" };
	const char *name[KINDS_MAX];
	const struct adapter_fetch_kind *fetch;
	size_t n = adapter_source_names(name, KINDS_MAX);

	put_kinds(j, "source", name, n, source_samples, ask_source);
	for (n = 0; n < KINDS_MAX && (fetch = adapter_fetch_kind_at(n)); n++)
		name[n] = fetch->name;
	put_kinds(j, "fetch", name, n, fetch_samples, ask_fetch);
	put_kinds(j, "change", change, BUS_LEN(change), change_samples, ask_change);
}

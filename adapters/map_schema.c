#include "adapters/map_schema.h"

#include "adapters/map_impl.h"
#include "bus/json_out.h"

static void put_ref(struct bus_json_out *j, const char *key, const char *definition)
{
	char *ref = bus_xasprintf("#/$defs/%s", definition);

	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_text_member(j, "$ref", ref);
	bus_json_object_end(j);
	free(ref);
}

static void put_type(struct bus_json_out *j, const char *key, const char *type, const char *words)
{
	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_text_member(j, "type", type);
	bus_json_some_text_member(j, "description", words);
	bus_json_object_end(j);
}

static void put_choice(struct bus_json_out *j, const char *key, const char *const *name, size_t n)
{
	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_key(j, "enum");
	bus_json_array(j);
	for (size_t i = 0; i < n; i++)
		bus_json_put_text(j, name[i]);
	bus_json_array_end(j);
	bus_json_object_end(j);
}

static void put_raw(struct bus_json_out *j, const char *key, const char *json)
{
	bus_json_key(j, key);
	bus_json_put_raw(j, bus_str(json));
}

/* A word, or one word with what it takes. */
static void put_conversion(struct bus_json_out *j)
{
	bool takes;
	const char *name;

	bus_json_key(j, "conversion");
	bus_json_object(j);
	bus_json_key(j, "oneOf");
	bus_json_array(j);
	bus_json_object(j);
	bus_json_key(j, "enum");
	bus_json_array(j);
	for (size_t i = 0; (name = adapter_map_conversion_name(i, &takes)); i++)
		if (!takes)
			bus_json_put_text(j, name);
	bus_json_array_end(j);
	bus_json_object_end(j);
	bus_json_object(j);
	bus_json_text_member(j, "type", "object");
	put_raw(j, "minProperties", "1");
	put_raw(j, "maxProperties", "1");
	bus_json_key(j, "properties");
	bus_json_object(j);
	for (size_t i = 0; (name = adapter_map_conversion_name(i, &takes)); i++)
		if (takes)
			put_raw(j, name, "{}");
	bus_json_object_end(j);
	bus_json_bool_member(j, "additionalProperties", false);
	bus_json_object_end(j);
	bus_json_array_end(j);
	bus_json_object_end(j);
}

static void put_check(struct bus_json_out *j)
{
	static const char *const fates[] = { "refuse", "flag", "loose", "note", "seen" };
	const char *name;

	bus_json_key(j, "check");
	bus_json_object(j);
	bus_json_text_member(j, "type", "object");
	put_raw(j, "required", "[\"class\",\"fate\",\"when\"]");
	bus_json_bool_member(j, "additionalProperties", false);
	bus_json_key(j, "properties");
	bus_json_object(j);
	put_raw(j, "class", "{\"type\":\"string\",\"pattern\":\"^[a-z0-9_]+$\"}");
	put_choice(j, "fate", fates, BUS_LEN(fates));
	bus_json_key(j, "when");
	bus_json_object(j);
	bus_json_text_member(j, "type", "object");
	put_raw(j, "minProperties", "1");
	bus_json_bool_member(j, "additionalProperties", false);
	bus_json_key(j, "properties");
	bus_json_object(j);
	for (size_t i = 0; (name = adapter_map_test_name(i)); i++)
		put_ref(j, name, "texts");
	bus_json_object_end(j);
	bus_json_object_end(j);
	bus_json_object_end(j);
	bus_json_object_end(j);
}

static void put_definition(struct bus_json_out *j)
{
	static const char *const parts[] = { "join", "first", "pseudonym" };

	bus_json_key(j, "definition");
	bus_json_object(j);
	bus_json_text_member(j, "type", "object");
	bus_json_bool_member(j, "additionalProperties", false);
	bus_json_key(j, "properties");
	bus_json_object(j);
	put_type(j, "from", "string", "kolom / a column, or a member's path");
	put_ref(j, "nulls", "texts");
	put_type(j, "value", "string", "nilai lain di atas / another value further up");
	put_ref(j, "text", "scalar");
	for (size_t i = 0; i < BUS_LEN(parts); i++)
		put_ref(j, parts[i], "parts");
	put_type(j, "with", "string", NULL);
	put_type(j, "domain", "string", NULL);
	put_type(j, "each", "string", "larik / an array");
	put_ref(j, "item", "definition");
	put_ref(j, "fields", "fields");
	put_type(j, "flags", "boolean", NULL);
	put_ref(j, "else", "scalar");
	put_raw(j, "as",
		"{\"oneOf\":[{\"$ref\":\"#/$defs/conversion\"},{\"type\":\"array\",\"items\":{\"$ref\":"
		"\"#/$defs/conversion\"}}]}");
	bus_json_object_end(j);
	bus_json_object_end(j);
}

static void put_definitions(struct bus_json_out *j)
{
	bus_json_key(j, "$defs");
	bus_json_object(j);
	put_raw(j, "scalar", "{\"type\":[\"string\",\"number\",\"boolean\"]}");
	put_raw(j, "texts",
		"{\"oneOf\":[{\"$ref\":\"#/$defs/"
		"scalar\"},{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":"
		"\"#/$defs/scalar\"}}]}");
	put_raw(j, "part", "{\"oneOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/definition\"}]}");
	put_raw(
	    j, "parts",
	    "{\"oneOf\":[{\"$ref\":\"#/$defs/part\"},{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":"
	    "\"#/$defs/part\"}}]}");
	put_raw(j, "fields", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/part\"}}");
	put_definition(j);
	put_conversion(j);
	put_check(j);
	adapter_map_schema_kinds(j);
	bus_json_object_end(j);
}

static void begin(struct bus_json_out *j, const char *title)
{
	bus_json_object(j);
	bus_json_text_member(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	bus_json_text_member(j, "title", title);
	bus_json_text_member(j, "type", "object");
}

void adapter_map_schema_put(struct bus_buf *out)
{
	static const char *const kinds[] = { "register", "events" };
	struct bus_json_out j = { .buf = out };

	begin(&j, "Titian: pemetaan / a mapping (adapters/opd/README.md)");
	put_raw(&j, "required", "[\"feed\",\"topic\",\"kind\",\"source\",\"key\",\"fields\"]");
	bus_json_bool_member(&j, "additionalProperties", false);
	bus_json_key(&j, "properties");
	bus_json_object(&j);
	put_type(&j, "feed", "string", "nama umpan / the feed's name");
	put_ref(&j, "files", "texts");
	put_raw(&j, "topic", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,249}$\"}");
	put_choice(&j, "kind", kinds, BUS_LEN(kinds));
	put_type(&j, "complete", "boolean", "berkas memuat seluruh register / a file is the whole register");
	put_raw(&j, "remove_max", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100}");
	put_raw(&j, "reference_year", "{\"type\":\"integer\",\"minimum\":1950,\"maximum\":2199}");
	put_ref(&j, "nulls", "texts");
	put_type(&j, "urgent", "boolean", NULL);
	put_raw(&j, "limits",
		"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"rows_per_second\":{"
		"\"type\":"
		"\"integer\",\"minimum\":1},\"bytes_per_second\":{\"type\":\"integer\",\"minimum\":1}}}");
	put_ref(&j, "fetch", "fetch");
	put_ref(&j, "change", "change");
	put_ref(&j, "source", "source");
	put_raw(&j, "values",
		"{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/definition\"}}");
	put_raw(&j, "checks", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/check\"}}");
	put_ref(&j, "key", "texts");
	put_type(&j, "time", "string", NULL);
	put_raw(&j, "newest_by",
		"{\"type\":\"object\",\"required\":[\"value\",\"older\"],\"additionalProperties\":false,"
		"\"properties\":{"
		"\"value\":{\"type\":\"string\"},\"older\":{\"type\":\"string\"}}}");
	put_ref(&j, "fields", "fields");
	bus_json_object_end(&j);
	put_definitions(&j);
	bus_json_object_end(&j);
	bus_buf_putc(out, '\n');
}

/* ---- adapter.yaml: the table of options ---- */

static void put_option(struct bus_json_out *j, const char *name, const struct bus_conf_option *o)
{
	static const char *const types[] = {
		[BUS_CONF_STR] = "\"string\"",	 [BUS_CONF_PATH] = "\"string\"",
		[BUS_CONF_INT] = "\"integer\"",	 [BUS_CONF_PORT] = "\"integer\"",
		[BUS_CONF_MS] = "\"string\"",	 [BUS_CONF_SIZE] = "[\"string\",\"integer\"]",
		[BUS_CONF_BOOL] = "\"boolean\"", [BUS_CONF_LIST] = "\"array\"",
		[BUS_CONF_MAP] = "\"object\"",
	};

	bus_json_key(j, name);
	bus_json_object(j);
	put_raw(j, "type", types[o->type]);
	bus_json_text_member(j, "description", o->help);
	bus_json_object_end(j);
}

static bool is_under(const char *name, const char *group, size_t n)
{
	return strncmp(name, group, n) == 0 && (name[n] == '.' || name[n] == '\0');
}

/* One group of "drop.dir", "drop.quiet": an object. A map may have more in it than its rows say. */
static void put_group(struct bus_json_out *j, const struct bus_conf_option *table, const char *group,
		      size_t n)
{
	char *name = bus_xstrndup(group, n);
	bool map = false;

	bus_json_key(j, name);
	bus_json_object(j);
	bus_json_text_member(j, "type", "object");
	bus_json_key(j, "properties");
	bus_json_object(j);
	for (const struct bus_conf_option *o = table; o->name; o++) {
		if (!is_under(o->name, group, n))
			continue;
		map |= o->name[n] == '\0' || strchr(o->name + n + 1, '.');
		if (o->name[n] == '.' && !strchr(o->name + n + 1, '.'))
			put_option(j, o->name + n + 1, o);
	}
	bus_json_object_end(j);
	bus_json_bool_member(j, "additionalProperties", map);
	bus_json_object_end(j);
	free(name);
}

void adapter_config_schema_put(const struct bus_conf_option *table, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	begin(&j, "Titian: adapter.yaml (titian-adapter(8))");
	bus_json_bool_member(&j, "additionalProperties", false);
	bus_json_key(&j, "properties");
	bus_json_object(&j);
	for (const struct bus_conf_option *o = table; o->name; o++) {
		size_t n = strcspn(o->name, ".");
		const struct bus_conf_option *first = table;
		bool group = false;

		while (!is_under(first->name, o->name, n))
			first++;
		for (const struct bus_conf_option *k = table; k->name; k++)
			group |= is_under(k->name, o->name, n) && k->name[n] == '.';
		if (first != o)
			continue;
		if (group)
			put_group(&j, table, o->name, n);
		else
			put_option(&j, o->name, o);
	}
	bus_json_object_end(&j);
	bus_json_object_end(&j);
	bus_buf_putc(out, '\n');
}

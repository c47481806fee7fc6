/* GET /asyncapi/{department}.json, .yaml: AsyncAPI 3.0.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0) of
 * what a department tells: its topics, with their Avro schemas as registered, and the feeds of the views it answers for.
 * A reader finds the topics whose records it is granted, and the views of the shelf. YAML is the same text: JSON is YAML. */
#include <stdarg.h>
#include <stdio.h>

#include "bus/json_out.h"
#include "bus/proc.h"
#include "gateway/catalogue/shelf.h"
#include "gateway/engine/engine.h"
#include "schemas/avro/normal.h"
#include "schemas/store/store.h"

#define TOPICS_MAX 512

struct doc {
	struct bus_json_out j;
	const struct gw_shelf *shelf;
	const char *opd;
	const struct gw_topic_state *topic; /* n of them */
	size_t n;
};

static void put_object(struct doc *d, const char *key)
{
	bus_json_key(&d->j, key);
	bus_json_object(&d->j);
}

static void put_array(struct doc *d, const char *key)
{
	bus_json_key(&d->j, key);
	bus_json_array(&d->j);
}

__attribute__((format(printf, 3, 4))) static void put_printf(struct doc *d, const char *key, const char *fmt,
							     ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bus_json_text_member(&d->j, key, text);
}

static void put_ref(struct doc *d, const char *key, const char *path, const char *name)
{
	put_object(d, key);
	put_printf(d, "$ref", "%s%s", path, name);
	bus_json_object_end(&d->j);
}

static void put_server(struct doc *d, const char *name)
{
	put_array(d, "servers");
	bus_json_object(&d->j);
	put_printf(d, "$ref", "#/servers/%s", name);
	bus_json_object_end(&d->j);
	bus_json_array_end(&d->j);
}

static const char *word(const struct doc *d, const char *id, const char *en)
{
	return d->shelf->english ? en : id;
}

/* CloudEvents, Kafka protocol binding, binary mode: every record of a topic has them. */
static void put_record_headers(struct doc *d)
{
	static const char *const name[] = { "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time" };

	put_object(d, "headers");
	bus_json_text_member(&d->j, "type", "object");
	put_object(d, "properties");
	for (size_t i = 0; i < BUS_LEN(name); i++) {
		put_object(d, name[i]);
		bus_json_text_member(&d->j, "type", "string");
		bus_json_object_end(&d->j);
	}
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
}

static void put_topic(struct doc *d, const struct gw_topic_state *t, const struct schema_version *v)
{
	struct bus_buf text = { 0 };

	put_object(d, t->topic);
	bus_json_text_member(&d->j, "address", t->topic);
	put_server(d, "kafka");
	put_object(d, "messages");
	put_object(d, t->entity);
	put_printf(d, "name", "%s.%s", t->opd, t->entity);
	bus_json_text_member(&d->j, "contentType", "application/vnd.confluent.avro");
	put_record_headers(d);
	put_object(d, "payload");
	bus_json_text_member(&d->j, "schemaFormat", "application/vnd.apache.avro;version=1.9.0");
	bus_json_key(&d->j, "schema");
	if (v->n_references) /* what they lead to is written out, or the document would not stand alone */
		schema_normalize(v->schema, SCHEMA_NORMAL_WHOLE, &text);
	else
		bus_buf_puts(&text, v->text);
	bus_json_put_raw(&d->j, bus_buf_str(&text));
	bus_buf_release(&text);
	bus_json_object_end(&d->j);
	put_object(d, "bindings");
	put_object(d, "kafka");
	put_object(d, "key");
	bus_json_text_member(&d->j, "type", "string");
	bus_json_object_end(&d->j);
	bus_json_text_member(&d->j, "schemaIdLocation", "payload");
	bus_json_text_member(&d->j, "schemaIdPayloadEncoding", "confluent");
	bus_json_text_member(&d->j, "bindingVersion", "0.5.0");
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	put_object(d, "bindings");
	put_object(d, "kafka");
	bus_json_text_member(&d->j, "topic", t->topic);
	bus_json_text_member(&d->j, "bindingVersion", "0.5.0");
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
}

static void put_type(struct doc *d, const char *type, bool null)
{
	if (!type) /* anything */
		return;
	bus_json_key(&d->j, "type");
	if (!null) {
		bus_json_put_text(&d->j, type);
		return;
	}
	bus_json_array(&d->j);
	bus_json_put_text(&d->j, type);
	bus_json_put_text(&d->j, "null");
	bus_json_array_end(&d->j);
}

static void put_row(struct doc *d, const struct gw_shelf_item *item)
{
	static const char *const type[] = {
		[GW_INT] = "integer", [GW_REAL] = "number", [GW_TEXT] = "string", [GW_BOOL] = "boolean"
	};
	const struct gw_view *v = item->view;

	put_object(d, "row");
	put_type(d, "object", true);
	put_object(d, "properties");
	for (size_t i = 0; i < v->n_columns; i++) {
		const struct gw_column *c = &v->column[i];

		if (!(item->grant.shown >> i & 1))
			continue;
		put_object(d, c->name);
		put_type(d, (size_t)c->type < BUS_LEN(type) ? type[c->type] : NULL, i != v->key);
		if (c->title_id)
			bus_json_text_member(&d->j, "title", word(d, c->title_id, c->title_en));
		bus_json_object_end(&d->j);
	}
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
}

static void put_feed(struct doc *d, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;

	put_object(d, v->name);
	put_printf(d, "address", "%s/changes", item->page);
	bus_json_text_member(&d->j, "title", gw_shelf_title(d->shelf, v));
	bus_json_text_member(&d->j, "description", gw_shelf_about(d->shelf, v));
	put_server(d, "gateway");
	put_object(d, "messages");
	put_object(d, "change");
	bus_json_text_member(&d->j, "name", v->name);
	bus_json_text_member(&d->j, "contentType", "application/json");
	put_object(d, "payload");
	bus_json_text_member(&d->j, "type", "object");
	put_object(d, "properties");
	put_object(d, "key");
	bus_json_text_member(&d->j, "type", "string");
	bus_json_object_end(&d->j);
	put_row(d, item);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
}

/* What an application may do: receive. */
static void put_operation(struct doc *d, const char *prefix, const char *channel, bool http)
{
	char id[300];

	snprintf(id, sizeof(id), "%s_%s", prefix, channel);
	for (char *p = id; *p; p++)
		*p = *p == '.' || *p == '-' ? '_' : *p;
	put_object(d, id);
	bus_json_text_member(&d->j, "action", "receive");
	put_ref(d, "channel", "#/channels/", channel);
	if (http) {
		put_object(d, "bindings");
		put_object(d, "http");
		bus_json_text_member(&d->j, "method", "GET");
		bus_json_text_member(&d->j, "bindingVersion", "0.3.0");
		bus_json_object_end(&d->j);
		bus_json_object_end(&d->j);
	}
	bus_json_object_end(&d->j);
}

static bool ours(const struct doc *d, const struct gw_shelf_item *item)
{
	return !item->view->figures && strcmp(gw_shelf_owner(d->shelf, item->view), d->opd) == 0;
}

static void put_servers(struct doc *d)
{
	const char *base = d->shelf->conf->base, *host = strstr(base, "://"), *path;

	host = host ? host + 3 : base;
	path = strchr(host, '/');
	put_object(d, "servers");
	put_object(d, "gateway");
	put_printf(d, "host", "%.*s", path ? (int)(path - host) : (int)strlen(host), host);
	put_printf(d, "protocol", "%s", strncmp(base, "https", 5) == 0 ? "https" : "http");
	if (path)
		bus_json_text_member(&d->j, "pathname", path);
	bus_json_text_member(
	    &d->j, "description",
	    word(d, "Server-Sent Events, jajak lama, NDJSON; kunci pembaca di Authorization: Bearer",
		 "Server-Sent Events, long polls, NDJSON; the reader's key in Authorization: Bearer"));
	bus_json_object_end(&d->j);
	if (d->n) {
		put_object(d, "kafka");
		bus_json_text_member(&d->j, "host", d->shelf->conf->kafka);
		bus_json_text_member(&d->j, "protocol", "kafka");
		bus_json_object_end(&d->j);
	}
	bus_json_object_end(&d->j);
}

/* The newest version, Avro that can be read; false: none. */
static bool schema_of(struct schema_store *store, const struct gw_topic_state *t, struct schema_version *out)
{
	struct bus_error err;
	char subject[300];

	snprintf(subject, sizeof(subject), "%s-value", t->topic);
	return schema_store_version(store, subject, 0, out, &err) == BUS_OK && out->schema;
}

static void put_document(struct doc *d, struct schema_store *store)
{
	const char *name = gw_shelf_department(d->shelf, d->opd);

	bus_json_object(&d->j);
	bus_json_text_member(&d->j, "asyncapi", "3.0.0");
	put_printf(d, "id", "urn:titian:%s", d->opd);
	put_object(d, "info");
	put_printf(d, "title", "%s %s", word(d, "Yang diberitakan", "What is told by"), name);
	bus_json_text_member(&d->j, "version", TITIAN_VERSION);
	put_object(d, "contact");
	bus_json_text_member(&d->j, "name", gw_shelf_department(d->shelf, d->shelf->conf->walidata));
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
	put_servers(d);
	put_object(d, "channels");
	for (size_t i = 0; i < d->n; i++) {
		struct schema_version v = { 0 };

		if (schema_of(store, &d->topic[i], &v))
			put_topic(d, &d->topic[i], &v);
		schema_version_release(&v);
	}
	for (size_t i = 0; i < d->shelf->n; i++) {
		if (ours(d, &d->shelf->item[i]))
			put_feed(d, &d->shelf->item[i]);
	}
	bus_json_object_end(&d->j);
	put_object(d, "operations");
	for (size_t i = 0; i < d->n; i++)
		put_operation(d, "read", d->topic[i].topic, false);
	for (size_t i = 0; i < d->shelf->n; i++) {
		if (ours(d, &d->shelf->item[i]))
			put_operation(d, "follow", d->shelf->item[i].view->name, true);
	}
	bus_json_object_end(&d->j);
	bus_json_object_end(&d->j);
}

/* The department's topics whose records the reader may see, and whose schema is known. */
static size_t topics_of(struct gw_api *api, const char *reader, const char *opd, struct gw_topic_state *out)
{
	struct gw_topic_state *all = bus_xcalloc(TOPICS_MAX, sizeof(*all));
	size_t n = gw_topics(api->engine, all, TOPICS_MAX), kept = 0;
	const char *const *clear;
	size_t n_clear;

	for (size_t i = 0; i < n; i++) {
		struct schema_version v = { 0 };

		if (strcmp(all[i].opd, opd) == 0 &&
		    gw_access_topic(api->access, reader, all[i].topic, &clear, &n_clear) &&
		    schema_of(gw_engine_schemas(api->engine), &all[i], &v))
			out[kept++] = all[i];
		schema_version_release(&v);
	}
	free(all);
	return kept;
}

/* "dinsos.json" -> "dinsos"; false: neither of the two. */
static bool name_of(const char *file, char opd[64], bool *yaml)
{
	const char *dot = strrchr(file, '.');

	if (!dot || dot == file || (size_t)(dot - file) >= 64)
		return false;
	*yaml = strcmp(dot, ".yaml") == 0;
	snprintf(opd, 64, "%.*s", (int)(dot - file), file);
	return *yaml || strcmp(dot, ".json") == 0;
}

void gw_catalogue_asyncapi(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_topic_state *topic;
	char reader[GW_READER_NAME_MAX] = "", opd[64];
	struct bus_buf body = { 0 };
	struct gw_shelf shelf;
	struct doc d = { .j = { .buf = &body }, .shelf = &shelf, .opd = opd };
	bool yaml = false, told = false;

	if (gw_api_keyed(req) ? !gw_api_reader(api, req, reader) : !gw_api_anybody(api, req))
		return;
	gw_shelf_of(api, req, *reader ? reader : NULL, &shelf);
	if (!name_of(bus_http_part(req, "file"), opd, &yaml)) {
		gw_problem(req, "path-unknown", NULL, "/asyncapi/dinsos.json, /asyncapi/dinsos.yaml");
		return;
	}
	d.topic = topic = bus_xcalloc(TOPICS_MAX, sizeof(*topic));
	d.n = *reader ? topics_of(api, reader, opd, topic) : 0;
	for (size_t i = 0; i < shelf.n && !told; i++)
		told = ours(&d, &shelf.item[i]);
	if (d.n == 0 && !told) {
		gw_problem(req, "path-unknown", NULL, "/catalog");
	} else {
		put_document(&d, gw_engine_schemas(api->engine));
		bus_http_set(req, "Content-Language", shelf.english ? "en" : "id");
		bus_http_set(req, "Vary", "Accept-Language, Authorization, X-Api-Key");
		bus_http_reply(req, 200, yaml ? "application/yaml" : "application/json", &body);
	}
	free(topic);
}

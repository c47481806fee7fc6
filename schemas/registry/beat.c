#include "schemas/registry/beat.h"

#include "bus/json.h"
#include "bus/json_out.h"
#include "bus/mem.h"

static const char *const state_name[] = { "follower", "candidate", "writer", "leaving" };

bool schema_node_url_ok(const char *url)
{
	size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;

	if (scheme == 0 || !url[scheme] || strlen(url) >= SCHEMA_NODE_URL_MAX)
		return false;
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p == 0x7f || strchr("?#@\\\"", *p))
			return false;
	return true;
}

static void seal(const struct schema_beat *b, const char *topic, const uint8_t *key,
		 char hex[2 * BUS_SHA256_LEN + 1])
{
	uint8_t mac[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };

	/* No part can hold a line end. The first line keeps it apart from what vouch.c signs. */
	bus_buf_printf(&text, "titian beat v1\n%s\n%s\n%lld\n%s", topic, b->id, (long long)b->term,
		       state_name[b->state]);
	bus_hmac_sha256(key, text.p, text.n, mac);
	bus_hex(mac, sizeof(mac), hex);
	bus_buf_release(&text);
}

struct bus_buf schema_beat_write(const struct schema_beat *b, const char *topic, const uint8_t *key)
{
	char hex[2 * BUS_SHA256_LEN + 1];
	struct bus_buf out = { 0 };
	struct bus_json_out j = { .buf = &out };

	bus_json_object(&j);
	bus_json_key(&j, "node");
	bus_json_put_text(&j, b->id);
	bus_json_key(&j, "url");
	bus_json_put_text(&j, b->url);
	bus_json_key(&j, "term");
	bus_json_put_int(&j, b->term);
	bus_json_key(&j, "state");
	bus_json_put_text(&j, state_name[b->state]);
	if (key) {
		seal(b, topic, key, hex);
		bus_json_key(&j, "seal");
		bus_json_put_text(&j, hex);
	}
	bus_json_object_end(&j);
	return out;
}

static bool text_of(const struct bus_json *o, const char *name, char *out, size_t n)
{
	const struct bus_json *v = bus_json_get(o, name);

	if (!v || v->type != BUS_JSON_STRING || v->text.n >= n || memchr(v->text.p, '\0', v->text.n))
		return false;
	memcpy(out, v->text.p, v->text.n);
	out[v->text.n] = '\0';
	return true;
}

static bool names_ok(const struct schema_beat *b, struct bus_str key)
{
	size_t n = strlen(b->url);

	return schema_node_url_ok(b->url) && key.n == n && memcmp(key.p, b->url, n) == 0 &&
	       strncmp(b->id, b->url, n) == 0 && b->id[n] == ' ' && b->id[n + 1] &&
	       strspn(b->id + n + 1, "0123456789abcdef") == strlen(b->id + n + 1);
}

static bool term_ok(int64_t term, int64_t offset)
{
	return term >= 0 && term - SCHEMA_TERM_SLACK <= offset;
}

enum schema_beat_verdict schema_beat_read(const struct bus_record *record, const char *topic,
					  const uint8_t *key, struct bus_arena *arena, struct schema_beat *b)
{
	char state[16], given[2 * BUS_SHA256_LEN + 1], wanted[2 * BUS_SHA256_LEN + 1];
	const struct bus_json *term;
	struct bus_json *o;
	size_t i;

	bus_arena_reset(arena);
	if (record->tombstone || bus_json_parse(record->value, NULL, arena, &o, NULL) != BUS_OK ||
	    o->type != BUS_JSON_OBJECT || !text_of(o, "node", b->id, sizeof(b->id)) ||
	    !text_of(o, "url", b->url, sizeof(b->url)) || !text_of(o, "state", state, sizeof(state)) ||
	    !names_ok(b, record->key))
		return SCHEMA_BEAT_MALFORMED;
	term = bus_json_get(o, "term");
	if (!term || term->type != BUS_JSON_NUMBER || bus_json_int(term, &b->term) != BUS_OK ||
	    !term_ok(b->term, record->offset))
		return SCHEMA_BEAT_MALFORMED;
	for (i = 0; i < BUS_LEN(state_name) && strcmp(state, state_name[i]) != 0; i++)
		;
	if (i == BUS_LEN(state_name))
		return SCHEMA_BEAT_MALFORMED;
	b->state = (enum schema_beat_state)i;
	if (!key)
		return SCHEMA_BEAT_OURS;
	seal(b, topic, key, wanted);
	if (!text_of(o, "seal", given, sizeof(given)) || strlen(given) != sizeof(given) - 1 ||
	    !bus_equal_secret(given, wanted, sizeof(wanted)))
		return SCHEMA_BEAT_UNSEALED;
	return SCHEMA_BEAT_OURS;
}

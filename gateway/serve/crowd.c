#include "gateway/serve/crowd.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include "bus/crypto.h"
#include "gateway/store/hash.h"

#define PLACES 16384

struct gw_crowd {
	struct gw_quota each;
	bool forwarded;
	struct gw_hash_key key;
	_Atomic uint64_t count[PLACES];
};

struct gw_crowd *gw_crowd_new(struct gw_quota each, bool forwarded)
{
	struct gw_crowd *c = bus_xcalloc(1, sizeof(*c));

	c->each = each;
	c->forwarded = forwarded;
	bus_random(&c->key, sizeof(c->key));
	return c;
}

void gw_crowd_free(struct gw_crowd **c)
{
	free(*c);
	*c = NULL;
}

bool gw_crowd_address(const char *forwarded, uint8_t out[16])
{
	const char *comma = strrchr(forwarded, ','), *p = comma ? comma + 1 : forwarded;
	char text[INET6_ADDRSTRLEN];
	size_t n;

	p += strspn(p, " \t");
	n = strcspn(p, " \t");
	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	memset(out, 0, 16);
	if (inet_pton(AF_INET, text, out) == 1)
		return true;
	if (inet_pton(AF_INET6, text, out) != 1)
		return false;
	memset(out + 8, 0, 8);
	return true;
}

static bool last_of(void *ctx, const char *name, const char *value)
{
	const char **last = ctx;

	if (strcasecmp(name, "X-Forwarded-For") == 0)
		*last = value;
	return true;
}

struct gw_quota_left gw_crowd_take(struct gw_crowd *c, const struct bus_http_request *req, int64_t now_ms)
{
	const char *forwarded = NULL;
	uint8_t address[16] = { 0 };
	char peer[BUS_HTTP_PEER_LEN];

	if (c->forwarded)
		bus_http_each_header(req, last_of, &forwarded);
	if (!forwarded || !gw_crowd_address(forwarded, address)) {
		bus_http_peer(req, peer);
		(void)gw_crowd_address(peer, address);
	}
	return gw_quota_count(&c->count[gw_hash(c->key, (const char *)address, sizeof(address)) % PLACES],
			      c->each, now_ms);
}

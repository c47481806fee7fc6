#include "gateway/hook/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "bus/mem.h"

#define LIST_MAX 256
#define HOSTS_LINE_MAX 1024

struct range {
	uint8_t prefix[16]; /* IPv4: mapped */
	int bits;
};

struct host {
	char name[256];
	int port;
	bool plain;
};

struct gw_hook_net {
	struct range *range;
	struct host *host;
	size_t n_ranges, n_hosts;
	int *port;
	size_t n_ports;
	char *hosts;
};

/* --- classes of addresses ---------------------------------------------------------------------------- */

enum class { WHOLE, INSIDE, NEVER };

static const struct {
	const char *cidr;
	enum class class;
} classes[] = {
	/* the first that holds the address; IPv6 beyond 2000::/3 is NEVER */
	{ "10.0.0.0/8", INSIDE },     { "172.16.0.0/12", INSIDE },
	{ "192.168.0.0/16", INSIDE }, { "100.64.0.0/10", INSIDE }, /* shared (RFC 6598) */
	{ "0.0.0.0/8", NEVER },	      { "127.0.0.0/8", NEVER },
	{ "169.254.0.0/16", NEVER }, /* link-local, metadata */
	{ "192.0.0.0/24", NEVER },    { "192.0.2.0/24", NEVER },
	{ "192.88.99.0/24", NEVER },  { "198.18.0.0/15", NEVER },
	{ "198.51.100.0/24", NEVER }, { "203.0.113.0/24", NEVER },
	{ "224.0.0.0/3", NEVER },				      /* multicast, reserved, broadcast */
	{ "0.0.0.0/0", WHOLE },	      { "fd00:ec2::254/128", NEVER }, /* metadata */
	{ "fc00::/7", INSIDE },	      { "2001::/23", NEVER },	      /* Teredo and others */
	{ "2001:db8::/32", NEVER },   { "3fff::/20", NEVER },
	{ "2000::/3", WHOLE },
};

static void mapped(const uint8_t v4[4], uint8_t out[16])
{
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
}

/* The IPv4 address that an IPv6 one stands for, if it does. */
static void unwrap(uint8_t a[16])
{
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };
	uint8_t v4[4];

	if (memcmp(a, nat64, sizeof(nat64)) == 0)
		memcpy(v4, a + 12, 4);
	else if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
		memcpy(v4, a + 2, 4);
	else
		return;
	mapped(v4, a);
}

static bool bytes_of(const struct sockaddr *address, uint8_t out[16])
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		mapped((const uint8_t *)&v4.sin_addr, out);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		memcpy(out, &v6.sin6_addr, 16);
		return v6.sin6_scope_id == 0;
	}
	return false;
}

static bool range_read(const char *text, struct range *out)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	uint8_t v4[4];
	char *end;
	long bits;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	bits = strtol(slash + 1, &end, 10);
	if (*end || end == slash + 1 || bits < 0)
		return false;
	if (inet_pton(AF_INET, address, v4) == 1) {
		mapped(v4, out->prefix);
		out->bits = 96 + (int)bits;
		return bits <= 32;
	}
	out->bits = (int)bits;
	return bits <= 128 && inet_pton(AF_INET6, address, out->prefix) == 1;
}

static bool holds(const struct range *r, const uint8_t a[16])
{
	size_t whole = (size_t)r->bits / 8;
	int rest = r->bits % 8;

	return memcmp(r->prefix, a, whole) == 0 &&
	       (rest == 0 || (r->prefix[whole] ^ a[whole]) >> (8 - rest) == 0);
}

static enum class class_of(const uint8_t a[16]) {
	for (size_t i = 0; i < BUS_LEN(classes);
	     i++){ struct range r;

		   if (range_read(classes[i].cidr, &r) && holds(&r, a)) return classes[i].class; }
return NEVER;
}

/* An address as text. */
static bool literal(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(out, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(out, &v6, sizeof(v6));
	else
		return false;
	return true;
}

/* --- the operator's list ----------------------------------------------------------------------------- */

static const struct host *host_find(const struct gw_hook_net *n, const struct bus_url *to)
{
	for (size_t i = 0; i < n->n_hosts; i++)
		if (n->host[i].port == to->port && strcmp(n->host[i].name, to->host) == 0)
			return &n->host[i];
	return NULL;
}

static bool rest_is_port(const char *url)
{
	const char *host = strstr(url, "://") + 3, *colon = strrchr(host, ':');

	return colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

static bool host_read(const char *text, struct host *out)
{
	struct bus_url url;
	char *full;
	bool good;

	out->plain = strncmp(text, "http://", 7) == 0;
	full = bus_xasprintf("%s%s", strstr(text, "://") ? "" : "https://", text);
	/* A port is wanted, so that nobody opens one without having named it. */
	good = bus_url_read(full, &url, NULL) == BUS_OK && (url.https || out->plain) && rest_is_port(full);
	free(full);
	if (!good)
		return false;
	memcpy(out->name, url.host, sizeof(out->name));
	out->port = url.port;
	return true;
}

static enum bus_err add(struct gw_hook_net *n, const char *text, struct bus_error *err)
{
	if (range_read(text, &n->range[n->n_ranges]))
		n->n_ranges++;
	else if (host_read(text, &n->host[n->n_hosts]))
		n->n_hosts++;
	else
		return bus_fail(err, BUS_EINVAL,
				"webhooks.allow: '%s' is none of ADDRESS/BITS, HOST:PORT, http://HOST:PORT",
				text);
	return BUS_OK;
}

enum bus_err gw_hook_net_new(const struct gw_hook_net_conf *conf, struct gw_hook_net **out,
			     struct bus_error *err)
{
	struct gw_hook_net *n = bus_xcalloc(1, sizeof(*n));
	enum bus_err rc = BUS_OK;

	if (conf->allow->n > LIST_MAX || conf->ports->n > LIST_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "webhooks.allow, webhooks.ports: at most %d entries",
			      LIST_MAX);
	n->range = bus_xcalloc(conf->allow->n + 1, sizeof(*n->range));
	n->host = bus_xcalloc(conf->allow->n + 1, sizeof(*n->host));
	n->port = bus_xcalloc(conf->ports->n + 1, sizeof(*n->port));
	for (size_t i = 0; i < conf->allow->n && !rc; i++)
		rc = add(n, conf->allow->item[i], err);
	for (size_t i = 0; i < conf->ports->n && !rc; i++) {
		char *end;
		long port = strtol(conf->ports->item[i], &end, 10);

		if (*end || port < 1 || port > 65535)
			rc = bus_fail(err, BUS_EINVAL, "webhooks.ports: '%s' is not a port",
				      conf->ports->item[i]);
		else
			n->port[n->n_ports++] = (int)port;
	}
	n->hosts = conf->hosts && *conf->hosts ? bus_xstrdup(conf->hosts) : NULL;
	if (rc)
		gw_hook_net_free(&n);
	*out = n;
	return rc;
}

void gw_hook_net_free(struct gw_hook_net **np)
{
	struct gw_hook_net *n = *np;

	if (!n)
		return;
	free(n->range);
	free(n->host);
	free(n->port);
	free(n->hosts);
	free(n);
	*np = NULL;
}

/* --- questions --------------------------------------------------------------------------------------- */

static bool may(const struct gw_hook_net *n, const struct bus_url *to, const struct sockaddr *address)
{
	enum class class;
	uint8_t a[16];

	if (!bytes_of(address, a))
		return false;
	for (size_t i = 0; i < n->n_ranges; i++)
		if (holds(&n->range[i], a))
			return true;
	unwrap(a);
	class = class_of(a);
	return class == WHOLE || (class == INSIDE && host_find(n, to));
}

bool gw_hook_net_may(void *ctx, const struct bus_url *to, const struct sockaddr *address)
{
	return may(ctx, to, address);
}

static bool port_good(const struct gw_hook_net *n, int port)
{
	for (size_t i = 0; i < n->n_ports; i++)
		if (n->port[i] == port)
			return true;
	return port == 443;
}

enum bus_err gw_hook_net_url(const struct gw_hook_net *n, const char *text, struct bus_url *out,
			     struct bus_error *err)
{
	enum bus_err rc = bus_url_read(text, out, err);
	const struct host *host;
	struct sockaddr_storage address;

	if (rc)
		return rc;
	host = host_find(n, out);
	if (!out->https && !(host && host->plain))
		return bus_fail(err, BUS_EDENIED,
				"only https, unless the operator allows http for this host and port");
	if (!host && !port_good(n, out->port))
		return bus_fail(err, BUS_EDENIED, "port %d is not open to webhooks", out->port);
	if (literal(out->host, &address) && !may(n, out, (const struct sockaddr *)&address))
		return bus_fail(err, BUS_EDENIED, "the address is not open to webhooks");
	return BUS_OK;
}

/* Does the line name the host? Fills address. */
static bool line_names(char *line, const char *host, struct sockaddr_storage *out)
{
	char *rest, *word = strtok_r(line, " \t\r\n", &rest);

	if (!word || !literal(word, out))
		return false;
	while ((word = strtok_r(NULL, " \t\r\n", &rest)) && *word != '#')
		if (strcasecmp(word, host) == 0)
			return true;
	return false;
}

size_t gw_hook_net_find(void *ctx, const char *host, struct sockaddr_storage *out, size_t max)
{
	const struct gw_hook_net *n = ctx;
	char line[HOSTS_LINE_MAX];
	size_t found = 0;
	FILE *fp;

	if (!n->hosts || !(fp = fopen(n->hosts, "re")))
		return 0;
	while (found < max && fgets(line, sizeof(line), fp))
		found += line_names(line, host, &out[found]);
	fclose(fp);
	return found;
}

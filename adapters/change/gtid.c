#include "adapters/change/gtid.h"

#include <stdio.h>
#include <stdlib.h>

#include "bus/mem.h"

/* The number at *p, which is set behind it. */
static bool number(const char **p, uint64_t most, uint64_t *out)
{
	const char *from = *p;
	uint64_t v = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(**p - '0'), &v))
			return false;
	*out = v;
	return *p > from && v <= most;
}

static bool sign(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

enum bus_err adapter_gtid_read(const char *text, struct adapter_gtid_place *out, struct bus_error *err)
{
	const char *p = text;

	*out = (struct adapter_gtid_place){ 0 };
	while (*p) {
		uint64_t domain, server, seq;

		if ((out->n > 0 && !sign(&p, ',')) || !number(&p, UINT32_MAX, &domain) || !sign(&p, '-') ||
		    !number(&p, UINT32_MAX, &server) || !sign(&p, '-') || !number(&p, UINT64_MAX, &seq))
			return bus_fail(err, BUS_EDATA, "'%.100s' is no list of GTIDs", text);
		if (out->n == ADAPTER_GTID_DOMAINS)
			return bus_fail(err, BUS_ETOOBIG,
					"the server has more than %d GTID domains; remedy: FLUSH BINARY LOGS "
					"DELETE_DOMAIN_ID = (...); of those that are used no more",
					ADAPTER_GTID_DOMAINS);
		out->last[out->n++] = (struct adapter_gtid){ (uint32_t)domain, (uint32_t)server, seq };
	}
	return BUS_OK;
}

void adapter_gtid_put(const struct adapter_gtid_place *p, struct bus_buf *out)
{
	for (size_t i = 0; i < p->n; i++)
		bus_buf_printf(out, "%s%u-%u-%llu", i > 0 ? "," : "", p->last[i].domain, p->last[i].server,
			       (unsigned long long)p->last[i].seq);
}

static const struct adapter_gtid *find(const struct adapter_gtid_place *p, uint32_t domain)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->last[i].domain == domain)
			return &p->last[i];
	return NULL;
}

bool adapter_gtid_same(const struct adapter_gtid_place *a, const struct adapter_gtid_place *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct adapter_gtid *other = find(b, a->last[i].domain);

		if (!other || other->seq != a->last[i].seq || other->server != a->last[i].server)
			return false;
	}
	return true;
}

uint64_t adapter_gtid_sum(const struct adapter_gtid_place *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += p->last[i].seq;
	return sum;
}

enum bus_err adapter_gtid_add(struct adapter_gtid_place *p, uint32_t domain, uint32_t server, uint64_t seq,
			      struct bus_error *err)
{
	size_t i = 0;

	while (i < p->n && p->last[i].domain != domain)
		i++;
	if (i == ADAPTER_GTID_DOMAINS)
		return bus_fail(err, BUS_ETOOBIG, "the server has more than %d GTID domains",
				ADAPTER_GTID_DOMAINS);
	if (i == p->n)
		p->last[p->n++] = (struct adapter_gtid){ .domain = domain };
	if (seq <= p->last[i].seq)
		return bus_fail(err, BUS_ECONFLICT, "the GTIDs of domain %u go back", domain);
	p->last[i].server = server;
	p->last[i].seq = seq;
	return BUS_OK;
}

bool adapter_gtid_place_read(const char *text, struct adapter_gtid_place *out)
{
	char *list = bus_xstrndup(text, strcspn(text, " ")), file[ADAPTER_GTID_FILE];
	unsigned long long position, begun;
	bool is = sscanf(text + strcspn(text, " "), " %255s %llu %llu", file, &position, &begun) == 3 &&
		  adapter_gtid_read(strcmp(list, "-") == 0 ? "" : list, out, NULL) == BUS_OK;

	free(list);
	if (!is)
		return false;
	snprintf(out->file, sizeof(out->file), "%s", file);
	out->position = position;
	out->begun = begun;
	return true;
}

void adapter_gtid_place_put(const struct adapter_gtid_place *p, struct bus_buf *out)
{
	if (p->n == 0)
		bus_buf_putc(out, '-');
	adapter_gtid_put(p, out);
	bus_buf_printf(out, " %s %llu %llu", p->file, (unsigned long long)p->position,
		       (unsigned long long)p->begun);
}

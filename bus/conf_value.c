#include "bus/conf_value.h"

#include <errno.h>

#define ITEMS_MAX 4096

static void *field(const struct bus_conf_option *o, void *conf)
{
	return (char *)conf + o->offset;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit times[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 } };
static const struct unit sizes[] = {
	{ "B", 1 }, { "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }
};

/* Digits, then what follows them. No sign but '-', no leading blank, as strtoll would take. */
static bool read_digits(const char *s, int64_t *v, const char **rest)
{
	char *end;

	if (!(s[0] >= '0' && s[0] <= '9') && !(s[0] == '-' && s[1] >= '0' && s[1] <= '9'))
		return false;
	errno = 0;
	*v = strtoll(s, &end, 10);
	*rest = end;
	return errno == 0;
}

static enum bus_err put_number(const char *text, int64_t min, int64_t max, int64_t *out,
			       struct bus_error *err)
{
	const char *rest;
	int64_t v;

	if (!read_digits(text, &v, &rest) || *rest)
		return bus_fail(err, BUS_EINVAL, "'%s' is not a whole number", text);
	if (v < min || v > max)
		return bus_fail(err, BUS_EINVAL, "%lld is not from %lld to %lld", (long long)v,
				(long long)min, (long long)max);
	*out = v;
	return BUS_OK;
}

static enum bus_err put_measure(const char *text, const struct unit *unit, size_t n, const char *like,
				int64_t *out, struct bus_error *err)
{
	const char *rest;
	int64_t v;

	if (read_digits(text, &v, &rest) && v >= 0) {
		for (size_t i = 0; i < n; i++) {
			if (strcmp(rest, unit[i].name) == 0 &&
			    !__builtin_mul_overflow(v, unit[i].factor, out))
				return BUS_OK;
		}
	}
	return bus_fail(err, BUS_EINVAL, "'%s' is not %s", text, like);
}

enum bus_err bus_conf_ms(const char *text, int64_t *out, struct bus_error *err)
{
	return put_measure(text, times, BUS_LEN(times), "a time like 200ms, 5s, 2m or 1h", out, err);
}

static void put_text(char **at, char *text)
{
	free(*at);
	*at = text;
}

static enum bus_err put_map(struct bus_conf_map *m, const char *key, const char *text, struct bus_error *err)
{
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->key[i], key) == 0) {
			put_text(&m->value[i], bus_xstrdup(text));
			return BUS_OK;
		}
	}
	if (m->n == ITEMS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d keys", ITEMS_MAX);
	m->key = bus_xrealloc(m->key, (m->n + 1) * sizeof(char *));
	m->value = bus_xrealloc(m->value, (m->n + 1) * sizeof(char *));
	m->key[m->n] = bus_xstrdup(key);
	m->value[m->n] = bus_xstrdup(text);
	m->n++;
	return BUS_OK;
}

static enum bus_err put_list(struct bus_conf_list *l, const char *text, struct bus_error *err)
{
	if (l->n == ITEMS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d items", ITEMS_MAX);
	l->item = bus_xrealloc(l->item, (l->n + 1) * sizeof(char *));
	l->item[l->n++] = bus_xstrdup(text);
	return BUS_OK;
}

enum bus_err bus_conf_put(const struct bus_conf_option *o, void *conf, const char *key, const char *text,
			  const char *folder, struct bus_error *err)
{
	void *at = field(o, conf);

	switch (o->type) {
	case BUS_CONF_STR:
		put_text(at, bus_xstrdup(text));
		return BUS_OK;
	case BUS_CONF_PATH:
		put_text(at, bus_xasprintf("%s%s", *text && *text != '/' ? folder : "", text));
		return BUS_OK;
	case BUS_CONF_INT:
		return put_number(text, INT64_MIN, INT64_MAX, at, err);
	case BUS_CONF_PORT:
		return put_number(text, 0, 65535, at, err);
	case BUS_CONF_MS:
		return bus_conf_ms(text, at, err);
	case BUS_CONF_SIZE:
		return put_measure(text, sizes, BUS_LEN(sizes), "a size like 512B, 64KiB, 8MiB or 1GiB", at,
				   err);
	case BUS_CONF_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return bus_fail(err, BUS_EINVAL, "'%s' is neither true nor false", text);
		*(bool *)at = text[0] == 't';
		return BUS_OK;
	case BUS_CONF_LIST:
		return put_list(at, text, err);
	case BUS_CONF_MAP:
	default:
		return put_map(at, key, text, err);
	}
}

bool bus_conf_has(const struct bus_conf_option *map, void *conf, const char *key)
{
	const struct bus_conf_map *m = field(map, conf);

	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->key[i], key) == 0)
			return true;
	}
	return false;
}

static void free_texts(char **text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(text[i]);
	free(text);
}

void bus_conf_clear(const struct bus_conf_option *o, void *conf)
{
	void *at = field(o, conf);

	if (o->type == BUS_CONF_STR || o->type == BUS_CONF_PATH) {
		put_text(at, NULL);
	} else if (o->type == BUS_CONF_LIST) {
		struct bus_conf_list *l = at;

		free_texts(l->item, l->n);
		*l = (struct bus_conf_list){ 0 };
	} else if (o->type == BUS_CONF_MAP) {
		struct bus_conf_map *m = at;

		free_texts(m->key, m->n);
		free_texts(m->value, m->n);
		*m = (struct bus_conf_map){ 0 };
	}
}

/* The option table as text: --dump and --help. */
#include <assert.h>
#include <inttypes.h>

#include "bus/conf.h"

static void put_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void put_number(FILE *out, int64_t v, const int64_t *factor, const char *const *unit, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v % factor[i] == 0 && (v != 0 || i == n - 1)) {
			fprintf(out, "%" PRId64 "%s", v / factor[i], unit[i]);
			return;
		}
	}
}

static void put_value(FILE *out, const struct bus_conf_option *o, const void *at)
{
	static const int64_t ms[] = { 3600000, 60000, 1000, 1 };
	static const char *const ms_unit[] = { "h", "m", "s", "ms" };
	static const int64_t size[] = { 1 << 30, 1 << 20, 1 << 10, 1 };
	static const char *const size_unit[] = { "GiB", "MiB", "KiB", "B" };
	const struct bus_conf_list *list = at;

	switch (o->type) {
	case BUS_CONF_STR:
	case BUS_CONF_PATH:
		put_quoted(out, *(const char *const *)at);
		break;
	case BUS_CONF_INT:
	case BUS_CONF_PORT:
		fprintf(out, "%" PRId64, *(const int64_t *)at);
		break;
	case BUS_CONF_MS:
		put_number(out, *(const int64_t *)at, ms, ms_unit, BUS_LEN(ms));
		break;
	case BUS_CONF_SIZE:
		put_number(out, *(const int64_t *)at, size, size_unit, BUS_LEN(size));
		break;
	case BUS_CONF_BOOL:
		fputs(*(const bool *)at ? "true" : "false", out);
		break;
	case BUS_CONF_LIST:
		fputc('[', out);
		for (size_t i = 0; i < list->n; i++) {
			fputs(i ? ", " : "", out);
			put_quoted(out, list->item[i]);
		}
		fputc(']', out);
		break;
	case BUS_CONF_MAP:
	default:
		assert(0);
	}
}

static void put_map(FILE *out, const struct bus_conf_option *o, const struct bus_conf_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		char *name = bus_xasprintf("%s.%s", o->name, map->key[i]);

		put_quoted(out, name);
		fputs(": ", out);
		put_quoted(out, map->value[i]);
		fputc('\n', out);
		free(name);
	}
}

/* Dotted names, which the file may have too: one line an option, whatever maps and options share a name. */
void bus_conf_dump(const struct bus_conf_option *table, const void *conf, FILE *out)
{
	for (const struct bus_conf_option *o = table; o->name; o++) {
		const void *at = (const char *)conf + o->offset;

		if (o->type == BUS_CONF_MAP) {
			put_map(out, o, at);
			continue;
		}
		fprintf(out, "%s: ", o->name);
		put_value(out, o, at);
		fputc('\n', out);
	}
}

void bus_conf_help(const struct bus_conf_option *table, FILE *out)
{
	size_t name_width = 0;
	size_t fallback_width = strlen("required");

	for (const struct bus_conf_option *o = table; o->name; o++) {
		size_t n = strlen(o->name) + (o->type == BUS_CONF_MAP ? 2 : 0);
		size_t f = o->fallback ? strlen(o->fallback) : 0;

		name_width = n > name_width ? n : name_width;
		if (f <= 32)
			fallback_width = f > fallback_width ? f : fallback_width;
	}
	for (const struct bus_conf_option *o = table; o->name; o++) {
		bool map = o->type == BUS_CONF_MAP;
		bool required = !o->fallback && !map;
		const char *fallback = required			     ? "required"
				       : o->fallback && *o->fallback ? o->fallback
								     : "-";
		int pad = (int)(name_width - strlen(o->name));

		fprintf(out, "  %s%*s  %-*s  %s\n", o->name, map ? -pad : pad, map ? ".*" : "",
			(int)fallback_width, fallback, o->help);
	}
}

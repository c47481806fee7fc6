/* bus/conf_value.h - one option's value: from text, to text. For bus/conf*.c only. */
#ifndef BUS_CONF_VALUE_H
#define BUS_CONF_VALUE_H

#include "bus/buf.h"
#include "bus/conf.h"

struct bus_conf_value { /* room for a value of any type */
	union {
		char *text;
		int64_t number;
		bool flag;
		struct bus_conf_list list;
		struct bus_conf_map map;
	};
};

/* Puts text where o says; a list grows by it, a map by key. folder: before a relative path. A value that was
 * there is released. The message names what is wanted, not the option. */
enum bus_err bus_conf_put(const struct bus_conf_option *o, void *conf, const char *key, const char *text,
			  const char *folder, struct bus_error *err) BUS_MUSTCHECK;
bool bus_conf_has(const struct bus_conf_option *map, void *conf, const char *key);
void bus_conf_clear(const struct bus_conf_option *o, void *conf);

#endif

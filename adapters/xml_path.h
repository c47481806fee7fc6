/* adapters/xml_path.h - a small part of XPath 1.0 that a stream can follow.
 *
 *     path      = [ "/" | "//" ] step { "/" step } [ "/" end ] | end
 *     step      = ( name | prefix ":" name | "*" ) [ "[@" attribute "='" text "']" ] [ "[" number "]" ]
 *     end       = "@" attribute | "text()" | "."
 *
 * A name without a prefix stands for that name in any namespace. `[n]` counts, from 1, among the siblings that the rest of
 * the step takes. "/" and "//" only where rows are looked for. Thread: any.
 */
#ifndef ADAPTERS_XML_PATH_H
#define ADAPTERS_XML_PATH_H

#include "bus/yaml.h"

#define ADAPTER_XML_STEPS_MAX 16

enum adapter_xml_end { ADAPTER_XML_ELEMENT, ADAPTER_XML_TEXT, ADAPTER_XML_ATTRIBUTE };

struct adapter_xml_name {
	char *local; /* "*": any */
	char *uri;   /* NULL: any namespace */
};

struct adapter_xml_step {
	struct adapter_xml_name name;
	struct adapter_xml_name attribute; /* local NULL: none is asked for */
	char *value;
	unsigned nth; /* 0: any */
};

struct adapter_xml_path {
	bool anywhere; /* "//" */
	size_t n;
	struct adapter_xml_step step[ADAPTER_XML_STEPS_MAX];
	enum adapter_xml_end end;
	struct adapter_xml_name attribute; /* of ADAPTER_XML_ATTRIBUTE */
};

/* spaces: a map prefix: URI, or NULL. absolute: it must begin with "/" or "//", and lead to an element; else it must not.
 * BUS_EPARSE: with the file and line of `at`. */
enum bus_err adapter_xml_path_read(struct bus_yaml *yaml, const struct bus_yaml_node *at,
				   struct bus_yaml_node *spaces, const char *text, bool absolute,
				   struct adapter_xml_path *out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_xml_path_release(struct adapter_xml_path *p);

/* name: as adapter_xml_new_full gives it. */
bool adapter_xml_name_is(const struct adapter_xml_name *n, const char *name);
const char *adapter_xml_path_att(const struct adapter_xml_name *n,
				 const char **atts); /* its value; NULL: none */
/* Name and attribute; not the count. */
bool adapter_xml_step_is(const struct adapter_xml_step *s, const char *name, const char **atts);

#endif

/* gateway/define/front.h - reading a definition's front matter; for the files of this room only.
 *
 * Each gw_front_* takes its keys from the tree and fills the definition; what is refused is said as
 * `file:line: what; hint`, with the nearest known word. Thread: the caller's.
 */
#ifndef GATEWAY_DEFINE_FRONT_H
#define GATEWAY_DEFINE_FRONT_H

#include "bus/yaml.h"
#include "gateway/define/view.h"

struct gw_front {
	struct gw_def *d; /* what is kept is copied into its arena */
	struct bus_yaml *y;
	struct bus_error *err;
	struct gw_column *column; /* the view's, once gw_front_columns has read them */
};

enum bus_err gw_front_read(struct gw_front *f) BUS_MUSTCHECK; /* all of it */
enum bus_err gw_front_columns(struct gw_front *f, struct bus_yaml_node *root) BUS_MUSTCHECK;
enum bus_err gw_front_routes(struct gw_front *f, struct bus_yaml_node *root) BUS_MUSTCHECK;
enum bus_err gw_front_indexes(struct gw_front *f, struct bus_yaml_node *root) BUS_MUSTCHECK;
enum bus_err gw_front_quality(struct gw_front *f, struct bus_yaml_node *root) BUS_MUSTCHECK;

enum bus_err gw_front_promises(struct gw_front *f,
			       struct bus_yaml_node *root) BUS_MUSTCHECK; /* freshness, complete */

enum bus_err gw_front_figures(struct gw_front *f, struct bus_yaml_node *root) BUS_MUSTCHECK;
/* access, catalogue; after all others: what is open or shared has no holes. */
enum bus_err gw_front_card(struct gw_front *f, struct bus_yaml_node *root) BUS_MUSTCHECK;
enum bus_err gw_front_day(struct gw_front *f, struct bus_yaml_node *map, const char *key,
			  const char **day) BUS_MUSTCHECK; /* "2027-06-30"; not there: *day stays */

const char *gw_front_keep(struct gw_front *f, const char *s); /* NULL stays NULL */
bool gw_front_is_name(const char *s);			      /* lower case, digits, _; 60 at most */
/* {id: ..., en: ...} under key; both or none. */
enum bus_err gw_front_texts(struct gw_front *f, struct bus_yaml_node *map, const char *key, const char **id,
			    const char **en) BUS_MUSTCHECK;
/* A text that is kept; not there: *out stays. */
enum bus_err gw_front_text(struct gw_front *f, struct bus_yaml_node *map, const char *key,
			   const char **out) BUS_MUSTCHECK;
/* One of n words; not there: the first, or refused if `must`. */
enum bus_err gw_front_word(struct gw_front *f, struct bus_yaml_node *map, const char *key, bool must,
			   const char *const *word, size_t n, size_t *out) BUS_MUSTCHECK;
/* A list of texts, at most max; not there: none. */
enum bus_err gw_front_list(struct gw_front *f, struct bus_yaml_node *map, const char *key, size_t max,
			   const char *const **out, size_t *n) BUS_MUSTCHECK;
/* One of the view's columns, by name; key: whose value it is, for the message. */
enum bus_err gw_front_column(struct gw_front *f, const struct bus_yaml_node *at, const char *key,
			     const char *name, size_t *out) BUS_MUSTCHECK;

#endif

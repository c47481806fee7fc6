/* gateway/catalogue/shelf.h - the data sets that whoever asks may know of: what every form of the catalogue is made from.
 *
 * Without a key: views of `access: open`. With one: those, and the views that its reader is granted; columns that it
 * is not shown are not there. All words are the definitions' own (gateway/views/README.md), read anew with each
 * question; nothing is kept. Thread: any.
 */
#ifndef GATEWAY_CATALOGUE_SHELF_H
#define GATEWAY_CATALOGUE_SHELF_H

#include "bus/conf.h"
#include "gateway/serve/api.h"

struct gw_shelf_conf {	       /* borrowed; good while the gateway runs */
	const char *base;      /* URL where readers reach us, no slash at its end */
	const char *publisher; /* "Pemerintah Kota Pekanbaru" */
	const char *walidata;  /* short name of the department that answers for the catalogue */
	const char *contact;   /* e-mail; "": none */
	const char *licence;   /* URL; of what is open */
	const char *place, *place_code;
	const char *kafka;	   /* brokers, for those who may read topics */
	struct bus_conf_map names; /* short name of a department -> its full name */
};

/* One way in which the rows are had. */
struct gw_shelf_form {
	const char *name; /* "csv" */
	const char *tail; /* of the URL, after the view's name: ".csv" */
	const char *media, *format;
	const char *id, *en;   /* titles */
	const char *file_type; /* in the EU's list of them; NULL: not there */
	bool file;	       /* the whole view; else a page or a feed */
};

struct gw_shelf_item {
	const struct gw_view *view;
	struct gw_grant grant;
	int64_t modified_ms;		  /* the newest record behind it, or its definition */
	const char *page;		  /* path of its rows: "/v1/views/NAME" */
	const struct gw_shelf_form *form; /* n_forms */
	size_t n_forms;
};

struct gw_shelf { /* lives as long as the request */
	const struct gw_shelf_conf *conf;
	bool english;
	struct gw_shelf_item *item; /* by name */
	size_t n;
	int64_t modified_ms; /* the newest of them */
};

/* False: answered (401, 429). */
bool gw_shelf_open(struct gw_api *api, struct bus_http_request *req, struct gw_shelf *out);
/* For a reader that is known by other means; reader NULL: nobody. */
void gw_shelf_of(struct gw_api *api, struct bus_http_request *req, const char *reader, struct gw_shelf *out);
const struct gw_shelf_item *gw_shelf_find(const struct gw_shelf *s, const char *name); /* NULL: none */

void gw_shelf_newer(struct gw_shelf *s, int64_t since_ms); /* keeps those that were modified then or later */
/* "2026-11-01", "2026-11-01T00:00:00", with fractions, Z or an offset; without one: UTC. */
bool gw_shelf_moment(const char *text, int64_t *ms);

const char *gw_shelf_department(const struct gw_shelf *s, const char *owner); /* full name; owner itself */
const char *gw_shelf_title(const struct gw_shelf *s, const struct gw_view *v);
const char *gw_shelf_about(const struct gw_shelf *s, const struct gw_view *v);
const char *gw_shelf_owner(const struct gw_shelf *s, const struct gw_view *v); /* nobody said: walidata */
const struct gw_theme *gw_shelf_theme(const struct gw_view *v);		       /* NULL: none */

/* How often it is updated, as promised: one of the EU's list of frequencies; and ISO 8601's repeating interval. */
struct gw_rhythm {
	const char *code, *interval, *id, *en;
};
const struct gw_rhythm *gw_shelf_rhythm(const struct gw_view *v);

/* A name for a thing that is the same on every gateway: a UUID made of what it is. */
void gw_shelf_uuid(const char *kind, const char *name, const char *part, char out[37]);

#endif

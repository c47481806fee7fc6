/* gateway/rooms.h - everything a gateway that serves has open. In order: the engine (database, schemas, views), access,
 * what readers follow and ask for, the ports; closed the other way round.
 *
 * A new room: what it is told in options.[ch]; here how it is opened, stopped and freed. Thread: main.
 */
#ifndef GATEWAY_ROOMS_H
#define GATEWAY_ROOMS_H

#include "gateway/catalogue/shelf.h"
#include "gateway/engine/group.h"
#include "gateway/options.h"
#include "gateway/serve/api.h"

struct gw_rooms {
	struct gw_api api;
	struct gw_defs *defs; /* NULL: no views are defined over HTTP */
	struct bus_http *http, *ops;
	struct bus_kafka_conf kafka; /* the rooms hold on to these four */
	struct gw_group_conf group;
	struct gw_shelf_conf catalogue;
	char *base;
	_Atomic bool views_changed; /* the registry is to be told what they read */
};

/* Opens all of them, r zeroed; they answer from here on. c is borrowed until gw_rooms_close, which follows also when
 * this fails: BUS_EINVAL of options, else what the world said. */
enum bus_err gw_rooms_open(const struct gw_options *c, struct gw_rooms *r,
			   struct bus_error *err) BUS_MUSTCHECK;
void gw_rooms_tick(struct gw_rooms *r); /* once a second */
/* HTTP is stopped before what it asks; who waits is answered. */
void gw_rooms_close(struct gw_rooms *r);

/* The engine alone, its store at db_path; group NULL: alone. */
enum bus_err gw_rooms_engine(const struct gw_options *c, const char *db_path,
			     const struct gw_group_conf *group, struct gw_engine **out,
			     struct bus_error *err) BUS_MUSTCHECK;

#endif

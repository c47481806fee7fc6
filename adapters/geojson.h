/* adapters/geojson.h - one place for a geometry of GeoJSON (RFC 7946), whatever its shape. Thread: any. */
#ifndef ADAPTERS_GEOJSON_H
#define ADAPTERS_GEOJSON_H

#include "bus/json.h"

#define ADAPTER_GEO_TEXT 32

/* Longitude (axis 0) or latitude (axis 1) as a plain decimal, borrowed from the tree or written to room: of a Point its own
 * coordinate as written; of a LineString the middle of its points; of a Polygon the centroid of its outer ring (seven
 * decimals, 1 cm; of a bent shape it may lie outside); of a Multi... that of its first part, of a MultiPolygon of its largest.
 * False: it is no such geometry. */
bool adapter_geojson_place(const struct bus_json *geometry, int axis, char room[ADAPTER_GEO_TEXT],
			   struct bus_str *out);

#endif

/* gateway/engine/mat.h - the materialiser: the one thread that reads Kafka and writes the store. */
#ifndef GATEWAY_ENGINE_MAT_H
#define GATEWAY_ENGINE_MAT_H

#include "gateway/engine/core.h"

struct gw_mat;

struct gw_mat_conf {
	struct bus_kafka_conf kafka; /* borrowed strings: good until gw_mat_free */
	int batch_max;
	int batch_wait_ms;
	int verify_per_s;
};

struct gw_mat *gw_mat_new(struct gw_engine *e, const struct gw_mat_conf *conf);
void gw_mat_free(struct gw_mat **m); /* stopped */
enum bus_err gw_mat_start(struct gw_mat *m, struct bus_error *err) BUS_MUSTCHECK;
void gw_mat_stop(struct gw_mat *m); /* waits for the batch in hand */

#endif

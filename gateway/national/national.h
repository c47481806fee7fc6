/* gateway/national/national.h - the national profile: what is offered to who keeps a mirror, and what he says he has.
 *
 *   field, signature, replay, signer   RFC 8941, 9421, 9530: both ways
 *   canonical, compare                 a mirror's digest, and ours
 *   acks                               acknowledgements: the topic
 *   national.c                         the desk: one thread compares, writes, answers
 *   offer.c                            GET /v1/nasional, GET .../acknowledgements
 *
 * The load at a cut is gateway/export's, the delta gateway/feed's.
 */
#ifndef GATEWAY_NATIONAL_NATIONAL_H
#define GATEWAY_NATIONAL_NATIONAL_H

#include "gateway/national/acks.h"
#include "gateway/serve/api.h"

struct gw_national; /* one thread */

enum bus_err gw_national_new(struct gw_api *api, const struct gw_acks_conf *conf, struct gw_national **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void gw_national_free(struct gw_national **n); /* after HTTP has stopped */
void gw_national_stop(struct gw_national *n);  /* before: comparing is cut short, who waits is answered */
void gw_national_tick(struct gw_national *n);  /* once a second: gauges */
struct gw_acks *gw_national_acks(struct gw_national *n);

#endif

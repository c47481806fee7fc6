/* gateway/hook/hooks.h - webhooks: changes of views, brought to receivers from the same cursor as every other road.
 *
 * Subscriptions and positions stand sealed on a compacted topic: any gateway with the key file knows them, and
 * serves their API. One gateway delivers, the one that holds the lease (lease.c). A change is delivered at least once,
 * in the order of the change log; a message keeps its id over its tries, and over a kill -9 up to the position
 * last committed (half a second before).
 *
 * Two threads: `topic` writes changes of subscriptions, positions, the lease; `deliver` reads change logs and
 * talks to receivers. Lock order: the lock of struct gw_hooks, then nothing; it is never held while talking to
 * Kafka, SQLite or receivers.
 */
#ifndef GATEWAY_HOOK_HOOKS_H
#define GATEWAY_HOOK_HOOKS_H

#include "bus/kafka.h"
#include "gateway/hook/net.h"
#include "gateway/hook/retry.h"
#include "gateway/serve/api.h"

#define GW_HOOKS_MAX 1000
#define GW_HOOKS_PER_READER 50
#define GW_HOOK_ATTEMPTS 100 /* kept of each, in memory */

struct gw_hooks;

struct gw_hooks_conf { /* what it points to must live as long as the hooks */
	struct bus_kafka_conf kafka;
	const char *topic;
	uint8_t key[BUS_KEY_LEN];  /* seals the topic's records */
	bool deliver;		   /* this gateway may */
	const char *base, *prefix; /* as struct gw_hook_names; base is copied */
	const char *ca;		   /* PEM; who signs receivers' certificates. "": the system's */
	int timeout_ms;		   /* of a request */
	struct gw_hook_schedule schedule;
	struct gw_hook_net *net; /* taken */
	struct gw_api *api;
};

struct gw_hooks *gw_hooks_new(const struct gw_hooks_conf *conf);
/* The threads; before HTTP and the engine start, which use what is made here. */
enum bus_err gw_hooks_start(struct gw_hooks *h, struct bus_error *err) BUS_MUSTCHECK;
/* Commits positions, gives the lease up, answers every open request. Before HTTP stops. */
void gw_hooks_stop(struct gw_hooks *h);
void gw_hooks_free(struct gw_hooks **h);
void gw_hooks_wake(struct gw_hooks *h);	   /* a view has changed; any thread, does not block */
void gw_hooks_metrics(struct gw_hooks *h); /* gauges brought up to date */

#endif

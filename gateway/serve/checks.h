/* gateway/serve/checks.h - definitions checked and views verified on demand, as jobs of two threads.
 *
 *   POST /v1/views/check          body: a definition; `ms`: for comparing with the running one (5,000; 0: not compared).
 *                                 The report; with `Prefer: respond-async` 202 and where to ask
 *   POST /v1/views/{view}/verify  202 and where to ask: the whole view computed afresh and compared
 *   GET  /v1/checks/{id}          waiting, running (permille), done (report or verdict), failed (why)
 *
 * For readers that may define views. One check and one verification run at a time; GW_CHECKS_WAITING more wait; results
 * are kept until GW_CHECKS_KEPT newer ones push them out. A job is its reader's alone.
 * Thread: the handlers on the pool's; _new and _stop, _free on main's.
 */
#ifndef GATEWAY_SERVE_CHECKS_H
#define GATEWAY_SERVE_CHECKS_H

#include "bus/error.h"
#include "bus/http.h"

#define GW_CHECKS_WAITING 8 /* of each kind */
#define GW_CHECKS_KEPT 32

struct gw_api;
struct gw_checks;

/* The handlers are in gateway/serve/api.h. */
/* Who had which text checked: its SHA-256, never the text. */
void gw_check_log(const char *reader, struct bus_str text);
struct gw_checks *gw_checks_new(struct gw_api *api);
void gw_checks_stop(struct gw_checks *c);  /* ends what runs; whoever waits is answered */
void gw_checks_free(struct gw_checks **c); /* after HTTP has stopped */

#endif

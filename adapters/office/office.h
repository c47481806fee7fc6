/* adapters/office/office.h - refused rows and the adapter's state over HTTP, for the officers of the department.
 *
 *   GET  /v1/status                        what `status --json` says, of the token's feeds
 *   GET  /v1/quarantine                    rows by feed, file, class, since, until, state; pages of limit, next from after
 *   GET  /v1/quarantine/{id}[/history]     show_personal=true shows values, and is written to the log with who asked
 *   POST /v1/quarantine[/{id}]/mend, /redrive, /discard    202: the order lies in the drop folder (care/order.h)
 *   GET  /v1/orders/{order}                what became of it
 *
 * openapi.yaml says it all. Who gives an order is whose token it is (intake/tokens.h); a token sees its feeds alone. Questions of
 * quarantine read Kafka and take a while: one thread works at them in turn, and only a few may wait (503). An Idempotency-Key
 * stands in the order's name, so it is known as long as the order's file is kept.
 */
#ifndef ADAPTERS_OFFICE_OFFICE_H
#define ADAPTERS_OFFICE_OFFICE_H

#include "bus/error.h"

struct adapter_desk;
struct adapter_run_conf;

struct adapter_office_conf {
	const char *address;
	int port;
	const char *certificate, *key; /* TLS; "": none, loopback only */
	const char *tokens;
};

struct adapter_office;

/* Options and tokens; nothing is opened. */
enum bus_err adapter_office_check(const struct adapter_office_conf *conf,
				  struct bus_error *err) BUS_MUSTCHECK;
/* conf->office says where; conf and the desk's mappings outlive it. */
enum bus_err adapter_office_start(const struct adapter_run_conf *conf, const struct adapter_desk *desk,
				  struct adapter_office **out, struct bus_error *err) BUS_MUSTCHECK;
/* What is in work is finished; what waits is answered 503. */
void adapter_office_stop(struct adapter_office **o);

#endif

/* adapters/office/work.h - what one question of quarantine is answered. It reads Kafka: on the office's own thread. */
#ifndef ADAPTERS_OFFICE_WORK_H
#define ADAPTERS_OFFICE_WORK_H

#include "adapters/care/care.h"
#include "adapters/office/ask.h"
#include "bus/http.h"

struct adapter_office_job {
	struct adapter_office_job *next;
	struct bus_http_ticket *ticket;
	struct adapter_ask ask;
	int who; /* of the tokens */
	char mark
	    [40]; /* of an order with an Idempotency-Key: two times 16 hex digits, "<key>-<request>"; "": none */
};

/* Answers the job's request, whatever comes. care: all but args. */
void adapter_office_work(struct adapter_care *care, const struct adapter_office_job *job);

#endif

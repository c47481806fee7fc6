/* adapters/office/ask.h - a question or an order over HTTP as the arguments of the command that does the same (care/args.h).
 *
 * begin, then a question's parameters one by one, or an order's body; what an order must have is asked at its end. Texts are
 * borrowed from whoever gives them, and from the arena. Thread: any.
 */
#ifndef ADAPTERS_OFFICE_ASK_H
#define ADAPTERS_OFFICE_ASK_H

#include "adapters/care/args.h"
#include "adapters/quarantine.h"
#include "bus/arena.h"

#define ADAPTER_ASK_LIMIT_MAX 1000

struct adapter_ask {
	struct adapter_care_args args;
	uint32_t given;	  /* which parameters or members were */
	int64_t after_ms; /* a page's first row comes after this one (time, id); id "": the first page */
	char after_id[ADAPTER_REFUSAL_ID + 1];
};

/* verb: static text: list, show, history; mend, redrive, discard. id: of the row in the path; "": none. */
void adapter_ask_begin(struct adapter_ask *ask, const char *verb, const char *id);
/* A parameter of the query, decoded; each once, and none of an order. BUS_EINVAL: which one is wrong and how it is written, or
 * which there are; never what was sent. */
enum bus_err adapter_ask_parameter(struct adapter_ask *ask, const char *name, const char *value,
				   struct bus_error *err) BUS_MUSTCHECK;
/* The body of an order, for the row of the path or those that the body chooses; n 0: there is none. BUS_EINVAL. */
enum bus_err adapter_ask_body(struct adapter_ask *ask, struct bus_str body, struct bus_arena *arena,
			      struct bus_error *err) BUS_MUSTCHECK;
/* What the order lacks, as a code of problem.h; NULL: nothing. */
const char *adapter_ask_lack(const struct adapter_ask *ask);
/* Where the page after this row begins. out: ADAPTER_REFUSAL_ID + 24 bytes. */
void adapter_ask_after(int64_t time_ms, const char *id, char *out);

#endif

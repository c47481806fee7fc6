/* adapters/fetch/soap.h - what a SOAP service (1.1 or 1.2) says when it cannot do what it was asked. No network here.
 * Thread: one. */
#ifndef ADAPTERS_FETCH_SOAP_H
#define ADAPTERS_FETCH_SOAP_H

#include "bus/buf.h"
#include "bus/error.h"

#define ADAPTER_FAULT_MAX 240

/* Reads the answer as XML; fault: code and reason of a Fault in its Body, long numbers masked, "" when there is none.
 * BUS_EDATA: it is no XML. */
enum bus_err adapter_soap_fault(struct bus_str answer, char fault[ADAPTER_FAULT_MAX],
				struct bus_error *err) BUS_MUSTCHECK;

#endif

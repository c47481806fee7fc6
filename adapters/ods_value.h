/* adapters/ods_value.h - the dates and times of OpenDocument (XML Schema's) as a spreadsheet's cells are given: ISO 8601,
 * to the millisecond. Thread: any. */
#ifndef ADAPTERS_ODS_VALUE_H
#define ADAPTERS_ODS_VALUE_H

#include "bus/buf.h"

/* Appends YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[.fff]. False: no such day (years 0 to 9999), nothing is appended. */
bool adapter_ods_date(const char *stored, struct bus_buf *out);
/* Appends hh:mm:ss[.fff] of a duration (PT14H30M00S, P1DT2H: 26:00:00). False: it is none, is negative, or has years or
 * months, or more than 9,999 hours. */
bool adapter_ods_time(const char *stored, struct bus_buf *out);

#endif

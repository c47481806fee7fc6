/* adapters/care/carry.h - an order (order.h) is carried out, by the running adapter, as a file of its drop folder.
 *
 *   1. the order is read: which rows
 *   2. the quarantine topic is read to its end: how each of them stands
 *   3. terbitkan: the row is mapped anew by the mapping of today, judged (judge.h) and published, with the file and line it came
 *      from and the order's number (header titian_order); once that is in the log, the act on the quarantine topic.
 *      perbaiki, buang: only the act
 *   4. a report, and the order goes to done/ (refused/ when it is none)
 * Killed anywhere: the order still lies in the folder and is carried out again. A row with an act of this very order has been
 * done, a row whose record is in the log is not sent again; so each row has one record and one act. Of two orders for one row the
 * first settles it, and the other's report says so. One thread.
 */
#ifndef ADAPTERS_CARE_CARRY_H
#define ADAPTERS_CARE_CARRY_H

#include "adapters/feed.h"

/* As adapter_pass: what it returns, and when the file has its place. */
enum bus_err adapter_order_carry(struct adapter_desk *d, const struct adapter_drop_file *file,
				 struct bus_error *err) BUS_MUSTCHECK;

#endif

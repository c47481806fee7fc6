/* bus/plain.h - text from files and databases made harmless before people see it: the names of a dump's tables, of sheets, columns and
 * files are whoever's who made them, and a terminal obeys what it is sent. Thread: any.
 */
#ifndef BUS_PLAIN_H
#define BUS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Each byte of control characters (C0 but for tab, DEL, C1), of signs that turn the direction of writing or end a line, and of what is
 * no UTF-8 becomes '?', in place. lines: line ends stay. */
void bus_plain(char *text, size_t n, bool lines);

#endif

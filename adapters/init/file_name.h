/* adapters/init/file_name.h - what a file's name says of those that will come: dates in it stand for any date. Thread: one. */
#ifndef ADAPTERS_INIT_FILE_NAME_H
#define ADAPTERS_INIT_FILE_NAME_H

#include "bus/buf.h"

/* The pattern for `files`: this name, with any year of this century, or any date, where one stands, and with more words before
 * its ending. *dated: there is one. file may be a path. */
void adapter_init_file_pattern(const char *file, struct bus_buf *out, bool *dated);

/* What the data in it is called, as a name of a field: the file's name without dates and ending. Caller frees. */
char *adapter_init_file_entity(const char *file);

#endif

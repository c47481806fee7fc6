/* bus/file.h - small files in folders where others may write too, such as the drop folder: what lies there under a name of ours may
 * be somebody's link, pipe or file, and is neither followed nor waited for nor written into.
 *
 * A file appears whole, under its own name, by rename; its draft is "<path>.tmp", which the drop folder passes over. Functions that
 * do not take a bus_error say why in errno. Any thread.
 */
#ifndef BUS_FILE_H
#define BUS_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "bus/buf.h"
#include "bus/error.h"

/* A new, empty file to write, whose name nobody has any more; -1: errno. */
int bus_file_make(const char *path, mode_t mode);
/* All of text; false: errno. */
bool bus_file_write(int fd, struct bus_str text);
/* The folder of path: after a power cut the name leads to the file. False: errno. */
bool bus_file_sync_folder(const char *path);

enum bus_file_care { BUS_FILE_LIGHT, BUS_FILE_DURABLE }; /* DURABLE: on disk when it returns, name and all */
/* Puts text under path in place of what was there. BUS_EFULL, BUS_EDENIED, BUS_EIO: path is as it was. */
enum bus_err bus_file_put(const char *path, struct bus_str text, mode_t mode, enum bus_file_care care,
			  struct bus_error *err) BUS_MUSTCHECK;

/* A plain file to read, itself and no link; NULL: errno (EINVAL: it is none). */
FILE *bus_file_open(const char *path);

#endif

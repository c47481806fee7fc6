/* bus/secret.h - passwords and tokens out of files. Thread: any. */
#ifndef BUS_SECRET_H
#define BUS_SECRET_H

#include "bus/buf.h"
#include "bus/error.h"

#define BUS_SECRET_MAX 4096

/* Appends the first line of the file, without its end. BUS_EINVAL: it is empty, over BUS_SECRET_MAX, holds a
 * control character, or others may read the file (mode & 007). */
enum bus_err bus_secret_load(const char *path, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
void bus_secret_release(struct bus_buf *b); /* overwrites, then bus_buf_release */

#endif

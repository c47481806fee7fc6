/* deploy/ctl/catalogue.h - the .avsc files of a folder, as the topics and subjects they stand for.
 *
 * A schema says where it belongs: x_topik, x_jenis ("register" or "peristiwa"). One whose x_topik holds
 * "{opd}" stands once for each department: those named by --opd, else the other folders beside its own.
 * Sorted by topic. One thread.
 */
#ifndef DEPLOY_CTL_CATALOGUE_H
#define DEPLOY_CTL_CATALOGUE_H

#include "bus/buf.h"
#include "bus/error.h"
#include "schemas/schema.h"

struct ctl_entry {
	char *path;
	char *text; /* of the file, "{opd}" replaced; NUL-ended */
	char *topic;
	bool is_register;
	struct schema *schema;
};

struct ctl_catalogue { /* zero-initialised is empty */
	struct ctl_entry *entry;
	size_t n;
	size_t n_files;
};

/* paths: files, and folders searched for *.avsc. opds: "a,b,c" or NULL. Every fault is told on stderr with
 * its file; the first one's code comes back, when all files have been looked at. */
enum bus_err ctl_catalogue_load(char *const *path, size_t n, const char *opds, struct ctl_catalogue *out,
				struct bus_error *err) BUS_MUSTCHECK;
void ctl_catalogue_release(struct ctl_catalogue *c);

#endif

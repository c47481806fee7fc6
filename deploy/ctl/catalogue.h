/* deploy/ctl/catalogue.h - the .avsc files of a folder, as the topics and subjects they stand for.
 *
 * A schema says where it belongs: x_topik, x_jenis ("register" or "peristiwa"). One whose x_topik holds
 * "{opd}" stands once for each department: those named by --opd, else the other folders beside its own. A
 * named type that others use (x_jenis "tipe") has no topic; its subject is its full name. Sorted by subject.
 * One thread.
 */
#ifndef DEPLOY_CTL_CATALOGUE_H
#define DEPLOY_CTL_CATALOGUE_H

#include "bus/buf.h"
#include "bus/error.h"
#include "schemas/avro/schema.h"

struct ctl_entry {
	char *path;
	char *text;    /* of the file, "{opd}" replaced; NUL-ended */
	char *topic;   /* NULL: a type that others use */
	char *subject; /* "<topic>-value", or the type's full name */
	bool is_register;
	struct schema *schema;
	size_t *needs; /* entries whose types the text uses, by position; n_needs of them */
	size_t n_needs;
};

struct ctl_fault { /* a file that cannot be taken */
	char *path;
	struct bus_error err;
};

struct ctl_catalogue { /* zero-initialised is empty */
	struct ctl_entry *entry;
	size_t n;
	struct ctl_fault *fault;
	size_t n_faults;
	size_t n_files;
};

/* paths: files, and folders searched for *.avsc. opds: "a,b,c" or NULL. Files that are no strict schema are
 * faults, and so is (BUS_EEXIST) all but the first of those with one subject; the rules of the catalogue are
 * not asked about. Fails where a path cannot be read or no file is found. */
enum bus_err ctl_catalogue_read(char *const *path, size_t n, const char *opds, struct ctl_catalogue *out,
				struct bus_error *err) BUS_MUSTCHECK;
/* The same for those who use the catalogue: what breaks a rule that `must` be kept (schemas/catalogue/lint.h) is a
 * fault too, every fault is told on stderr, and the first one's code comes back with nothing in out. */
enum bus_err ctl_catalogue_load(char *const *path, size_t n, const char *opds, struct ctl_catalogue *out,
				struct bus_error *err) BUS_MUSTCHECK;
void ctl_catalogue_release(struct ctl_catalogue *c);

/* A whole file of text, at most SCHEMA_TEXT_MAX bytes. */
enum bus_err ctl_read_file(const char *path, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif

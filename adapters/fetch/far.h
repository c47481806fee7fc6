/* adapters/fetch/far.h - a folder on another machine: what is in it, and its files' bytes.
 *
 * What the server says is distrusted: a name that leads elsewhere (`/`, `..`), that holds a control character or is no UTF-8
 * never gets into a list. Thread: one.
 */
#ifndef ADAPTERS_FETCH_FAR_H
#define ADAPTERS_FETCH_FAR_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/client_folder.h"

#define ADAPTER_FAR_NAME_MAX 150    /* bytes: with feed and time before it, it is a name of a file here too */
#define ADAPTER_FAR_FILES_MAX 10000 /* of a list */

struct adapter_far_file {
	char *name;
	int64_t size;  /* -1: not said */
	int64_t mtime; /* seconds since 1970; -1: not said */
};

struct adapter_far_list {
	struct adapter_far_file *file;
	size_t n, cap;
	size_t refused; /* names that cannot be taken */
};

/* A name as a server says it: into the list, or counted as refused. `.` and `..` are neither. BUS_ETOOBIG: the list is full. */
enum bus_err adapter_far_add(struct adapter_far_list *l, struct bus_str name, int64_t size, int64_t mtime,
			     struct bus_error *err) BUS_MUSTCHECK;
const struct adapter_far_file *adapter_far_find(const struct adapter_far_list *l, const char *name);
void adapter_far_release(struct adapter_far_list *l);

struct adapter_far_conf { /* borrowed until close */
	struct bus_folder_conf folder;
	const char *token_file, *certificate; /* WebDAV; folder.key is then that of the certificate */
};

/* Errors as in bus/client_folder.h. */
struct adapter_far_kind {
	enum bus_err (*open)(const struct adapter_far_conf *conf, void **far, struct bus_error *err);
	/* Names, and what else the server says in the same breath. */
	enum bus_err (*list)(void *far, struct adapter_far_list *out, struct bus_error *err);
	/* Size and mtime of a file of the list. */
	enum bus_err (*look)(void *far, struct adapter_far_file *file, struct bus_error *err);
	enum bus_err (*get)(void *far, const char *name, int64_t offset,
			    enum bus_err (*take)(void *ctx, const void *p, size_t n, struct bus_error *err),
			    void *ctx, struct bus_error *err);
	enum bus_err (*remove)(void *far, const char *name, struct bus_error *err);
	enum bus_err (*move)(void *far, const char *name, const char *folder, const char *as,
			     struct bus_error *err);
	void (*close)(void *far);
};

extern const struct adapter_far_kind adapter_far_ftp; /* sftp://, ftps://, ftp:// */
extern const struct adapter_far_kind adapter_far_dav; /* https://, http:// */

#endif

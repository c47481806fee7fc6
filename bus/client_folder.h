/* bus/client_folder.h - the files of a folder on another machine, by SFTP or by FTP over TLS.
 *
 * The other machine is one that was named, or nobody: by SFTP its host key is in known_hosts or has the fingerprint that was
 * given; by FTPS its certificate is verified. Nothing is sent to another one. Secrets come from files only and are in no
 * message. A connection is kept between calls. Thread: one.
 */
#ifndef BUS_CLIENT_FOLDER_H
#define BUS_CLIENT_FOLDER_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

struct bus_folder;

struct bus_folder_conf { /* NULL: none; borrowed until close */
	const char *
	    url; /* sftp://host/folder/ (sftp://host/~/folder/ from the home), ftps:// (TLS at once, port 990),
			      ftp:// (TLS by AUTH TLS, RFC 4217; without it only if insecure) */
	const char *user;
	const char *password_file; /* its first line; of the key, if there is one */
	const char *key;	   /* SFTP: a private key, mode 0600 */
	const char *host_key;	   /* SFTP: its fingerprint, "SHA256:...", as ssh-keygen -l writes it */
	const char *known_hosts;   /* SFTP: or a file as OpenSSH has it */
	const char *ca;		   /* FTPS: PEM; none: the system's */
	bool insecure;		   /* FTP without TLS */
	bool (*go_on)(void *ctx);  /* asked about once a second; false: BUS_ESTOPPED */
	void *ctx;
};

/* Asks nobody yet. BUS_EINVAL: a URL of another kind or with a secret in it, a secret's file that others can read. */
enum bus_err bus_folder_open(const struct bus_folder_conf *conf, struct bus_folder **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void bus_folder_close(struct bus_folder **f);

/* The names of what is in the folder, of whatever kind, one a line, as the server sends them: they are to be distrusted.
 * BUS_ETOOBIG: over 8 MiB. Below, too: BUS_EDENIED: the host, the certificate, user or password, no rights; the message
 * says which and what to do. BUS_ENOENT: no such folder. BUS_EIO, BUS_ETIMEOUT: the link; again, later. */
enum bus_err bus_folder_names(struct bus_folder *f, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
/* name: of a file in the folder; no '/', no control character (assert). BUS_ENOENT: no file, or no longer.
 * mtime: seconds since 1970; -1: the server does not say. */
enum bus_err bus_folder_look(struct bus_folder *f, const char *name, int64_t *size, int64_t *mtime,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Its bytes from the offset on. A minute without a byte ends it: BUS_ETIMEOUT. */
enum bus_err bus_folder_get(struct bus_folder *f, const char *name, int64_t offset,
			    enum bus_err (*take)(void *ctx, const void *p, size_t n, struct bus_error *err),
			    void *ctx, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_folder_remove(struct bus_folder *f, const char *name, struct bus_error *err) BUS_MUSTCHECK;
/* Into another folder, named from this one, that is there. BUS_EEXIST: the name is taken there. */
enum bus_err bus_folder_move(struct bus_folder *f, const char *name, const char *folder, const char *as,
			     struct bus_error *err) BUS_MUSTCHECK;

#endif

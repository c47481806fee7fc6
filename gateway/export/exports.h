/* gateway/export/exports.h - exports: whole views as files, made at one cut, fetched in pieces.
 *
 * A worker thread reads the view in one transaction into a file of a folder of ours (mode 0700); readers take it
 * from there, while it grows or once it is whole, as slowly as they like. So no reader holds a transaction, a file
 * can be gone on with after a broken connection (Range), and its digest is known. Files go after a time, or
 * earlier when the room is needed; a restart forgets all of them: their numbers are unknown then, never half a
 * file. Threads: gw_exports_* any.
 */
#ifndef GATEWAY_EXPORT_EXPORTS_H
#define GATEWAY_EXPORT_EXPORTS_H

#include "gateway/serve/api.h"

struct gw_exports;

struct gw_exports_conf {
	const char *dir;	  /* made when missing; files of exports in it are removed at start */
	int64_t space;		  /* bytes of all files together */
	int64_t keep_ms;	  /* after it is whole a file is kept so long */
	int64_t patience_ms;	  /* a file of which nothing comes so long is refused; jobs wait longer */
	int threads;		  /* workers; all but one may be busy with jobs */
	int per_reader;		  /* exports that wait or run; as many are kept of jobs */
	uint8_t key[BUS_KEY_LEN]; /* signs bundles: an Ed25519 seed */
};

/* api is borrowed; its engine, access and cursors are there before the first request. */
enum bus_err gw_exports_open(struct gw_api *api, const struct gw_exports_conf *conf, struct gw_exports **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void gw_exports_tick(struct gw_exports *e); /* once a second: what is over its time goes */
/* Before HTTP stops: nothing new begins, what runs is cut short, requests that wait are let go. */
void gw_exports_stop(struct gw_exports *e);
void gw_exports_free(struct gw_exports **e); /* after HTTP has stopped */

#endif

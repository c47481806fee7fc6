/* gateway/export/store.h - the whole store as a file, for another gateway of the group that has none.
 *
 * Made by a thread of its own when it is asked for (202 until it is whole), then fetched with Range; its digest is in
 * Repr-Digest. One at a time; kept for a while. It holds the city in clear and the store's secret: only who has the
 * group's key gets it (gw_group_signed), by a question of its own: one that was asked before is refused. Threads: the handler's any, the rest main's.
 */
#ifndef GATEWAY_EXPORT_STORE_H
#define GATEWAY_EXPORT_STORE_H

#include "gateway/serve/api.h"

struct gw_store_copy;

/* db_path: the copy is made beside it. url: group.url, copied. key: cursor.key. */
struct gw_store_copy *gw_store_copy_new(struct gw_api *api, const char *db_path, const char *url,
					const uint8_t key[BUS_KEY_LEN]);
void gw_store_copy_tick(struct gw_store_copy *c);  /* now and then: one that nobody fetches any more goes */
void gw_store_copy_free(struct gw_store_copy **c); /* after HTTP has stopped */
void gw_store_copy_get(void *api, struct bus_http_request *req);

#endif

/* gateway/engine/group.h - several gateways with one numbering: one leads, the others do as its log says (DESIGN.md).
 *
 * The materialiser does all of it (group.c: who leads; group_lead.c: what a transaction did, told before it is committed;
 * group_follow.c: the same done here; group_copy.c: another's store taken over); a thread of its own says every half
 * second that this gateway lives (group_beat.c). Without a group nothing of this is touched.
 */
#ifndef GATEWAY_ENGINE_GROUP_H
#define GATEWAY_ENGINE_GROUP_H

#include "bus/crypto.h"
#include "bus/kafka.h"
#include "gateway/engine/group_wire.h"
#include "gateway/engine/read.h"

#define GW_GROUP_MEMBERS_MAX 16
#define GW_GROUP_CLOCKS_MS 300000 /* clocks of gateways may differ by so much */
#define GW_GROUP_NONCE_LEN 16
#define GW_GROUP_COPY_PATH "/v1/group/store" /* on the operations port; gateway/export/store.h */

struct gw_group_conf {
	struct bus_kafka_conf kafka; /* borrowed strings, all of it: good until gw_engine_close */
	const char *topic;
	const char *name;	  /* of this gateway, for people */
	const char *url;	  /* where the others reach its operations port */
	bool anew;		  /* without any other gateway that has a store: begin a new numbering */
	uint8_t key[BUS_KEY_LEN]; /* cursor.key */
};

struct gw_group_member { /* by value */
	char name[GW_GROUP_NAME_MAX], url[GW_GROUP_URL_MAX];
	enum gw_group_role role;
	int64_t n, seq;		 /* the last batch and the newest number that it has */
	int64_t behind;		 /* records of inputs; of a leader and of one that copies */
	bool ready, fault, here; /* here: this gateway */
	int64_t age_ms;		 /* since it was last heard of */
};
/* Gateways heard of within the last minute, this one first; 0: there is no group. *newest: the log's last batch. Any thread. */
size_t gw_group_members(struct gw_engine *e, struct gw_group_member out[GW_GROUP_MEMBERS_MAX],
			int64_t *newest);
const char *gw_group_role_name(enum gw_group_role role);

/* group_sign.c, any thread. "Authorization: Titian-Group MS.NONCE.MAC": who has the group's key may copy the store of the
 * gateway whose group.url it is; of that one alone, so that nobody can pass the question on. */
void gw_group_sign(const uint8_t key[BUS_KEY_LEN], const char *url, int64_t now_ms,
		   const uint8_t nonce[GW_GROUP_NONCE_LEN], struct bus_buf *out);
bool gw_group_signed(const uint8_t key[BUS_KEY_LEN], const char *url, int64_t now_ms,
		     const char *authorization, uint8_t nonce[GW_GROUP_NONCE_LEN]);
/* "BYTES.MAC" of the answer to the question with that nonce; repr_digest: that header of it. */
#define GW_GROUP_SEAL_HEADER "Titian-Group-Copy"
void gw_group_copy_seal(const uint8_t key[BUS_KEY_LEN], const uint8_t nonce[GW_GROUP_NONCE_LEN],
			const char *repr_digest, int64_t bytes, struct bus_buf *out);
bool gw_group_copy_sealed(const uint8_t key[BUS_KEY_LEN], const uint8_t nonce[GW_GROUP_NONCE_LEN],
			  const char *repr_digest, const char *seal, int64_t *bytes);

#endif

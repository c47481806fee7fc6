/* gateway/hook/sub.h - one subscription: what its reader asked for, and how far it has come. As JSON too: that is
 * how both stand on the topic, sealed, under the keys `sub/ID` and `pos/ID`.
 *
 * A struct gw_hook_sub is immutable and counted: a change makes another one. Thread: any.
 */
#ifndef GATEWAY_HOOK_SUB_H
#define GATEWAY_HOOK_SUB_H

#include <stdint.h>

#include "bus/crypto.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "gateway/serve/access.h"

#define GW_HOOK_ID_LEN 19 /* wh_ and 16 hex digits */
#define GW_HOOK_FILTERS_MAX 8
#define GW_HOOK_BATCH_MAX 100
#define GW_HOOK_SECRETS 3 /* valid at a time, while they change */
#define GW_HOOK_CURSOR_MAX 256
#define GW_HOOK_RATE_MAX 60000 /* requests a minute */
#define GW_HOOK_WHY_MAX 80

enum gw_hook_format { GW_HOOK_STANDARD, GW_HOOK_BINARY, GW_HOOK_STRUCTURED, GW_HOOK_BATCH };
enum gw_hook_signature { GW_HOOK_ED25519, GW_HOOK_HMAC };

struct gw_hook_secret {
	uint8_t key[BUS_KEY_LEN]; /* HMAC key, or Ed25519 private key */
	int64_t until;		  /* wall ms: signs up to then; 0: has no end */
};

struct gw_hook_filter {
	char *column, *value; /* "kode_kel", "eq.1471011003" */
};

struct gw_hook_sub {
	_Atomic int refs;
	char id[GW_HOOK_ID_LEN + 1];
	char reader[GW_READER_NAME_MAX];
	char key_id[9]; /* of the key that made or last changed it; "": an old record, of no key */
	char *view, *url;
	char *select, *date; /* NULL: all columns; no day */
	struct gw_hook_filter filter[GW_HOOK_FILTERS_MAX];
	size_t n_filters;
	enum gw_hook_format format;
	enum gw_hook_signature signature;
	struct gw_hook_secret secret[GW_HOOK_SECRETS]; /* newest first */
	size_t n_secrets;
	int64_t rate;	   /* most requests a minute; 0: no limit of its own */
	int64_t max_batch; /* changes a request */
	int64_t created;   /* wall ms */
	bool suspended;	   /* by its reader */
	int64_t version;   /* counts its changes */
	int64_t
	    epoch; /* counts fresh starts (resumed, another URL, delivered again): failures are forgotten */
	int64_t round;		       /* counts redeliveries: ids of messages are new ones */
	char from[GW_HOOK_CURSOR_MAX]; /* where this round begins: a cursor */
	bool anew; /* and that is the beginning: the receiver is to be told, unless it is the first round */
};

enum gw_hook_state { GW_HOOK_VALIDATING, GW_HOOK_ACTIVE, GW_HOOK_SUSPENDED };
enum gw_hook_reason {
	GW_HOOK_NONE,
	GW_HOOK_ASKED,	 /* its reader did it */
	GW_HOOK_FAILING, /* no 2xx for too long */
	GW_HOOK_GONE,	 /* the receiver answered 410 */
	GW_HOOK_REVOKED, /* the view is not granted to the reader any more, or is not there */
	GW_HOOK_UNFIT,	 /* its select, filter or day do not fit the view as it is now */
	GW_HOOK_UNKEYED, /* the key that made or last changed it is not known any more */
};

struct gw_hook_pos {
	int64_t epoch, round; /* of the subscription, that this is about */
	char cursor
	    [GW_HOOK_CURSOR_MAX]; /* all before it has been delivered; "": it begins anew, with a reset */
	bool reset;		  /* the receiver is to be told that everything comes anew */
	enum gw_hook_state state;
	enum gw_hook_reason reason;
	int64_t failures;      /* in a row */
	int64_t failing_since; /* wall ms; 0: it is not */
	int64_t next;	       /* wall ms: not before; 0: at once */
	int64_t last_at;       /* wall ms of the last answer or failure; 0: never */
	int64_t last_status;   /* 0: no answer */
	char last_why[GW_HOOK_WHY_MAX];
	int64_t allowed_rate; /* requests a minute, as the receiver said; 0: no limit */
	int64_t delivered;    /* changes */
};

void gw_hook_sub_id(char out[GW_HOOK_ID_LEN + 1]);		   /* a new one */
struct gw_hook_sub *gw_hook_sub_new(void);			   /* zeroed; one reference */
struct gw_hook_sub *gw_hook_sub_copy(const struct gw_hook_sub *s); /* to be changed; one reference */
struct gw_hook_sub *gw_hook_sub_ref(struct gw_hook_sub *s);
void gw_hook_sub_unref(struct gw_hook_sub **s);
/* A fresh secret before the others, which sign until then (wall ms). The oldest gives way. */
void gw_hook_sub_rotate(struct gw_hook_sub *s, int64_t until);

/* The members a reader sees; the object stays open. */
void gw_hook_sub_show(const struct gw_hook_sub *s, struct bus_json_out *j);
void gw_hook_pos_show(const struct gw_hook_pos *p, struct bus_json_out *j);

/* For the topic, secrets and all. */
void gw_hook_sub_write(const struct gw_hook_sub *s, struct bus_buf *out);
void gw_hook_pos_write(const struct gw_hook_pos *p, struct bus_buf *out);
/* BUS_EDATA: not what the functions above write. */
enum bus_err gw_hook_sub_read(struct bus_str text, struct gw_hook_sub **out,
			      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_hook_pos_read(struct bus_str text, struct gw_hook_pos *out,
			      struct bus_error *err) BUS_MUSTCHECK;

/* Their names, in order. */
extern const char *const gw_hook_formats[4];
extern const char *const gw_hook_signatures[2];
extern const char *const gw_hook_states[3];
extern const char *const gw_hook_reasons[7]; /* "": none */

#endif

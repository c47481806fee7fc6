/* gateway/serve/policy.h - what the policy file says: who the readers are, and what each may see of which view.
 *
 * Strict YAML (deploy/demo/policy.yaml). A rule names its view, or every view ("*"), and columns by their
 * names: views come and go while the gateway runs, so names are kept, and gw_policy_grant makes of them what
 * they mean for a definition as it is. Of two rules for one view the later one in the file holds.
 * A column that the view of its rule does not have is a mistake when the file is read (BUS_EPARSE, file:line);
 * in a definition that comes later it means nothing. Rows limited by what is no scope column of a view: then
 * nothing of that view is granted. A view that is not there (yet) is told in the log.
 * Thread: a policy does not change once it is read.
 */
#ifndef GATEWAY_SERVE_POLICY_H
#define GATEWAY_SERVE_POLICY_H

#include "bus/crypto_sign.h"
#include "bus/error.h"
#include "gateway/engine/read.h"
#include "gateway/serve/quota.h"

#define GW_READER_NAME_MAX 64

struct gw_grant_rows; /* gateway/serve/access_rows.h */

struct gw_grant { /* by value: what a reader may see of one view */
	bool allowed;
	uint64_t shown; /* bit i: column i is in the answer */
	uint64_t clear; /* bit i: its value is given; a shown column without it is masked */
	const struct gw_scope *rows; /* the rows there are for this reader; NULL: all. Lives as long as gw_access */
	bool full; /* webhooks may carry rows with personal columns, not only where they are */
};

struct gw_names { /* of columns */
	bool given, all;
	char **name;
	size_t n;
};

struct gw_rule {
	char *view; /* "*": every one */
	struct gw_names columns, clear;
	const struct gw_scope *rows; /* NULL: all */
	bool full;
};

struct gw_topic_rule { /* records of a topic as they are */
	char *topic; /* "*": every one that the gateway materialises */
	const struct gw_scope *says; /* `clear` and its fields; NULL: nothing in clear */
};

#define GW_VERIFY_MAX 4

struct gw_signing { /* what is signed between us and a reader (RFC 9421) */
	bool answers; /* ours */
	bool must;    /* its requests: a key alone is not enough */
	uint8_t key[GW_VERIFY_MAX][BUS_ED25519_LEN]; /* public: whoever signs with one of them is this reader */
	size_t n;
};

struct gw_policy_reader {
	char name[GW_READER_NAME_MAX];
	bool status; /* may see topics and quality */
	bool define; /* may define, change and drop views */
	int64_t streams; /* most that are open at a time */
	struct gw_signing signing;
	struct gw_quota quota;
	struct gw_meter *meter; /* of the quota; gw_access binds it */
	struct gw_rule *rule;
	size_t n_rules;
	struct gw_topic_rule *topic;
	size_t n_topics;
	struct gw_publish_rule *publish;
	size_t n_publish;
	char **group; /* of consumers: whole names, or "BEGINNING*" */
	size_t n_groups;
	bool groups_said; /* else those that begin with its own name */
};

struct gw_publish_rule { /* a topic that records may be published to */
	char *topic;
	bool bytes; /* as bytes and JSON too, where no schema is registered */
};

#define GW_STREAMS_DEFAULT 20

struct gw_policy {
	struct gw_grant_rows **kept; /* limits to rows, which outlive the policy: set before it is loaded */
	struct gw_policy_reader *reader;
	size_t n;
};

bool gw_reader_name_ok(const char *name);
/* Appends the readers of the file to *p. */
enum bus_err gw_policy_load(const char *path, const struct gw_views *views, struct gw_policy *p,
			    struct bus_error *err) BUS_MUSTCHECK;
void gw_policy_release(struct gw_policy *p);
const struct gw_policy_reader *gw_policy_reader(const struct gw_policy *p, const char *name); /* NULL: none */
/* What a reader may see of a topic's records: NULL: nothing. own: the gateway materialises it. */
const struct gw_topic_rule *gw_policy_topic(const struct gw_policy_reader *r, const char *topic, bool own);
/* Whether a consumer group is the reader's. Where its rule says nothing: NAME, NAME-... and NAME...., unless a longer
 * name of another reader's has it. */
bool gw_policy_group(const struct gw_policy *p, const struct gw_policy_reader *r, const char *group);
struct gw_grant gw_policy_grant(const struct gw_policy_reader *r, const struct gw_view *v);

#endif

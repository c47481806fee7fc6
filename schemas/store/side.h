/* schemas/store/side.h - what the bus knows about schemas beside them: who uses which, and which are on their way
 * out.
 *
 * A compacted topic of one partition, `<registry topic>_titian`, so that Confluent's own registry never meets
 * records it does not know. Programs of the bus write what they use when they start; others say it over HTTP
 * (registry/side.c). Whoever writes a key last is right: no fence is needed.
 *
 *   {"keytype":"USE","program":"titian-gateway/gw-1"}
 *       {"owner":"Diskominfo","at":"2026-11-22T08:00:00Z","valid_s":604800,"uses":[
 *         {"kind":"view","name":"warga","subject":"pku.disdukcapil.penduduk.v1-value","fields":["nama"],
 *          "columns":{"nama":["nama_lengkap","inisial"]}}]}
 *   {"keytype":"STATE","subject":"s","version":3}
 *       {"state":"deprecated","sunset":"2027-01-31","successor":{"subject":"s","version":4},"note":"..."}
 *
 * A null value takes the record away; `valid_s` (may be missing) seconds after the record's time it counts no more: what
 * comes and goes, as one of several gateways does, says it again and again. `fields` are the names of the record's own fields; none: all of them. `columns`
 * (of views; may be missing): which of its own columns each of them is in; a field that is in none decides its rows.
 * Thread: any (one rwlock inside); what is passed to a callback is borrowed until it returns.
 */
#ifndef SCHEMAS_STORE_SIDE_H
#define SCHEMAS_STORE_SIDE_H

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/kafka.h"
#include "bus/json_out.h"

#define SCHEMA_SIDE_SUFFIX "_titian"
#define SCHEMA_SIDE_VALUE_MAX ((size_t)256 * 1024) /* bytes of one record's value */
#define SCHEMA_SIDE_USES_MAX 2000		   /* of one program */

struct schema_side;

enum bus_err schema_side_open(const struct bus_kafka_conf *kafka, const char *topic, int timeout_ms,
			      struct schema_side **out, struct bus_error *err) BUS_MUSTCHECK;
void schema_side_close(struct schema_side **s);

/* --- who uses what ---------------------------------------------------------------------------------- */

struct schema_use {
	const char *program; /* who said so */
	const char *owner;   /* the office that answers for it; "" */
	const char *at;	     /* when it said so, as it said it; "" */
	const char *kind;    /* "view", "adapter", "subscription", "service" */
	const char *name;
	const char *subject;
	const char *const *field;
	size_t n_fields; /* 0: all of them */
	/* Of each field: names of columns with a comma between them; "" none. NULL: not said. */
	const char *const *columns;
};

/* The member "columns" of a use, where it is said. */
void schema_use_put_columns(struct bus_json_out *j, const struct schema_use *u);
void schema_names_put(struct bus_json_out *j, const char *names); /* "a,b" -> ["a","b"] */

/* Every use of the subject (NULL: of any), by program, then as said. Of a subject, a view of several gateways, of which
 * all say the same, comes once. */
void schema_side_uses(struct schema_side *s, const char *subject,
		      void (*fn)(void *ctx, const struct schema_use *use), void *ctx);
bool schema_side_program(struct schema_side *s, const char *program); /* has said something */

/* A program's value, read and checked: BUS_EDATA says what is wrong. In the arena. *valid_s 0: for ever. */
enum bus_err schema_uses_read(struct bus_str json, const char *program, struct bus_arena *arena,
			      struct schema_use **out, size_t *n, int64_t *valid_s,
			      struct bus_error *err) BUS_MUSTCHECK;

/* --- what is on its way out ------------------------------------------------------------------------- */

struct schema_state {
	const char *sunset;	       /* "2027-01-31": gone from that day on; "": no day set */
	const char *successor_subject; /* "": none named */
	int successor_version;	       /* 0: the latest */
	const char *note;	       /* for people; "" */
	int64_t since_ms;	       /* when it was said: the record's time */
};

/* True: that version is deprecated; out in the arena. Cheap while nothing is. */
bool schema_side_state(struct schema_side *s, const char *subject, int version, struct bus_arena *arena,
		       struct schema_state *out);
/* A STATE value: BUS_EDATA. *deprecated false: {"state":"active"}. */
enum bus_err schema_state_read(struct bus_str json, struct bus_arena *arena, struct schema_state *out,
			       bool *deprecated, struct bus_error *err) BUS_MUSTCHECK;
void schema_state_put(struct bus_json_out *j, const struct schema_state *s); /* a whole object */

/* --- writing ---------------------------------------------------------------------------------------- */

void schema_side_use_key(const char *program, struct bus_buf *out);
void schema_side_state_key(const char *subject, int version, struct bus_buf *out);

/* Writes one record and waits until it is in the log; value NULL takes the key away. For a program that says
 * what it uses at its start, and for the registry's own thread. *offset may be NULL. */
enum bus_err schema_side_write(const struct bus_kafka_conf *kafka, const char *topic, struct bus_str key,
			       const struct bus_str *value, int timeout_ms, int64_t *offset,
			       struct bus_error *err) BUS_MUSTCHECK;
/* What the program uses, in place of what it said before (of each use: kind, name, subject, fields), for valid_s seconds (0:
 * for ever). When it
 * cannot be said (no such topic: no registry of ours) that is logged, `side.not_announced`, and nothing else:
 * at most some seconds. */
void schema_side_announce(const struct bus_kafka_conf *kafka, const char *schemas_topic, const char *program,
			  const char *owner, int64_t valid_s, const struct schema_use *use, size_t n);
enum bus_err schema_side_wait(struct schema_side *s, int64_t offset, int timeout_ms,
			      struct bus_error *err) BUS_MUSTCHECK;

#endif

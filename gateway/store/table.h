/* gateway/store/table.h - a topic's current rows as a typed SQLite table.
 *
 * pku.<opd>.<entity>.v1 becomes the table <opd>_<entity> (majors above 1: with _v<major>). Columns are the
 * fields of the newest registered schema (the reader's), after `_key` (primary: a register's Kafka key, an
 * event's field named by x_kunci), `_part`, `_off`, `_ts` (record timestamp, ms) and `_sid` (schema id it was
 * written with). Strings, enums and UUIDs are TEXT; int and long INTEGER; boolean INTEGER 0 or 1; date TEXT
 * ISO; timestamps TEXT ISO in WIB; float and double REAL; bytes BLOB; arrays, maps and records plain JSON.
 * A register is upserted, and a null value removes the row; of two events with one key the first stays.
 * Thread: the writer's.
 */
#ifndef GATEWAY_STORE_TABLE_H
#define GATEWAY_STORE_TABLE_H

#include "bus/arena.h"
#include "gateway/store/db.h"
#include "schemas/avro/columns.h"

struct gw_plan_slot { /* a writer's schema, resolved against the table's */
	int32_t id;
	struct schema_plan *plan; /* NULL: it cannot be read */
};

struct gw_table {
	char *topic;
	char *name;
	char *opd, *entity;
	bool is_register;
	struct schema *schema;
	int32_t schema_id;
	size_t n_fields;
	size_t key_field; /* of an event */
	struct gw_stmt *put, *remove;
	struct gw_plan_slot *plan;
	size_t n_plans;
	struct schema_columns *columns;
	struct gw_versions *versions; /* of a register that keeps its history (gateway/store/versions.h); else NULL */
};

/* "pku.dinkes.kunjungan.v1" -> its parts and table name. BUS_EINVAL: no topic of the catalogue. */
enum bus_err gw_table_name(const char *topic, char **name, char **opd, char **entity,
			   struct bus_error *err) BUS_MUSTCHECK;

/* Makes the table, or adds the columns that it lacks. Takes a reference to schema. BUS_ESCHEMA: fields that
 * no table can have. BUS_ECONFLICT: the table there has other types: it must be built anew. */
enum bus_err gw_table_open(struct gw_db *db, const char *topic, struct schema *schema, int32_t schema_id,
			   struct gw_table **out, struct bus_error *err) BUS_MUSTCHECK;
/* The same, under another name (NULL: its own). */
enum bus_err gw_table_open_as(struct gw_db *db, const char *topic, const char *name, struct schema *schema,
			      int32_t schema_id, struct gw_table **out, struct bus_error *err) BUS_MUSTCHECK;
void gw_table_close(struct gw_table **t);
/* The SQLite type of a field's column; "BLOB": bytes, or several kinds. */
const char *gw_table_column_type(const struct schema_node *type);

/* The plan for records written with schema id, or NULL when it has not been made yet. */
const struct gw_plan_slot *gw_table_plan(const struct gw_table *t, int32_t id);
/* Makes it; writer NULL: none, records with this id cannot be read. */
const struct gw_plan_slot *gw_table_add_plan(struct gw_table *t, int32_t id, struct schema *writer);

struct gw_row {		    /* where a row comes from */
	struct bus_str key; /* Kafka's; p NULL: none */
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms;
};

/* Decodes datum (Avro, without frame) and writes the row. BUS_EDATA, BUS_ETOOBIG: a record that cannot be
 * taken; other errors are the database's. */
enum bus_err gw_table_put(struct gw_table *t, const struct gw_plan_slot *plan, const struct gw_row *row,
			  struct bus_str datum, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_table_remove(struct gw_table *t, struct bus_str key, struct bus_error *err) BUS_MUSTCHECK;

#endif

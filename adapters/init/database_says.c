/* What the database itself says: types and the primary key, joined with what the values say. */
#include "adapters/init/database_impl.h"

static void set(struct adapter_init_guess *g, enum adapter_init_type type, const char *as)
{
	g->type = type;
	g->sure = ADAPTER_INIT_HIGH;
	snprintf(g->as, sizeof(g->as), "%s", as);
	snprintf(g->why, sizeof(g->why), "%s",
		 type == ADAPTER_INIT_TIME
		     ? "menurut basis data; waktu tanpa zona dianggap WIB / the database says so; a time "
		       "without zone is taken for WIB"
		     : "menurut basis data / the database says so");
}

static void doubt(struct adapter_init_guess *g, enum adapter_init_sure sure)
{
	size_t n = strlen(g->why);

	if (g->sure > sure)
		g->sure = sure;
	snprintf(g->why + n, sizeof(g->why) - n, "; basis data berkata lain / the database says otherwise");
}

static bool is_amount(enum adapter_init_type t)
{
	return t == ADAPTER_INIT_WHOLE || t == ADAPTER_INIT_RUPIAH || t == ADAPTER_INIT_DECIMAL;
}

/* Some databases (SQLite) take any value whatever the column's type: values that contradict it win. */
static void join(enum adapter_odbc_holds holds, uint64_t moments, struct adapter_init_guess *g)
{
	bool empty = g->filled == 0, number = empty || is_amount(g->type) || g->type == ADAPTER_INIT_CODE;

	switch (holds) {
	case ADAPTER_ODBC_HOLDS_WHOLE:
		if (number && g->type != ADAPTER_INIT_DECIMAL)
			set(g, ADAPTER_INIT_WHOLE, "whole");
		else if (number)
			set(g, ADAPTER_INIT_DECIMAL, "{decimal: \".\"}");
		else if (g->type == ADAPTER_INIT_TEXT)
			doubt(g, ADAPTER_INIT_LOW);
		break;
	case ADAPTER_ODBC_HOLDS_DECIMAL:
		if (number)
			set(g, ADAPTER_INIT_DECIMAL, "{decimal: \".\"}");
		else if (g->type == ADAPTER_INIT_TEXT)
			doubt(g, ADAPTER_INIT_LOW);
		break;
	case ADAPTER_ODBC_HOLDS_DATE:
		if (empty)
			set(g, ADAPTER_INIT_DATE, "{date: YYYY-MM-DD}");
		break;
	case ADAPTER_ODBC_HOLDS_TIME:
		if (empty || (moments > 0 && moments == g->filled))
			set(g, ADAPTER_INIT_TIME, "{time: \"YYYY-MM-DD hh:mm:ssf\"}");
		break;
	case ADAPTER_ODBC_HOLDS_TEXT:
		if (!empty && is_amount(g->type))
			doubt(g, ADAPTER_INIT_MEDIUM);
		break;
	case ADAPTER_ODBC_HOLDS_BYTES:
	case ADAPTER_ODBC_HOLDS_OTHER:
		break;
	}
}

void adapter_init_db_types(const struct adapter_init_db *db, struct adapter_init_guess *guess)
{
	for (size_t i = 0; i < db->n; i++)
		join(db->holds[i], db->moments[i], &guess[i]);
}

/* The primary key's columns in their order; false: it tells none, or one that is not among ours. */
static bool primary_key(struct adapter_init_db *db, struct adapter_init_key *key)
{
	struct adapter_init_key found = { .sure = ADAPTER_INIT_HIGH, .unique = true };
	unsigned long place[ADAPTER_INIT_KEY_PARTS];
	struct bus_buf name = { 0 }, word = { 0 };
	struct bus_error why;
	bool good = true;
	enum bus_err rc;

	adapter_odbc_bound(db->odbc, 0, DB_COUNT_S);
	rc = adapter_odbc_key(db->odbc, db->chosen->catalog, db->chosen->schema, db->chosen->name, &why);
	while (!rc && good && (rc = adapter_odbc_next(db->odbc, &why)) == BUS_OK) {
		size_t at, i = found.n;
		unsigned long p;

		if ((rc = adapter_init_db_word(db->odbc, 3, &name, &why)) ||
		    (rc = adapter_init_db_word(db->odbc, 4, &word, &why)))
			break;
		at = adapter_init_db_column_at(db, bus_buf_cstr(&name));
		good = at < db->n && found.n < ADAPTER_INIT_KEY_PARTS;
		/* Some drivers put the column's place in the table here: good enough for an order, and for no more. */
		p = strtoul(bus_buf_cstr(&word), NULL, 10);
		for (; good && i > 0 && place[i - 1] > p; i--) {
			place[i] = place[i - 1];
			found.part[i] = found.part[i - 1];
		}
		if (good) {
			place[i] = p;
			found.part[i] = at;
			found.n++;
		}
	}
	bus_buf_release(&name);
	bus_buf_release(&word);
	if (rc != BUS_ENOENT || !good || found.n == 0)
		return false;
	*key = found;
	return true;
}

void adapter_init_db_key(struct adapter_init_db *db, const struct adapter_init_guess *guess,
			 struct adapter_init_shape *shape, struct adapter_init_key *key)
{
	if (db->chosen && primary_key(db, key)) {
		for (size_t i = 0; i < key->n; i++)
			key->personal |= guess[key->part[i]].class != 'N';
		adapter_init_note(shape, ADAPTER_INIT_HIGH, false,
				  "kunci: kunci utama tabel / key: the table's primary key");
	} else if (db->total < 0 || (uint64_t)db->total > db->seen) {
		if (key->sure > ADAPTER_INIT_MEDIUM)
			key->sure = ADAPTER_INIT_MEDIUM;
		adapter_init_note(
		    shape, ADAPTER_INIT_MEDIUM, true,
		    "kunci: basis data tidak menyebut kunci utama; ditebak dari %llu baris / key: the "
		    "database tells no primary key; guessed from %llu rows",
		    (unsigned long long)db->seen, (unsigned long long)db->seen);
	}
}

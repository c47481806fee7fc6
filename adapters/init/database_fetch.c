/* How the drafted adapter fetches the table: the whole each time, or what changed. */
#include "adapters/init/database_impl.h"

/* A time that moves with every change, by its name; n: none. */
static size_t find_mark(const struct adapter_init_db *db, const struct adapter_init_guess *guess)
{
	static const char *const words[] = { "diubah",	  "updated", "update",	"modified",
					     "perubahan", "ubah",    "changed", "mutakhir" };

	for (size_t w = 0; w < BUS_LEN(words); w++)
		for (size_t i = 0; i < db->n; i++)
			if (guess[i].type == ADAPTER_INIT_TIME && guess[i].empty == 0 &&
			    db->moments[i] == guess[i].filled && strcasestr(db->name[i], words[w]))
				return i;
	return db->n;
}

static bool has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if ((*c < ' ' && *c != '\n') || *c == 0x7f)
			return true;
	return false;
}

/* As a block of YAML, each of its lines after indent. */
static void put_select(struct adapter_init_db *db, size_t mark, const char *indent, struct bus_buf *out)
{
	struct bus_buf sql = { 0 };

	bus_buf_puts(&sql, "SELECT ");
	for (size_t i = 0; i < db->n; i++) {
		bus_buf_puts(&sql, i > 0 ? ", " : "");
		adapter_odbc_put_name(db->odbc, db->name[i], &sql);
	}
	bus_buf_printf(&sql, db->chosen ? " FROM %s" : "\nFROM (%s\n) titian_q", bus_buf_cstr(&db->from));
	if (mark < db->n) {
		bus_buf_puts(&sql, "\nWHERE ");
		adapter_odbc_put_name(db->odbc, db->name[mark], &sql);
		bus_buf_puts(&sql, " > ? ORDER BY ");
		adapter_odbc_put_name(db->odbc, db->name[mark], &sql);
	}
	if (has_control(bus_buf_cstr(&sql))) { /* a column's name: YAML takes it as an escape alone */
		bus_buf_puts(out, "query: ");
		adapter_init_put_yaml(out, bus_buf_cstr(&sql));
	} else {
		bus_buf_puts(out, "query: |-\n");
		bus_buf_puts(out, indent);
		for (const char *p = bus_buf_cstr(&sql); *p; p++) {
			bus_buf_putc(out, *p);
			if (*p == '\n')
				bus_buf_puts(out, indent);
		}
	}
	bus_buf_release(&sql);
}

static void put_mark(const struct adapter_init_db *db, const struct adapter_init_guess *guess, size_t mark,
		     struct bus_buf *out)
{
	bus_buf_puts(out, "{column: ");
	adapter_init_put_yaml(out, db->name[mark]);
	bus_buf_puts(out, guess[mark].type == ADAPTER_INIT_TIME ? ", type: time, overlap: 1h}"
								: ", type: integer, overlap: 1000}");
}

static enum bus_err choose_mark(struct adapter_init_db *db, const struct adapter_init_guess *guess,
				size_t *mark, struct bus_error *err)
{
	const char *want = db->want->mark;

	*mark = find_mark(db, guess);
	if (!want) {
		if (db->total >= 0 && db->total <= ADAPTER_INIT_DB_WHOLE)
			*mark = db->n;
		return BUS_OK;
	}
	*mark = strcmp(want, "-") == 0 ? db->n : adapter_init_db_column_at(db, want);
	if (strcmp(want, "-") != 0 && (*mark == db->n || (guess[*mark].type != ADAPTER_INIT_TIME &&
							  guess[*mark].type != ADAPTER_INIT_WHOLE)))
		return bus_fail(err, BUS_EINVAL,
				"--mark %s: harus kolom waktu atau bilangan bulat yang hanya bertambah / "
				"must be a column "
				"of times or whole numbers that only grows",
				want);
	return BUS_OK;
}

static void note_way(const struct adapter_init_db *db, size_t mark, struct adapter_init_shape *shape)
{
	if (mark < db->n)
		adapter_init_note(shape, ADAPTER_INIT_MEDIUM, true,
				  "diambil yang berubah sejak '%s' terakhir; baris yang dihapus di sana "
				  "tidak terlihat / what changed "
				  "since the last '%s' is fetched; rows deleted there are not seen",
				  db->name[mark], db->name[mark]);
	else
		adapter_init_note(
		    shape, db->total > ADAPTER_INIT_DB_WHOLE ? ADAPTER_INIT_LOW : ADAPTER_INIT_MEDIUM,
		    db->total > ADAPTER_INIT_DB_WHOLE,
		    "diambil seluruhnya tiap kali; yang terbit hanya bedanya, dan yang hilang dihapus / the "
		    "whole is "
		    "fetched each time; only differences are published, and what is gone is removed");
}

enum bus_err adapter_init_db_fetch(struct adapter_init_db *db, const struct adapter_init_guess *guess,
				   struct adapter_init_shape *shape, struct bus_buf *out, bool *complete,
				   struct bus_error *err)
{
	size_t mark, other = find_mark(db, guess);
	enum bus_err rc = choose_mark(db, guess, &mark, err);

	if (rc)
		return rc;
	*complete = mark == db->n;
	note_way(db, mark, shape);
	bus_buf_puts(out, "fetch:\n  kind: sql\n  every: 15m\n  connection: ");
	adapter_init_put_yaml(out, db->connection);
	if (db->password_path) {
		bus_buf_puts(out, "\n  password_file: ");
		adapter_init_put_yaml(out, db->password_path);
	}
	bus_buf_puts(out, "\n  ");
	put_select(db, mark, "    ", out);
	if (mark < db->n) {
		bus_buf_puts(out, "\n  mark: ");
		put_mark(db, guess, mark, out);
	} else if (other < db->n) {
		bus_buf_puts(out, "\n  # Bila tabelnya besar, yang berubah saja (complete: false):\n"
				  "  # When the table is big, only what changed (complete: false):\n  # ");
		put_select(db, other, "  #   ", out);
		bus_buf_puts(out, "\n  # mark: ");
		put_mark(db, guess, other, out);
	}
	bus_buf_puts(out, "\n");
	return BUS_OK;
}

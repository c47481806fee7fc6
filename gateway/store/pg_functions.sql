-- The functions by which PostgreSQL gives what SQLite gives (gateway/store/pg_sql.h says where they are called).
-- Run by the owner of the schema at the gateway's start, when they are not these. All but _saat depend on nothing but
-- their arguments. Text is of the database's collation, which is C.

-- --- text --------------------------------------------------------------------------------------------------------

-- A real number as SQLite writes it: 15 digits, never without a point.
CREATE OR REPLACE FUNCTION titian._real(x float8) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET extra_float_digits = 0 AS $$
DECLARE s text := x::text;
BEGIN
	RETURN CASE WHEN s ~ '^-?Inf' THEN replace(s, 'inity', '')
	            WHEN strpos(s, '.') > 0 THEN s
	            WHEN strpos(s, 'e') > 0 THEN replace(s, 'e', '.0e')
	            ELSE s || '.0' END;
END $$;

CREATE OR REPLACE FUNCTION titian._text(x text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT x';
CREATE OR REPLACE FUNCTION titian._text(x bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT x::text';
CREATE OR REPLACE FUNCTION titian._text(x float8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT titian._real(x)';

CREATE OR REPLACE FUNCTION titian._join(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a || b';
CREATE OR REPLACE FUNCTION titian._join(a text, b bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a || b::text';
CREATE OR REPLACE FUNCTION titian._join(a bigint, b text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a::text || b';
CREATE OR REPLACE FUNCTION titian._join(a bigint, b bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a::text || b::text';
CREATE OR REPLACE FUNCTION titian._join(a text, b float8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a || titian._real(b)';
CREATE OR REPLACE FUNCTION titian._join(a float8, b text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT titian._real(a) || b';

-- LIKE: A-Z are a-z, a number its digits; nothing takes the next character as it is unless ESCAPE says so.
CREATE OR REPLACE FUNCTION titian._like(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT lower(a) LIKE lower(b) ESCAPE ''$$;
CREATE OR REPLACE FUNCTION titian._like(a text, b text, c text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT lower(a) LIKE lower(b) ESCAPE lower(c)$$;
CREATE OR REPLACE FUNCTION titian._like(a bigint, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT a::text LIKE lower(b) ESCAPE ''$$;

CREATE OR REPLACE FUNCTION titian._like(a float8, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT titian._real(a) LIKE lower(b) ESCAPE ''$$;

CREATE OR REPLACE FUNCTION titian._glob_expression(pattern text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	r text := '^';
	c text;
	i int := 1;
	e int;
BEGIN
	WHILE i <= length(pattern) LOOP
		c := substr(pattern, i, 1);
		IF c = '*' THEN
			r := r || '.*';
		ELSIF c = '?' THEN
			r := r || '.';
		ELSIF c = '[' THEN
			e := i + 1;
			IF substr(pattern, e, 1) = '^' THEN e := e + 1; END IF;
			IF substr(pattern, e, 1) = ']' THEN e := e + 1; END IF;
			WHILE e <= length(pattern) AND substr(pattern, e, 1) <> ']' LOOP e := e + 1; END LOOP;
			IF e > length(pattern) THEN RETURN '(?!)'; END IF; -- a class without an end matches nothing
			r := r || '[' || replace(replace(substr(pattern, i + 1, e - i - 1), '\', '\\'), '[', '\[') || ']';
			i := e;
		ELSIF c ~ '[A-Za-z0-9_]' OR ascii(c) > 127 THEN
			r := r || c;
		ELSE
			r := r || '\' || c;
		END IF;
		i := i + 1;
	END LOOP;
	RETURN r || '$';
END $$;
CREATE OR REPLACE FUNCTION titian._glob(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT a ~ titian._glob_expression(b)$$;
CREATE OR REPLACE FUNCTION titian._glob(a bigint, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT a::text ~ titian._glob_expression(b)$$;
CREATE OR REPLACE FUNCTION titian._glob(a float8, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT titian._real(a) ~ titian._glob_expression(b)$$;

CREATE OR REPLACE FUNCTION titian._instr(a text, b text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT strpos(a, b)::bigint';
CREATE OR REPLACE FUNCTION titian._length(a text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT char_length(a)::bigint';
CREATE OR REPLACE FUNCTION titian._length(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT char_length(a::text)::bigint';

-- From the end, from before the beginning, a length to the left: as SQLite counts.
CREATE OR REPLACE FUNCTION titian._substr_far(a text, p bigint, n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	len bigint := char_length(a);
	left_of boolean := n < 0;
BEGIN
	p := greatest(p, -2000000000);
	n := least(greatest(abs(n), 0), 2000000000);
	IF p < 0 THEN
		p := p + len;
		IF p < 0 THEN
			n := greatest(n + CASE WHEN left_of THEN 0 ELSE p END, 0);
			IF NOT left_of THEN p := 0; END IF;
		END IF;
	ELSIF p > 0 THEN
		p := p - 1;
	ELSIF n > 0 AND NOT left_of THEN
		n := n - 1;
	END IF;
	IF left_of THEN
		p := p - n;
		IF p < 0 THEN
			n := greatest(n + p, 0);
			p := 0;
		END IF;
	END IF;
	RETURN substr(a, (least(p, 2000000000) + 1)::int, least(n, 2000000000 - least(p, 2000000000))::int);
END $$;
CREATE OR REPLACE FUNCTION titian._substr(a text, p bigint, n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN p BETWEEN 1 AND 1000000000 AND n BETWEEN 0 AND 1000000000 THEN substr(a, p::int, n::int)
	              ELSE titian._substr_far(a, p, n) END$$;
CREATE OR REPLACE FUNCTION titian._substr(a text, p bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN p BETWEEN 1 AND 1000000000 THEN substr(a, p::int) ELSE titian._substr_far(a, p, 2000000000) END$$;

CREATE OR REPLACE FUNCTION titian._says(a text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT nullif(a, '')$$;
CREATE OR REPLACE FUNCTION titian._says(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a';
CREATE OR REPLACE FUNCTION titian._says(a float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a';

-- A value so that no other reads the same.
CREATE OR REPLACE FUNCTION titian._quote(a text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce(quote_literal(a), 'NULL')$$;
CREATE OR REPLACE FUNCTION titian._quote(a bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce(a::text, 'NULL')$$;
CREATE OR REPLACE FUNCTION titian._quote(a float8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce(a::text, 'NULL')$$;

CREATE OR REPLACE FUNCTION titian._typeof(a text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN a IS NULL THEN 'null' ELSE 'text' END$$;
CREATE OR REPLACE FUNCTION titian._typeof(a bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN a IS NULL THEN 'null' ELSE 'integer' END$$;
CREATE OR REPLACE FUNCTION titian._typeof(a float8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN a IS NULL THEN 'null' ELSE 'real' END$$;

-- --- numbers -----------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION titian._int(a text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
	$$SELECT least(greatest(coalesce(substring(a from '^[ \t\n\r\f\v]*([+-]?[0-9]+)'), '0')::numeric,
	                        -9223372036854775808), 9223372036854775807)::bigint$$;
CREATE OR REPLACE FUNCTION titian._int(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a';
CREATE OR REPLACE FUNCTION titian._int(a float8) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
	$$SELECT CASE WHEN a >= 9223372036854775807 THEN 9223372036854775807
	              WHEN a <= -9223372036854775808 THEN (-9223372036854775808)::bigint
	              ELSE trunc(a)::bigint END$$;
CREATE OR REPLACE FUNCTION titian._float(a text) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
	$$SELECT coalesce(substring(a from '^[ \t\n\r\f\v]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)'), '0')::float8$$;
CREATE OR REPLACE FUNCTION titian._float(a float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a';
CREATE OR REPLACE FUNCTION titian._sign(a float8) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT CASE WHEN a > 0 THEN 1::bigint WHEN a < 0 THEN -1::bigint WHEN a = 0 THEN 0::bigint END';

-- Halves go away from zero, and what is a half is told by the number's own bits.
CREATE OR REPLACE FUNCTION titian._round(a float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN abs(a) > 4503599627370496 THEN a ELSE trunc(a + CASE WHEN a < 0 THEN -0.5 ELSE 0.5 END::float8) + 0.0::float8 END$$;
CREATE OR REPLACE FUNCTION titian._exact(a float8) RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	bits bigint := ('x' || encode(float8send(abs(a)), 'hex'))::bit(64)::bigint;
	e int := (bits >> 52)::int;
	m numeric := (bits & 4503599627370495) + CASE WHEN e > 0 THEN 4503599627370496 ELSE 0 END;
BEGIN
	e := greatest(e, 1) - 1075;
	FOR i IN 1 .. abs(e) LOOP
		m := m * CASE WHEN e < 0 THEN 0.5 ELSE 2 END;
	END LOOP;
	RETURN CASE WHEN a < 0 THEN -m ELSE m END;
END $$;
CREATE OR REPLACE FUNCTION titian._round(a float8, n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN n IS NULL THEN NULL WHEN n <= 0 THEN titian._round(a) WHEN abs(a) > 4503599627370496 THEN a
	              ELSE round(titian._exact(a), least(n, 30)::int)::float8 END$$;

CREATE OR REPLACE FUNCTION titian._limit(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT CASE WHEN n >= 0 THEN n END';

CREATE OR REPLACE AGGREGATE titian._sum(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE titian._sum(float8) (SFUNC = float8pl, STYPE = float8, PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE titian._total(float8) (SFUNC = float8pl, STYPE = float8, INITCOND = '0', PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE titian._avg(float8) (SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, INITCOND = '{0,0,0}', PARALLEL = SAFE);

-- --- JSON --------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION titian._json(a text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce(to_json(a)::text, 'null')$$;
CREATE OR REPLACE FUNCTION titian._json(a bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce(a::text, 'null')$$;
CREATE OR REPLACE FUNCTION titian._json(a float8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce(titian._real(a), 'null')$$;
CREATE OR REPLACE FUNCTION titian._json_length(a text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
	$$SELECT CASE json_typeof(a::json) WHEN 'array' THEN json_array_length(a::json)::bigint ELSE 0 END$$;

-- --- our own (gateway/store/sqlfun.h) ----------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION titian._is_day(a text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT a ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}'$$;
CREATE OR REPLACE FUNCTION titian.usia_tahun(born text, at text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN titian._is_day(born) AND titian._is_day(at) THEN
	         substr(at, 1, 4)::bigint - substr(born, 1, 4)::bigint - (substr(at, 6, 5) < substr(born, 6, 5))::int END$$;
CREATE OR REPLACE FUNCTION titian.usia_bulan(born text, at text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN titian._is_day(born) AND titian._is_day(at) THEN
	         (substr(at, 1, 4)::bigint - substr(born, 1, 4)::bigint) * 12 + substr(at, 6, 2)::bigint - substr(born, 6, 2)::bigint
	         - (substr(at, 9, 2) < substr(born, 9, 2))::int END$$;

-- A name in its plain form (gateway/store/name.c): its letters and spaces, from the same tables.
DO $do$
DECLARE
	low text := '';
	up text := '';
	blank text := '';
	c int;
BEGIN
	FOR c IN SELECT generate_series(97, 122) LOOP
		low := low || chr(c); up := up || chr(c - 32);
	END LOOP;
	low := low || chr(181) || chr(255) || chr(305) || chr(383); up := up || chr(924) || chr(376) || 'IS';
	FOR c IN SELECT g FROM generate_series(224, 254) g WHERE g <> 247 LOOP
		low := low || chr(c); up := up || chr(c - 32);
	END LOOP;
	FOR c IN SELECT g FROM generate_series(256, 7935) g WHERE g <> 305 AND g <> 383 AND g % 2 = 1 AND
		(g <= 311 OR g BETWEEN 330 AND 375 OR g BETWEEN 478 AND 495 OR g BETWEEN 504 AND 543 OR g BETWEEN 546 AND 563 OR
		 g BETWEEN 7680 AND 7829 OR g BETWEEN 7840 AND 7935) LOOP
		low := low || chr(c); up := up || chr(c - 1);
	END LOOP;
	FOR c IN SELECT g FROM generate_series(313, 476) g WHERE g % 2 = 0 AND
		(g BETWEEN 313 AND 328 OR g BETWEEN 377 AND 382 OR g BETWEEN 461 AND 476) LOOP
		low := low || chr(c); up := up || chr(c - 1);
	END LOOP;
	FOR c IN SELECT unnest(ARRAY[9,10,11,12,13,28,29,30,31,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,
	                             8232,8233,8239,8287,12288]) LOOP
		blank := blank || chr(c);
	END LOOP;
	EXECUTE format($f$
		CREATE OR REPLACE FUNCTION titian._name_letters(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
		SELECT replace(replace(translate(name, %L, %L), %L, 'SS'), %L, %L) $body$ $f$,
		low || blank || chr(8216) || chr(8217) || '`', up || repeat(' ', length(blank)) || '''''''',
		chr(223), chr(329), chr(700) || 'N');
END $do$;
-- What is not there is not looked for: most names are of plain letters, without titles.
CREATE OR REPLACE FUNCTION titian.nama_baku(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	t text := split_part(name, ',', 1);
BEGIN
	IF t ~ '^[A-Za-z .]*$' THEN
		t := upper(t);
	ELSE
		t := titian._name_letters(t);
	END IF;
	IF strpos(t, '  ') > 0 THEN t := regexp_replace(t, ' +', ' ', 'g'); END IF;
	t := btrim(t, ' ');
	IF strpos(t, '.') > 0 THEN t := regexp_replace(t, '^((H|HJ|DR|DRA|DRS|IR|DRG|PROF)\.( |$))+', ''); END IF;
	RETURN t;
END $$;

-- Milliseconds since 1970 as a time in WIB; milliseconds only where there are any.
CREATE OR REPLACE FUNCTION titian.waktu(ms bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT to_char(timestamp '1970-01-01' + (ms + 25200000) * interval '1 millisecond',
	                 CASE WHEN ms % 1000 = 0 THEN 'YYYY-MM-DD"T"HH24:MI:SS"+07:00"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.MS"+07:00"' END)$$;

-- What gw_db_moment set on this connection.
CREATE OR REPLACE FUNCTION titian._saat() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
	$$SELECT current_setting('titian.saat')::bigint$$;

"""store: postgres. The sample city on a second gateway whose store is a real PostgreSQL: every view, feed, question and
figure of truth.json as the first one (SQLite) has them; what PostgreSQL would say otherwise is refused; and a small
gateway whose server and self are killed again and again while it loads."""
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

import pytest

import titian
from conftest import ROOT, WORK, free_ports, wait_for
from own_gateway import OwnGateway, Topic

sys.path.insert(0, str(ROOT / "tests" / "support"))
from postgres import Postgres  # noqa: E402

TRUTH = ROOT / "deploy/demo/truth.json"
KILLS = int(os.environ.get("POSTGRES_KILLS", "2"))


@pytest.fixture(scope="module")
def server():
    server = Postgres()
    yield server
    server.stop()


def more(server):
    return "store: postgres\npostgres: {conninfo: '%s'}\nwebhooks: {deliver: false, topic: _titian_webhooks_pg}\n" % server.conninfo


class Second(OwnGateway):
    """The sample's gateway once more, with another store: its topics, views, policy and keys."""

    def __init__(self, sample, server):
        self.dir = WORK / "postgres"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        port = free_ports(2)
        self.url, self.ops = "http://127.0.0.1:%d" % port, "http://127.0.0.1:%d" % (port + 1)
        text = (sample.dir / "conf/gateway.yaml").read_text()
        text = re.sub(r"(http:\n.*\n  port: )\d+", r"\g<1>%d" % port, text)
        text = re.sub(r"(ops:\n.*\n  port: )\d+", r"\g<1>%d" % (port + 1), text)
        text = re.sub(r"path: .*city.db", "path: %s/city.db" % self.dir, text)
        text = re.sub(r"webhooks:.*\n  allow:.*\n", "", text)
        (self.dir / "gateway.yaml").write_text(text + more(server))
        self.process, self.key = None, sample.city.key
        (self.dir / "demo.env").write_text("TITIAN_URL=%s\nTITIAN_KEY=%s\n" % (self.url, self.key))
        self.city = titian.City(str(self.dir))

    def changes(self, view, after=None, day=None):
        """(rows by key as the feed makes them, cursor)"""
        query = {"until": "now", **({"after": after} if after else {}), **({"per_tanggal": day} if day else {})}
        status, _, body = self.request("/v1/views/%s/changes?%s" % (view, urllib.parse.urlencode(query)),
                                       accept="application/x-ndjson")
        assert status == 200, body[:300]
        return [json.loads(line) for line in body.splitlines() if line]


@pytest.fixture(scope="module")
def second(sample, server):
    sample.idle()
    own = Second(sample, server).start()
    wait_for(lambda: own.get("/v1/topics")["idle"], 120, "the second gateway to be idle")
    yield own
    own.stop()


@pytest.fixture(scope="module")
def day():
    return json.loads(TRUTH.read_text())["parameter"]["per_tanggal"]


def views(sample):
    return {v["name"]: v for v in sample.city.get("/v1/views")}


def test_every_view_has_the_same_rows_in_the_same_order(sample, second, day):
    about = views(sample)
    assert len(about) > 20 and set(about) == set(views(second))
    for name, view in about.items():
        query = {"per_tanggal": day} if view["dated"] else {}
        assert list(second.city.rows(name, **query)) == list(sample.city.rows(name, **query)), name


def test_every_figure_of_the_truth_is_found(second):
    run = subprocess.run([sys.executable, str(ROOT / "deploy/demo/check.py"), str(second.dir), str(TRUTH)],
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr
    assert run.stdout.splitlines()[-1].endswith(" equal, 0 different")


def test_the_feed_of_every_view_adds_up_to_the_view(sample, second, day):
    for name, view in views(sample).items():
        if name == "warga":
            continue  # the longest; it is what most others are made of
        told, query = second.changes(name, day=day if view["dated"] else None), {}
        assert told[-1]["event"] == "up-to-date"
        if view["dated"]:
            query = {"per_tanggal": day}
        rows = {c["key"]: c["row"] for c in told[:-1] if c["event"] == "upsert"}
        assert rows == {str(r[view["key"]]): r for r in sample.city.rows(name, **query)}, name


@pytest.mark.parametrize("question", [
    "kelayakan_bansos?kode_kel=like.14710*&order=status_hidup.desc,id_subjek&limit=50",
    "kelayakan_bansos?or=(status_hidup.eq.MENINGGAL,njop_kelas.ilike.*jt)&select=id_subjek,njop_kelas&order=kode_kel.desc.nullslast&limit=40",
    "pbi_jk_anomali?order=tgl_mati.asc.nullsfirst&limit=30&offset=3",
    "penduduk_per_tahun_lahir?jumlah=gte.3&jumlah=lt.9&order=jumlah.desc,sel&limit=100",
    "pbi_jk_anomali?tidak_dikenal=is.true&limit=20",
    "kualitas_umpan?persen_diterima=lt.99.5",
])
def test_questions_have_the_same_answers(sample, second, question):
    path = "/rest/v1/" + question
    want = sample.request(path, headers={"Prefer": "count=exact"})
    got = second.request(path, headers={"Prefer": "count=exact"})
    assert want[0] in (200, 206), want[2]
    assert json.loads(got[2]) == json.loads(want[2]) != []
    assert got[0] == want[0] and got[1]["Content-Range"] == want[1]["Content-Range"]


def test_a_row_has_the_same_form_alone(sample, second):
    some = [r["id_subjek"] for r in sample.city.rows("kelayakan_bansos", limit=1000)][::97]
    for key in some:
        assert second.get("/v1/views/kelayakan_bansos/" + key) == sample.city.get("/v1/views/kelayakan_bansos/" + key)


def test_what_is_not_on_postgres_is_said(second):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for question in ("kematian?provenance=true&limit=1", "tunggakan_pbb_per_kecamatan?as_of=" + now):
        status, _, body = second.request("/v1/views/" + question)
        assert status == 400 and "not told by a store on PostgreSQL" in body.decode(), (status, body[:400])


def test_readers_may_read_and_nothing_else(server, second):
    with pytest.raises(RuntimeError, match="permission denied"):
        server.sql('SET ROLE titian_reader; DELETE FROM titian."warga";')
    with pytest.raises(RuntimeError, match="permission denied"):
        server.sql("SET ROLE titian_reader; CREATE TABLE titian.x(a int);")
    assert int(server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'titian-gateway'")) >= 2


def test_the_tests_of_the_shipped_views_pass():
    """The 13 given and expected, each with its views computed afresh."""
    own = Postgres()
    try:
        tested = [ROOT / "gateway/views" / (f.stem + ".sql") for f in sorted((ROOT / "gateway/views/tests").glob("*.yaml"))]
        run = subprocess.run([str(ROOT / "build/release/bin/titian-gateway"), "view", "test", "--store", own.store,
                              *map(str, tested)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    finally:
        own.stop()
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
    assert run.stdout.splitlines()[-1].startswith("13 ")


CITUS = """
CREATE FUNCTION public.create_distributed_table(t regclass, c text, colocate_with text DEFAULT 'default') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF colocate_with <> 'default' THEN PERFORM colocate_with::regclass; END IF;
	-- As Citus: the column is in every unique index.
	IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = t AND attname = c) OR EXISTS (
		SELECT 1 FROM pg_index i WHERE indrelid = t AND indisunique AND NOT EXISTS (
			SELECT 1 FROM pg_attribute a WHERE a.attrelid = t AND a.attname = c AND a.attnum = ANY(i.indkey))) THEN
		RAISE EXCEPTION '% cannot be distributed by %', t, c;
	END IF;
END $$;
CREATE FUNCTION public.create_reference_table(t regclass) RETURNS void LANGUAGE sql AS 'SELECT';
"""


def test_the_statements_for_citus_fit_the_tables(server, second):
    text = (ROOT / "docs/growing-postgres.md").read_text()
    statements = re.findall(r"```sql\n(.*?)```", text, re.S)[0]
    assert statements.count("SELECT create_") == 12
    server.sql(CITUS, user="admin")
    server.sql("SET search_path = public; " + statements)
    with pytest.raises(RuntimeError, match="cannot be distributed"):
        server.sql("SET search_path = public; SELECT create_distributed_table('titian.dinkes_kunjungan', 'id_subjek')")


def test_views_made_by_chance_are_the_same_on_both():
    """A small share of `make soak-postgres`: against another SQLite, with kills, feeds, parts."""
    run = subprocess.run(["make", "-s", "--no-print-directory", "soak-postgres", "VIEWS_RANDOM=5"], cwd=ROOT, capture_output=True, text=True,
                         timeout=1800)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert "views: 5" in run.stdout


def test_a_silent_server_is_not_waited_for():
    program = "build/asan/unit/test_pg_silent"
    subprocess.run(["make", "-s", "--no-print-directory", "-j2", "CONFIG=asan", program], cwd=ROOT, check=True, timeout=1800)
    run = subprocess.run([str(ROOT / "tests/support/postgres.py"), program], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0 and "[  PASSED  ] 1 test" in run.stdout + run.stderr, run.stdout[-3000:] + run.stderr[-3000:]


# --- a gateway of its own, killed ------------------------------------------------------------------------------------

SCHEMA = {"type": "record", "name": "Simpan", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string"}, {"name": "kel", "type": ["null", "string"], "default": None},
                     {"name": "nama", "type": "string"}, {"name": "n", "type": "int"}]}
HEAD = """/*---
name: %s
key: %s
%s
columns:
%s
---*/
%s
"""
VIEWS = {
    "simpan_baris": HEAD % ("simpan_baris", "id", "scope: [kel]\nroutes: {uji_simpan: _key}",
                            "  id: {type: text, pdp: P}\n  kel: {type: text, pdp: N}\n  nama: {type: text, pdp: U}\n"
                            "  n: {type: int, pdp: N}\n  genap: {type: bool, pdp: N}",
                            "SELECT _key AS id, kel, upper(nama) AS nama, n, n % 2 = 0 AS genap FROM uji_simpan"),
    "simpan_jumlah": HEAD % ("simpan_jumlah", "kel", "store: full\npace: group\nroutes: {uji_simpan: kel}",
                             "  kel: {type: text, pdp: N}\n  orang: {type: int, pdp: N}\n  semua: {type: int, pdp: N}",
                             "SELECT kel, count(*) AS orang, sum(n) AS semua FROM uji_simpan WHERE kel IS NOT NULL GROUP BY kel"),
}
POLICY = "readers:\n  uji:\n    status: true\n    define: true\n    views:\n      \"*\": {clear: [\"*\"]}\n"


@pytest.fixture(scope="module")
def killed():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def topic(apart):
    return Topic(apart, "pku.uji.simpan.v1", SCHEMA, partitions=2)


@pytest.fixture(scope="module")
def own(apart, killed, topic):
    gateway = OwnGateway(apart, "postgres-own", [topic], VIEWS, POLICY,
                         more=more(killed) + "definitions: {topic: _titian_views_pg}\n")
    yield gateway.start()
    gateway.stop()


def test_kills_of_the_gateway_and_of_the_server_while_it_loads_lose_and_repeat_nothing(own, killed, topic):
    chance = random.Random(7)
    held, last, seen = {}, {}, ""
    for turn in range(KILLS):
        for i in range(1500):
            key = "k%d" % chance.randrange(2000)
            last[key] = None if chance.random() < 0.1 else {
                "id": key, "kel": chance.choice(["t1", "t2", None]), "nama": "n%d" % i, "n": chance.randrange(1000)}
            topic.put(key, last[key])
        topic.flush()
        time.sleep(chance.uniform(0, 0.3))  # the moment is chance's; nothing is awaited here
        if turn % 2:
            killed.kill()
            killed.start()
        else:
            own.kill()
            own.start()
        seen = follow(own, seen, held, 1)
    want = {k: v for k, v in last.items() if v}
    wait_for(lambda: own.ready() and own.get("/v1/topics")["idle"] and
             own.get("/v1/topics")["topics"][0]["rows"] == len(want), 60, "what was sent")
    assert own.get("/v1/topics")["topics"][0]["gaps"] == 0
    rows = [{"id": k, "kel": v["kel"], "nama": v["nama"].upper(), "n": v["n"], "genap": v["n"] % 2 == 0}
            for k, v in sorted(want.items())]
    assert all_rows(own, "simpan_baris") == rows
    sums = {}
    for v in want.values():
        if v["kel"]:
            orang, semua = sums.get(v["kel"], (0, 0))
            sums[v["kel"]] = orang + 1, semua + v["n"]
    assert all_rows(own, "simpan_jumlah") == [{"kel": k, "orang": o, "semua": s} for k, (o, s) in sorted(sums.items())]
    # The cursor that a reader had before all kills still leads to just this.
    follow(own, seen, held, 1000)
    assert [held[k] for k in sorted(held)] == rows


def all_rows(own, view):
    return own.get("/v1/views/%s?limit=10000" % view)


def follow(own, cursor, held, times):
    """Applies what the feed tells to held; the cursor to go on from. A number is never told twice."""
    for _ in range(times):
        def ask():
            try:
                status, _, body = own.request("/v1/views/simpan_baris/changes?" + ("after=" + cursor if cursor else ""))
            except http.client.HTTPException:
                return None  # cut off in the middle: asked again with the same cursor
            return json.loads(body) if status == 200 else None
        answer = wait_for(ask, 60, "an answer")
        for change in answer["changes"]:
            if change["event"] == "delete":
                held.pop(change["key"], None)
            else:
                held[change["key"]] = change["row"]
        if not answer["changes"] and answer["cursor"] == cursor:
            break
        cursor = answer["cursor"]
    return cursor


def test_a_view_that_postgres_would_answer_otherwise_is_refused_in_plain_words(own):
    text = VIEWS["simpan_baris"].replace("simpan_baris", "simpan_lain").replace("n % 2 = 0", "json_extract('[true]', '$[0]')")
    status, _, body = own.request("/v1/views/simpan_lain?apply=true", method="PUT", body=text.encode(),
                                  headers={"Content-Type": "text/plain"})
    assert status in (200, 202), body[:500]

    def refused():
        state = own.get("/v1/views/simpan_lain/state")
        return json.dumps(state) if state.get("state") not in ("waiting", "building", "running") else None
    why = wait_for(refused, 30, "the definition to be refused")
    assert "the PostgreSQL store does not take this: function 'json_extract'" in why


def test_a_database_that_compares_text_otherwise_ends_the_start(apart, killed, topic):
    killed.sql("CREATE DATABASE salah OWNER titian TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'", user="admin", database="postgres")
    wrong = OwnGateway(apart, "postgres-wrong", [topic], VIEWS, POLICY,
                       more=more(killed).replace("dbname=titian", "dbname=salah") + "definitions: {topic: ''}\n")
    with pytest.raises(AssertionError, match="text must compare by its bytes"):
        wrong.start()


def test_roles_that_may_do_too_much_end_the_start(apart, killed, topic):
    def admin(text):
        killed.sql(text, user="admin", database="postgres")
    admin("CREATE DATABASE kuasa OWNER titian TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    admin("CREATE ROLE atasan NOLOGIN SUPERUSER")
    gateway = OwnGateway(apart, "postgres-powers", [topic], VIEWS, POLICY,
                         more=more(killed).replace("dbname=titian", "dbname=kuasa") + "definitions: {topic: ''}\n")
    for give, take, name in (("ALTER ROLE titian BYPASSRLS", "ALTER ROLE titian NOBYPASSRLS", "BYPASSRLS titian"),
                             ("ALTER ROLE titian CREATEROLE", "ALTER ROLE titian NOCREATEROLE", "CREATEROLE titian"),
                             ("ALTER ROLE titian_reader REPLICATION", "ALTER ROLE titian_reader NOREPLICATION", "REPLICATION titian_reader"),
                             ("GRANT atasan TO titian", "REVOKE atasan FROM titian", "superuser atasan"),
                             ("GRANT pg_execute_server_program TO titian_reader", "REVOKE pg_execute_server_program FROM titian_reader",
                              "pg_execute_server_program")):
        admin(give)
        try:
            with pytest.raises(AssertionError, match="may do too much .*" + name):
                gateway.start()
        finally:
            admin(take)
    gateway.start()
    gateway.stop()

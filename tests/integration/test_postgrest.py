"""PostgREST's own clients, unchanged, against the gateway: postgrest-js and postgrest (Python). What they must get is
worked out here in Python from all rows of the view, read page by page."""
import json
import os
import subprocess
import sys

import pytest
from postgrest import APIError, SyncPostgrestClient

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "clients"))
import clients  # noqa: E402

JS = clients.Client("postgrest-js", "@supabase/postgrest-js", ["node", "client.js"], clients.NPM, ["node", "npm"])
VIEW = "kelayakan_bansos"
KEY = "id_subjek"
# JavaScript's name of a method -> Python's
PYTHON = {"in": "in_", "is": "is_", "or": "or_", "maybeSingle": "maybe_single"}


@pytest.fixture(scope="module")
def rows(sample):
    """All rows in order of the key, by following Link."""
    out, path = [], "/v1/views/%s?limit=700" % VIEW
    while path:
        status, headers, body = sample.request(path)
        assert status == 200
        out += json.loads(body)
        links = dict(reversed(l.strip("<").split('>; rel="')) for l in (headers["Link"] or "").rstrip('"').split('", '))
        path = links.get("next")
    assert len(out) > 1500 and len({r[KEY] for r in out}) == len(out)
    assert [r[KEY] for r in out] == sorted(r[KEY] for r in out)
    return out


@pytest.fixture(scope="module")
def javascript(sample):
    if JS.missing():
        pytest.skip("not on this machine: " + ", ".join(JS.missing()))
    JS.prepare()

    def ask(questions):
        env = dict(os.environ, BASE=sample.city.url + "/rest/v1", KEY=sample.city.key)
        done = subprocess.run(JS.command, cwd=JS.home, env=env, capture_output=True, text=True, timeout=120,
                              input=json.dumps(questions))
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)
    return ask


@pytest.fixture(scope="module")
def python(sample):
    with SyncPostgrestClient(sample.city.url + "/rest/v1", headers={"Authorization": "Bearer " + sample.city.key}) as client:
        yield client


def ask_python(client, view, calls):
    question = client.from_(view)
    for method, *args in calls:
        named = {}
        if method == "select":
            options = args[1] if len(args) > 1 else {}
            args, named = args[0].split(","), dict(options)
        elif method == "order":
            options = args[1] if len(args) > 1 else {}
            args, named = args[:1], {"desc": not options.get("ascending", True)}
            if "nullsFirst" in options:
                named["nullsfirst"] = options["nullsFirst"]
        elif method == "not":
            column, op, value = args
            question = getattr(question.not_, PYTHON.get(op, op))(column, value.strip("()").split(",") if op == "in" else value)
            continue
        question = getattr(question, PYTHON.get(method, method))(*args, **named)
    return question.execute()


def order(rows, *by):
    """Stable sorts from the last to the first; null is the greatest, as in PostgreSQL, unless said otherwise."""
    out = sorted(rows, key=lambda r: r[KEY])
    for column, down, nulls_first in reversed(by):
        nulls = [r for r in out if r[column] is None]
        some = sorted((r for r in out if r[column] is not None), key=lambda r: r[column], reverse=down)
        out = nulls + some if nulls_first else some + nulls
    return out


def only(rows, *columns):
    return [{c: r[c] for c in columns} for r in rows]


# name -> (calls, what the rows must be, count): select comes first, as both clients want it
ALL = ["select", "*"]


def questions(rows):
    kel = rows[7]["kode_kel"]
    two = sorted({r["kode_kel"] for r in rows if r["kode_kel"]})[:2]
    kec = kel[:6]
    most = max((r["status_hidup"] for r in rows), key=[r["status_hidup"] for r in rows].count)
    keys = [rows[5][KEY], rows[3][KEY]]
    holds = lambda f: [r for r in rows if f(r)]
    yield [ALL, ["limit", 5]], rows[:5]
    yield [["select", "id_subjek,kelurahan:kode_kel"], ["limit", 3]], [
        {"id_subjek": r[KEY], "kelurahan": r["kode_kel"]} for r in rows[:3]]
    yield [ALL, ["range", 40, 59]], rows[40:60]
    yield [ALL, ["eq", "kode_kel", kel], ["limit", 1000]], holds(lambda r: r["kode_kel"] == kel)
    yield [ALL, ["neq", "status_hidup", most], ["limit", 1000]], holds(lambda r: r["status_hidup"] not in (None, most))
    yield [ALL, ["gt", "kode_kel", kel], ["lte", "kode_kel", kec + "9999"], ["limit", 1000]], holds(
        lambda r: r["kode_kel"] and kel < r["kode_kel"] <= kec + "9999")
    yield [ALL, ["like", "kode_kel", kec + "%"], ["limit", 1000]], holds(lambda r: (r["kode_kel"] or "").startswith(kec))
    yield [ALL, ["like", "kode_kel", kec + "*"], ["limit", 1000]], holds(lambda r: (r["kode_kel"] or "").startswith(kec))
    yield [ALL, ["like", "status_hidup", most.lower()]], []
    yield [ALL, ["ilike", "status_hidup", most.lower()[:2] + "_%"], ["limit", 10]], holds(lambda r: r["status_hidup"] == most)[:10]
    yield [ALL, ["in", "kode_kel", two], ["limit", 1000]], holds(lambda r: r["kode_kel"] in two)
    yield [ALL, ["in", "id_subjek", keys + ["a,b", "c)"]]], [rows[3], rows[5]]
    yield [ALL, ["in", "id_subjek", []]], []
    yield [ALL, ["not", "kode_kel", "in", "(%s)" % ",".join(two)], ["limit", 10]], holds(
        lambda r: r["kode_kel"] is not None and r["kode_kel"] not in two)[:10]
    yield [ALL, ["is", "njop_kelas", None], ["limit", 50]], holds(lambda r: r["njop_kelas"] is None)[:50]
    yield [ALL, ["is", "asn_di_keluarga", True], ["limit", 1000]], holds(lambda r: r["asn_di_keluarga"] is True)
    yield [ALL, ["not", "njop_kelas", "is", None], ["limit", 50]], holds(lambda r: r["njop_kelas"] is not None)[:50]
    yield [ALL, ["eq", "domisili_kota", True], ["limit", 30]], holds(lambda r: r["domisili_kota"] is True)[:30]
    yield [ALL, ["or", "status_hidup.neq.%s,and(kode_kel.eq.%s,asn_di_keluarga.is.true)" % (most, kel)], ["limit", 1000]], holds(
        lambda r: r["status_hidup"] not in (None, most) or (r["kode_kel"] == kel and r["asn_di_keluarga"]))
    yield [ALL, ["match", {"kode_kel": kel, "status_hidup": most}], ["limit", 1000]], holds(
        lambda r: r["kode_kel"] == kel and r["status_hidup"] == most)
    yield [ALL, ["order", "kode_kel", {"ascending": False}], ["limit", 200]], order(rows, ("kode_kel", True, True))[:200]
    yield [["select", "id_subjek,njop_kelas,kode_kel"], ["order", "njop_kelas", {"ascending": True, "nullsFirst": True}],
           ["order", "kode_kel", {"ascending": False, "nullsFirst": False}], ["range", 100, 399]], only(
        order(rows, ("njop_kelas", False, True), ("kode_kel", True, False))[100:400], KEY, "njop_kelas", "kode_kel")


def test_both_clients_read_what_python_works_out(sample, rows, javascript, python):
    asked = list(questions(rows))
    for (calls, want), got in zip(asked, javascript([[VIEW, calls] for calls, _ in asked])):
        assert got["error"] is None, (calls, got)
        assert got["data"] == want, calls
        assert got["status"] == 200
    for calls, want in asked:
        assert ask_python(python, VIEW, calls).data == want, calls


def test_they_are_told_how_many_there_are(rows, javascript, python):
    kec = rows[7]["kode_kel"][:6]  # one of 15: a sample of 1,000 of these rows finds some 67
    n = sum((r["kode_kel"] or "").startswith(kec) for r in rows)
    for how, low, high in (("exact", n, n), ("planned", n / 2, n * 2), ("estimated", n / 2, n * 2)):
        calls = [["select", "*", {"count": how}], ["like", "kode_kel", kec + "*"], ["limit", 2]]
        got, = javascript([[VIEW, calls]])
        assert low <= got["count"] <= high and len(got["data"]) == 2
        assert got["status"] == (206 if got["count"] > 2 else 200)
        assert low <= ask_python(python, VIEW, calls).count <= high
    head = [["select", "*", {"count": "exact", "head": True}]]
    got, = javascript([[VIEW, head]])
    assert (got["count"], got["data"]) == (len(rows), None)
    assert ask_python(python, VIEW, head).count == len(rows)


def test_one_row_is_one_or_a_plain_no(rows, javascript, python):
    key = rows[11][KEY]
    one = [ALL, ["eq", KEY, key]]
    none, many = [ALL, ["eq", KEY, "nobody"]], [ALL, ["limit", 5]]
    got = javascript([[VIEW, c + [[m]]] for c in (one, none, many) for m in ("single", "maybeSingle")])
    assert [g["data"] for g in got] == [rows[11], rows[11], None, None, None, None]
    assert [g["status"] for g in got] == [200, 200, 406, 200, 406, 406]
    assert got[2]["error"]["code"] == got[4]["error"]["code"] == "PGRST116"
    assert got[2]["error"]["details"] == "The result contains 0 rows"
    assert ask_python(python, VIEW, one + [["single"]]).data == rows[11]
    assert ask_python(python, VIEW, one + [["maybeSingle"]]).data == rows[11]
    assert ask_python(python, VIEW, none + [["maybeSingle"]]) is None
    with pytest.raises(APIError) as no:
        ask_python(python, VIEW, none + [["single"]])
    assert no.value.code == "PGRST116"


def test_csv_and_nulls_left_out(rows, javascript, python):
    calls = [["select", "id_subjek,kode_kel"], ["limit", 3]]
    want = "id_subjek,kode_kel\r\n" + "".join("%s,%s\r\n" % (r[KEY], r["kode_kel"] or "") for r in rows[:3])
    got, bare = javascript([[VIEW, calls + [["csv"]]], [VIEW, [ALL, ["limit", 9], ["stripNulls"]]]])
    assert got["data"] == want
    assert ask_python(python, VIEW, calls + [["csv"]]).data == want
    assert bare["data"] == [{k: v for k, v in r.items() if v is not None} for r in rows[:9]]


REFUSED = [
    ([ALL, ["eq", "kode_kell", "1"]], 400, "column-unknown", "kode_kel"),
    ([["select", "id_subjek,nam_kel"]], 400, "column-unknown", ""),
    ([["select", "id_subjek,keluarga(no_kk)"]], 400, "not-offered", ""),
    ([ALL, ["textSearch", "kode_kel", "a"]], 400, "not-offered", "ilike"),
    ([ALL, ["contains", "kode_kel", ["a"]]], 400, "not-offered", ""),
    ([ALL, ["filter", "kode_kel", "eqq", "1"]], 400, "operator-unknown", "kode_kel=eq.VALUE"),
    ([ALL, ["eq", "padan_dukcapil", "perhaps"]], 400, "parameter-invalid", ""),
    ([ALL, ["limit", 10001]], 400, "range-too-large", ".csv"),
    ([ALL, ["range", 20000, 20010]], 400, "range-too-large", ".csv"),
    ([["insert", {"id_subjek": "x"}]], 405, "method-refused", ""),
    ([["update", {"kode_kel": "x"}], ["eq", "id_subjek", "x"]], 405, "method-refused", ""),
    ([["delete"], ["eq", "id_subjek", "x"]], 405, "method-refused", ""),
    ([["upsert", {"id_subjek": "x"}]], 405, "method-refused", ""),
]


def test_what_is_refused_is_said_where_the_clients_look_for_it(javascript, python):
    for (calls, status, code, hint), got in zip(REFUSED, javascript([[VIEW, c[0]] for c in REFUSED])):
        assert (got["status"], got["error"]["code"]) == (status, code), calls
        assert got["data"] is None and got["error"]["message"]
        assert hint in (got["error"]["hint"] or ""), got
        if any(c[0] in ("textSearch", "contains", "upsert") for c in calls):
            continue
        with pytest.raises(APIError) as no:
            ask_python(python, VIEW, calls)
        assert no.value.code == code and no.value.message
    got, = javascript([["no_such_view", [ALL]]])
    assert (got["status"], got["error"]["code"]) == (404, "view-unknown")

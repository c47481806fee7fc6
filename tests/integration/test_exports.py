"""Exports of a running city: files against pages, a cut against the changes after it, ranges, jobs, bundles, grants."""
import base64
import csv
import hashlib
import http.client
import io
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import zipfile

import duckdb
import fastavro
import frictionless
import openpyxl
import pandas
import pyarrow.parquet
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from conftest import ROOT, Demo, wait_for

FEEDS = ROOT / "deploy/demo/feeds"
KINDS = ["csv", "ndjson", "avro", "parquet", "xlsx"]
THIN, FULL, ROLLUP = "kelayakan_bansos", "penduduk_hidup_per_kelurahan", "penduduk_per_tahun_lahir"
TYPES = {"csv": "text/csv", "ndjson": "application/x-ndjson", "avro": "application/vnd.apache.avro",
         "parquet": "application/vnd.apache.parquet",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
SEED = int(os.environ.get("SEED", "7"))


@pytest.fixture(scope="module")
def city():
    demo = Demo("exports").start()
    yield demo
    demo.stop()


def columns(demo, view, key=True):
    views = json.loads(demo.request("/v1/views", key=key)[2])
    return next(v["columns"] for v in views if v["name"] == view)


def read(kind, data, shape):
    """Rows as a page has them, by somebody else's reader."""
    types = {c["name"]: c["type"] for c in shape}
    if kind == "ndjson":
        return [json.loads(line) for line in data.splitlines()]
    if kind == "avro":
        rows = list(fastavro.reader(io.BytesIO(data)))
    elif kind == "parquet":
        rows = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    elif kind == "xlsx":
        cells = openpyxl.load_workbook(io.BytesIO(data), read_only=True)["Data"].iter_rows(values_only=True)
        names = next(cells)
        rows = [dict(zip(names, r)) for r in cells]
        return [{k: float(v) if types[k] == "number" and v is not None else json.loads(v) if types[k] == "json" and v else v
                 for k, v in r.items()} for r in rows]
    else:
        cells = csv.reader(io.StringIO(data.decode(), newline=""))
        names = next(cells)
        make = {"integer": int, "number": float, "boolean": lambda v: v == "true", "json": json.loads, "string": str}
        return [{n: make[types[n]](v) if v != "" else None for n, v in zip(names, row)} for row in cells]
    return [{k: json.loads(v) if types[k] == "json" and v is not None else v for k, v in r.items()} for r in rows]


def export(demo, view, kind, query="", key=True, headers=None):
    status, head, body = demo.request("/v1/views/%s.%s%s" % (view, kind, query), accept="*/*", key=key, headers=headers)
    assert status == 200, body[:500]
    assert head.get_content_type() == TYPES[kind]
    digest = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert head.get("Content-Digest") in (None, digest)  # none: it was still growing
    return head, body


def job(demo, question, key=True):
    body = json.dumps(question).encode()
    status, head, answer = post(demo, "/v1/exports", body, key)
    assert status == 202, answer
    assert json.loads(answer)["state"] in ("queued", "running", "done")
    return head["Location"]


def post(demo, path, body, key=True, method="POST"):
    url = urllib.parse.urlsplit(demo.city.url)
    c = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    c.request(method, path, body, {"Authorization": "Bearer " + (key if isinstance(key, str) else demo.city.key)})
    answer = c.getresponse()
    data = answer.read()
    c.close()
    return answer.status, answer.headers, data


def done(demo, location, key=True, state="done"):
    def look():
        now = json.loads(demo.request(location, key=key)[2])
        assert now["state"] in ("queued", "running", state), now
        return now if now["state"] == state else None
    return wait_for(look, 30, "the export " + state)


@pytest.mark.parametrize("view", [THIN, FULL])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_what_the_pages_hold(city, view, kind):
    want, shape = list(city.city.rows(view)), columns(city, view)
    assert len(want) > 50
    head, body = export(city, view, kind)
    assert read(kind, body, shape) == want
    assert view + "." + kind in head["Content-Disposition"] and head["Titian-Cursor"] and head["ETag"]
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(body))
        key = [c["name"] for c in shape].index(next(c["name"] for c in shape if c["type"] == "string"))
        assert all(c.data_type != "n" for c in list(book["Data"].columns)[key])
        assert {r[0].value for r in book["Kamus"].iter_rows()} >= {c["name"] for c in shape}


def test_a_file_by_format_by_accept_and_by_suffix(city):
    path = "/v1/views/" + FULL
    for url, accept in ((path + ".parquet", "*/*"), (path + "?format=parquet", "*/*"), (path, TYPES["parquet"])):
        status, head, body = city.request(url, accept=accept)
        assert status == 200 and body[:4] == b"PAR1", url
    assert city.request(path, accept="text/csv")[2] == export(city, FULL, "csv")[1]
    # with a limit CSV is a page, as ever; a whole view has none
    page = city.request(path + "?limit=3", accept="text/csv")
    assert len(page[2].splitlines()) == 4 and "Link" in page[1]


def test_filters_columns_and_order_are_those_of_pages(city):
    query = "?status_hidup=eq.MENINGGAL&select=id_subjek,nama:kode_kel,status_hidup&order=kode_kel.desc"
    want = json.loads(city.request("/v1/views/%s%s&limit=10000" % (THIN, query))[2])
    assert len(want) > 3
    shape = [{"name": n, "type": "string"} for n in ("id_subjek", "nama", "status_hidup")]
    for kind in KINDS:
        assert read(kind, export(city, THIN, kind, query)[1], shape) == want, kind
    dated = "?per_tanggal=2025-12-31"
    want = list(city.city.rows("anak_7_15_tidak_terdaftar", per_tanggal="2025-12-31"))
    got = read("parquet", export(city, "anak_7_15_tidak_terdaftar", "parquet", dated)[1], columns(city, "anak_7_15_tidak_terdaftar"))
    assert got == want and want


@pytest.mark.parametrize("path, status, code", [
    ("/v1/views/%s?format=pdf" % FULL, 400, "parameter-invalid"),
    ("/v1/views/%s.csv?tidak_ada=eq.1" % FULL, 400, "column-unknown"),
    ("/v1/views/%s.csv?after=AAAA" % FULL, 400, "parameter-invalid"),
    ("/v1/views/%s.parquet?compression=deflate" % FULL, 400, "parameter-invalid"),
    ("/v1/views/tidak_ada.csv", 404, "view-unknown"),
    ("/v1/views/anak_7_15_tidak_terdaftar.csv", 400, "date-missing"),
    ("/v1/exports/00000000000000000000000000000000", 404, "export-unknown"),
])
def test_what_is_refused(city, path, status, code):
    got, head, body = city.request(path, accept="*/*")
    assert got == status and json.loads(body)["code"] == code and head.get_content_type() == "application/problem+json"


def test_a_file_of_a_past_day_or_with_provenance_is_refused_with_the_way_out(city):
    for query, word in (("as_of=2025-12-31", "a past day comes in pages"), ("provenance=true", "a file has none")):
        problem = json.loads(city.request("/v1/views/%s.parquet?%s" % (FULL, query), accept="*/*")[2])
        assert problem["code"] == "parameter-invalid" and word in problem["detail"] and "Accept: " in problem["hint"]
        name, value = query.split("=")
        assert json.loads(post(city, "/v1/exports", json.dumps({"view": FULL, "format": "csv", name: value}).encode())[2])["detail"] == problem["detail"]


def test_masked_columns_and_rows_out_of_reach(city):
    """The readers of the demo's policy: as in pages, in every kind of file."""
    keys = city.dir / "keys"
    before = (keys / "access.keys").read_bytes()
    policy = next(l.split(":", 1)[1].strip() for l in (city.dir / "conf/gateway.yaml").read_text().splitlines() if "policy:" in l)
    policy = policy if os.path.isabs(policy) else str(city.dir / "conf" / policy)
    text = open(policy).read()
    mine = city.dir / "policy.yaml"
    kel = city.city.get("/v1/views/" + FULL)[3]["kode_kel"]
    mine.write_text(text + "  terbatas:\n    views:\n      %s: {rows: {kode_kel: [\"%s\"]}}\n      %s: {}\n" % (THIN, kel, FULL))
    conf = city.dir / "conf/gateway.yaml"
    conf.write_text(conf.read_text().replace(policy, str(mine)) if policy in conf.read_text() else conf.read_text())
    secret = subprocess.run([str(ROOT / "build/release/bin/titian-gateway"), "key", "new", "--keys", str(keys / "access.keys"),
                             "--name", "terbatas"], capture_output=True, text=True, check=True).stdout.strip()
    assert (keys / "access.keys").read_bytes() != before
    city.kill("gateway", signal.SIGTERM)
    city.restart("gateway")
    city.idle()
    shape = columns(city, THIN, key=secret)
    assert any(c["masked"] for c in shape)
    want = json.loads(city.request("/v1/views/%s?limit=10000" % THIN, key=secret)[2])
    everything = list(city.city.rows(THIN))
    assert 0 < len(want) < len(everything) and {r["kode_kel"] for r in want} == {kel}
    assert len(want) == sum(r["kode_kel"] == kel for r in everything)
    for kind in KINDS:
        assert read(kind, export(city, THIN, kind, key=secret)[1], [dict(c, type="string") if kind == "csv" and c["masked"] else c for c in shape]) == want, kind
    # its own exports are nobody else's; and a grant that has become narrower keeps what was made before
    location = job(city, {"view": THIN, "format": "csv"}, key=secret)
    file = done(city, location, key=secret)["file"]
    for path in (location, file):
        assert city.request(path)[0] == 404 and post(city, path.rsplit("/", 1)[0] if path == file else path, b"", method="DELETE")[0] == 404
    assert city.request(file, accept="*/*", key=secret)[0] == 200
    mine.write_text(mine.read_text().replace("kode_kel: [\"%s\"]" % kel, "kode_kel: [\"1471011003\", \"1471011004\"]"))
    os.kill(city.pid("gateway"), signal.SIGHUP)
    wait_for(lambda: city.request(file, accept="*/*", key=secret)[0] == 403, 10, "the narrower grant")
    assert json.loads(city.request(location, key=secret)[2])["state"] == "done"


def start_download(demo, path, n, headers=None):
    """The first n bytes of a file, and its head; then the connection is cut."""
    url = urllib.parse.urlsplit(demo.city.url)
    c = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    c.request("GET", path, headers={"Authorization": "Bearer " + demo.city.key, **(headers or {})})
    answer = c.getresponse()
    data = answer.read(n)
    c.sock.close() if c.sock else answer.close()
    return answer, data


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_broken_download_goes_on_where_it_was(city, kind):
    path = "/v1/views/%s.%s" % (THIN, kind)
    answer, start = start_download(city, path, 1000)
    tag = answer.headers["ETag"]
    status, head, rest = city.request(path, accept="*/*", headers={"Range": "bytes=1000-", "If-Range": tag})
    assert status == 206 and head["ETag"] == tag
    whole = start + rest
    assert head["Content-Range"] == "bytes 1000-%d/%d" % (len(whole) - 1, len(whole))
    assert head["Repr-Digest"] == "sha-256=:%s:" % base64.b64encode(hashlib.sha256(whole).digest()).decode()
    assert head["Content-Length"] == str(len(rest)) and head["Titian-Cursor"] == answer.headers["Titian-Cursor"]
    assert read(kind, whole, columns(city, THIN)) == list(city.city.rows(THIN))
    # another question, another file, or one that is gone: the whole of a new one
    for other, headers in ((path + "?select=id_subjek", {"Range": "bytes=1000-", "If-Range": tag}),
                           (path, {"Range": "bytes=1000-", "If-Range": '"%s"' % ("0" * 32)}), (path, {"Range": "bytes=1000-"})):
        status, head, body = city.request(other, accept="*/*", headers=headers)
        assert status == 200 and head["ETag"] != tag


def test_ranges_of_a_file(city):
    location = job(city, {"view": THIN, "format": "ndjson"})
    state = done(city, location)
    assert state["percent"] == 100 and state["rows"] == len(list(city.city.rows(THIN))) and state["rows_per_s"] > 0
    file = state["file"]
    status, head, whole = city.request(file, accept="*/*")
    n = len(whole)
    assert status == 200 and n == state["bytes"] and hashlib.sha256(whole).hexdigest() == state["sha256"]
    for asked, first, last in (("bytes=0-0", 0, 0), ("bytes=5-9", 5, 9), ("bytes=%d-" % (n - 3), n - 3, n - 1), ("bytes=-7", n - 7, n - 1),
                               ("bytes=0-%d" % (n + 5), 0, n - 1), ("bytes=-%d" % (n + 5), 0, n - 1)):
        status, head, part = city.request(file, accept="*/*", headers={"Range": asked})
        assert (status, part, head["Content-Range"]) == (206, whole[first:last + 1], "bytes %d-%d/%d" % (first, last, n)), asked
    for asked in ("bytes=%d-" % n, "bytes=-0"):
        status, head, body = city.request(file, accept="*/*", headers={"Range": asked})
        assert status == 416 and head["Content-Range"] == "bytes */%d" % n and json.loads(body)["code"] == "range-invalid"
    for asked in ("bytes=5-1", "bytes=a-", "bytes=1-2,5-6", "rows=1-2", "bytes=", "bytes=99999999999999999999-"):
        status, head, body = city.request(file, accept="*/*", headers={"Range": asked})
        assert status in (200, 416) and (status == 416 or body == whole), asked
    assert city.request(file, accept="*/*", headers={"If-None-Match": head["ETag"] or '"%s"' % state["id"]})[0] == 304
    assert city.request(file + "x", accept="*/*")[0] == 404


def test_jobs_are_listed_cancelled_and_bounded(city):
    for known in json.loads(city.request("/v1/exports")[2]):
        assert post(city, known["self"], b"", method="DELETE")[0] == 204
    assert json.loads(city.request("/v1/exports")[2]) == []
    locations = [job(city, {"view": THIN, "format": "csv", "filters": {"kode_kel": "eq.1471011003"}, "select": ["id_subjek", "kode_kel"],
                            "excel": True})]
    first = done(city, locations[0])
    body = city.request(first["file"], accept="*/*")[2]
    assert body.startswith(b"\xef\xbb\xbfid_subjek;kode_kel\r\n") and set(l.split(b";")[1] for l in body.splitlines()[1:]) <= {b"1471011003"}
    assert [x["id"] for x in json.loads(city.request("/v1/exports")[2])] == [first["id"]]
    assert post(city, locations[0], b"", method="DELETE")[0] == 204
    assert city.request(locations[0])[0] == 404 and city.request(first["file"], accept="*/*")[0] == 404
    refused = 0
    for _ in range(40):  # more at a time than a reader may have
        status, head, body = post(city, "/v1/exports", json.dumps({"view": THIN, "format": "xlsx", "bundle": True, "split": "kode_kel"}).encode())
        refused += status == 429
        if status == 429:
            assert json.loads(body)["code"] == "too-many-exports" and head["Retry-After"]
            break
    assert refused
    for known in json.loads(city.request("/v1/exports")[2]):
        assert post(city, known["self"], b"", method="DELETE")[0] == 204
    wait_for(lambda: not [p for p in files(city) if p.suffix == ".zip" or p.parent.name == "work"], 20, "cancelled files gone")
    for bad in (b"", b"[]", b"{}", b'{"view": 1}', b'{"view": "%s"}' % THIN.encode(), b'{"view": "x", "format": "csv"}',
                json.dumps({"view": THIN, "format": "csv", "split": "kode_kel"}).encode(),
                json.dumps({"view": THIN, "format": "csv", "bundle": True, "split": "id_subjek"}).encode(),
                json.dumps({"view": THIN, "format": "csv", "filters": {"a": {}}}).encode(), b'{"view":' + b"[" * 100):
        status, head, body = post(city, "/v1/exports", bad)
        assert status in (400, 404) and json.loads(body)["code"], bad


def files(demo):
    """What lies in the folder of exports."""
    return [p for p in next((demo.dir / "view").glob("*.exports")).rglob("*") if p.is_file()]


def unpack(demo, question):
    state = done(demo, job(demo, question))
    body = demo.request(state["file"], accept="*/*")[2]
    return state, zipfile.ZipFile(io.BytesIO(body))


@pytest.mark.parametrize("kind, split", [("csv", None), ("csv", "kode_kel"), ("ndjson", "kode_kel"), ("parquet", "kode_kel"), ("xlsx", None)])
def test_a_bundle_says_what_it_is_and_who_made_it(city, tmp_path, kind, split):
    question = {"view": THIN, "format": kind, "bundle": True, **({"split": split} if split else {})}
    state, bundle = unpack(city, question)
    assert bundle.testzip() is None
    bundle.extractall(tmp_path)
    package = json.loads((tmp_path / "datapackage.json").read_text())
    assert package["titian"]["cursor"] == state["cursor"] and package["titian"]["as_of"] == state["as_of"]
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    listed = {l.split("  ")[1] for l in (tmp_path / "SHA256SUMS").read_text().splitlines()}
    assert listed == {n for n in bundle.namelist()} - {"SHA256SUMS", "SHA256SUMS.sig", "titian-exports.pem"}

    pem = city.request("/.well-known/titian-exports.pem", key=False, accept="*/*")[2]
    assert pem == (tmp_path / "titian-exports.pem").read_bytes()
    load_pem_public_key(pem).verify((tmp_path / "SHA256SUMS.sig").read_bytes(), (tmp_path / "SHA256SUMS").read_bytes())
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "titian-exports.pem", "-rawin", "-in", "SHA256SUMS", "-sigfile", "SHA256SUMS.sig"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "SHA256SUMS").write_bytes((tmp_path / "SHA256SUMS").read_bytes().replace(b"a", b"b", 1))
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True).returncode != 0

    want, got, shape = list(city.city.rows(THIN)), [], columns(city, THIN)
    for resource in package["resources"]:
        rows = read(kind, (tmp_path / resource["path"]).read_bytes(), shape)
        assert len(rows) == resource["titian:rows"]
        if split:
            assert {r[split] for r in rows} == {resource.get("titian:value")}
        got += rows
    assert sorted(got, key=lambda r: r["id_subjek"]) == want
    assert len(package["resources"]) == (len({r[split] for r in want}) if split else 1)
    assert len({r["path"].lower() for r in package["resources"]}) == len(package["resources"])
    if kind in ("csv", "ndjson", "xlsx"):
        if split:  # a few: they are alike
            package["resources"] = package["resources"][:5]
            (tmp_path / "datapackage.json").write_text(json.dumps(package))
        report = frictionless.validate(str(tmp_path / "datapackage.json"))
        assert report.valid, report.flatten(["title", "message"])


# --- titian export --------------------------------------------------------------------------------------------

def titian_export(demo, folder, *args, check=True):
    (folder / "key").write_text(demo.city.key + "\n")
    (folder / "key").chmod(0o600)
    run = subprocess.run([str(ROOT / "build/release/bin/titian"), "export", *args, "--gateway", demo.city.url, "--key-file", "key"],
                         cwd=folder, capture_output=True, text=True, timeout=60)
    assert not check or run.returncode == 0, run.stderr
    return run


def test_the_command_fetches_verifies_and_names_the_cursor(city, tmp_path):
    run = titian_export(city, tmp_path, THIN, "--format", "parquet", "--filter", "status_hidup=eq.MENINGGAL", "-o", "mati.parquet")
    want = json.loads(city.request("/v1/views/%s?status_hidup=eq.MENINGGAL&limit=10000" % THIN)[2])
    assert read("parquet", (tmp_path / "mati.parquet").read_bytes(), columns(city, THIN)) == want
    name, rows, size, digest, cursor = run.stdout.strip().split("\t")
    assert (name, int(rows), int(size)) == ("mati.parquet", len(want), (tmp_path / "mati.parquet").stat().st_size)
    assert digest == hashlib.sha256((tmp_path / "mati.parquet").read_bytes()).hexdigest()
    assert cursor in run.stderr and "/changes?after=" in run.stderr
    assert city.request("/v1/views/%s/changes?after=%s" % (THIN, cursor))[0] == 200
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key", "mati.parquet"]
    assert (tmp_path / "mati.parquet").stat().st_mode & 0o077 == 0
    # taken: no copy is left at the gateway
    assert digest not in [x.get("sha256") for x in json.loads(city.request("/v1/exports")[2])]
    run = titian_export(city, tmp_path, THIN, "--bundle", "--split", "kode_kel")
    assert zipfile.ZipFile(tmp_path / (THIN + ".zip")).testzip() is None


def test_the_command_resumes(city, tmp_path):
    state = done(city, job(city, {"view": THIN, "format": "csv"}))
    whole = city.request(state["file"], accept="*/*")[2]
    (tmp_path / "a.csv.part").write_bytes(whole[:700])
    (tmp_path / "a.csv.part.export").write_text(state["self"] + "\n")
    titian_export(city, tmp_path, THIN, "-o", "a.csv", "--resume")
    assert (tmp_path / "a.csv").read_bytes() == whole
    # what lies there is believed only as far as the digest says
    state = done(city, job(city, {"view": THIN, "format": "csv"}))
    (tmp_path / "b.csv.part").write_bytes(b"x" * 700)
    (tmp_path / "b.csv.part.export").write_text(state["self"] + "\n")
    run = titian_export(city, tmp_path, THIN, "-o", "b.csv", "--resume", check=False)
    assert run.returncode == 1 and not (tmp_path / "b.csv").exists() and not (tmp_path / "b.csv.part").exists()
    # an export that is gone: a new one
    (tmp_path / "c.csv.part").write_bytes(b"x" * 700)
    (tmp_path / "c.csv.part.export").write_text("/v1/exports/%s\n" % ("0" * 32))
    titian_export(city, tmp_path, THIN, "-o", "c.csv", "--resume")
    assert (tmp_path / "c.csv").read_bytes() == whole


class BadLine(threading.Thread):
    """Between the command and the gateway; cuts every answer with a file in it after so many bytes, the first few times."""

    def __init__(self, demo, after, times):
        super().__init__(daemon=True)
        self.gateway, self.after, self.times, self.asked = urllib.parse.urlsplit(demo.city.url), after, times, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()
            except OSError:
                return

    def serve(self, near):
        far = socket.create_connection((self.gateway.hostname, self.gateway.port))

        def forward():
            while data := near.recv(65536):
                self.asked.append(data)
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

        there = threading.Thread(target=forward, daemon=True)
        there.start()
        left = None
        while data := far.recv(4096):
            if b"Accept-Ranges" in data and self.times:
                self.times, left = self.times - 1, self.after
            if left is not None:
                data, left = data[:left], left - len(data[:left])
            near.sendall(data)
            if left == 0:
                break
        near.shutdown(socket.SHUT_RDWR)
        there.join()
        near.close()
        far.close()


def test_the_command_goes_on_by_itself_when_the_line_breaks(city, tmp_path):
    line = BadLine(city, 30000, 2)
    (tmp_path / "key").write_text(city.city.key + "\n")
    (tmp_path / "key").chmod(0o600)
    run = subprocess.run([str(ROOT / "build/release/bin/titian"), "export", THIN, "--format", "ndjson", "--gateway", line.url, "--key-file", "key"],
                         cwd=tmp_path, capture_output=True, text=True, timeout=60)
    line.listener.close()
    assert run.returncode == 0, run.stderr
    ranges = [l.split(b"=")[1] for data in line.asked for l in data.split(b"\r\n") if l.startswith(b"Range: ")]
    assert len(ranges) == 2 and 0 < int(ranges[0][:-1]) < int(ranges[1][:-1])
    assert read("ndjson", (tmp_path / (THIN + ".ndjson")).read_bytes(), columns(city, THIN)) == list(city.city.rows(THIN))


def test_the_command_does_not_wait_in_silence(city, tmp_path):
    (tmp_path / "key").write_text("tk_rahasia\n")
    (tmp_path / "key").chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the question, and says nothing
        run = subprocess.Popen([str(ROOT / "build/release/bin/titian"), "export", THIN, "--key-file", "key", "--gateway",
                                "http://127.0.0.1:%d" % silent.getsockname()[1]], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        begin = time.monotonic()
        line = run.stderr.readline()
        assert "no answer for " in line and time.monotonic() - begin < 20, line
        run.kill()
        run.communicate()


def test_the_command_says_what_is_wrong(city, tmp_path):
    for args, code in ((("tidak_ada",), 5), ((THIN, "--format", "pdf"), 1), ((THIN, "--filter", "tidak=eq.1"), 1), ((THIN, "--formt", "csv"), 2),
                       (("anak_7_15_tidak_terdaftar",), 1)):
        run = titian_export(city, tmp_path, *args, check=False)
        assert run.returncode == code and run.stderr.startswith("titian: "), (args, run.stderr)
    assert [p.name for p in tmp_path.iterdir()] == ["key"]
    (tmp_path / "key").write_text("tk_salah\n")
    run = subprocess.run([str(ROOT / "build/release/bin/titian"), "export", THIN, "--gateway", city.city.url, "--key-file", "key"],
                         cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 4


# --- a cut, and what comes after it ---------------------------------------------------------------------------

def events(rng, people, kels, n, number):
    """A file of deaths and moves, later than all there are."""
    lines = [(FEEDS / "disdukcapil_peristiwa.psv").read_text().splitlines()[0]]
    for i in range(n):
        nik, minute = rng.choice(people), number + i
        kind = rng.random() < 0.3
        when = "30-12-2025 %02d:%02d:%02d" % (minute // 3600, minute // 60 % 60, minute % 60)
        lines.append("20251471%08d|%s|%s|||||30-12-2025|%s|%s|" % (90000000 + number + i, "MATI" if kind else "PINDAH_DALAM", nik, when,
                                                                  "" if kind else rng.choice(kels)))
    return ("\n".join(lines) + "\n").encode()


def fold(demo, view, rows, key, cursor):
    """The rows of a file, and every change after its cursor."""
    state = {r[key]: r for r in rows}
    path = "/v1/views/%s/changes?%s" % (view, urllib.parse.urlencode({"after": cursor, "until": "now"}))
    for line in demo.request(path, accept="application/x-ndjson")[2].splitlines():
        change = json.loads(line)
        if change["event"] == "upsert":
            state[change["key"]] = change["row"]
        elif change["event"] == "delete":
            state.pop(change["key"], None)
    return state


def test_a_file_and_the_changes_after_its_cursor_are_the_view(city):
    """While records keep coming; each export is a cut of its own."""
    rng = random.Random(SEED)
    people = [l.split("|")[0] for l in (FEEDS / "disdukcapil_penduduk.psv").read_text(errors="replace").splitlines()[1:] if l[:16].isdigit()]
    kels = [r["kode_kel"] for r in city.city.rows(FULL)]
    shapes = {v: columns(city, v) for v in (THIN, FULL, ROLLUP)}
    keys = {v["name"]: v["key"] for v in city.city.get("/v1/views")}
    before = {v: list(city.city.rows(v)) for v in shapes}
    taken, stop = [], threading.Event()

    def take():
        chance = random.Random(SEED)
        while not stop.is_set():
            view, kind = chance.choice(list(shapes)), chance.choice(KINDS[:4])
            head, body = export(city, view, kind)
            taken.append((view, kind, head["Titian-Cursor"], body))

    thread = threading.Thread(target=take)
    thread.start()
    try:
        for i in range(60):  # six files; more only while the exports are too slow to have met several cuts
            if i >= 6 and all(len({c for v, _, c, _ in list(taken) if v == view}) >= 3 for view in shapes):
                break
            city.drop("disdukcapil", "disdukcapil_peristiwa_%d.psv" % (100 + i), events(rng, people, kels, 250, 1000 + 1000 * i))
            wait_for(lambda: (city.dir / ("drop/disdukcapil/done/disdukcapil_peristiwa_%d.psv" % (100 + i))).exists(), 30, "the file read")
        city.idle()
    finally:
        stop.set()
        thread.join()
    final = {v: {r[keys[v]]: r for r in city.city.rows(v)} for v in shapes}
    assert all(list(final[v].values()) != before[v] for v in shapes)
    cuts = {(view, cursor) for view, _, cursor, _ in taken}
    for view in shapes:
        assert len({c for v, c in cuts if v == view}) >= 3, "exports of several cuts"
    for view, kind, cursor, body in taken:
        assert fold(city, view, read(kind, body, shapes[view]), keys[view], cursor) == final[view], (view, kind)


def test_a_gateway_that_is_killed_serves_no_half_file(city):
    question = json.dumps({"view": THIN, "format": "xlsx", "bundle": True, "split": "kode_kel"}).encode()
    for attempt in range(10):
        locations = [post(city, "/v1/exports", question)[1]["Location"] for _ in range(3)]

        def met():  # a job at work; or all of them are over, and the next try may meet one
            return [p for p in files(city) if p.suffix == ".part"] or \
                {json.loads(city.request(l)[2])["state"] for l in locations} == {"done"}
        wait_for(met, 20, "a job at work")
        city.kill("gateway")
        left = [p for p in files(city) if p.suffix == ".part"]
        city.restart("gateway")
        city.idle()
        assert not files(city)
        for location in locations:
            status, _, body = city.request(location)
            assert status == 404 and json.loads(body)["hint"] == "POST /v1/exports"
        if left:
            break
    assert left, "none of the kills met a job at work"
    # A gateway that is stopped takes them along; who asks afterwards hears why, and what to do.
    gone = done(city, job(city, {"view": THIN, "format": "csv"}))
    city.kill("gateway", signal.SIGTERM)
    assert not files(city)
    city.restart("gateway")
    city.idle()
    for path, headers in ((gone["self"], {}), (gone["file"], {"Range": "bytes=100-", "If-Range": '"%s"' % gone["id"]})):
        status, _, body = city.request(path, accept="*/*", headers={"Accept-Language": "en", **headers})
        problem = json.loads(body)
        assert (status, problem["code"], problem["hint"]) == (404, "export-unknown", "POST /v1/exports")
        assert "the gateway was restarted; begin it anew" in problem["title"]
    assert done(city, job(city, {"view": THIN, "format": "csv"}))["rows"] > 1000

"""Reading a view over HTTP: look-ups by POST, ETags, pages in any order, compression, quotas, CORS,
what problems look like. Expected rows come from the view read whole."""
import email.utils
import gzip
import json
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import ROOT, free_ports, wait_for

VIEW = "/v1/views/kelayakan_bansos"


def ask(sample, path, method="GET", body=None, headers=None, base=None):
    """(status, headers, bytes as sent)"""
    head = {"Authorization": "Bearer " + sample.city.key, **(headers or {})}
    request = urllib.request.Request((base or sample.city.url) + path, method=method, headers=head,
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def link(headers, rel):
    found = re.search(r'<([^>]*)>; rel="%s"' % rel, headers["Link"] or "")
    return found and found.group(1)


@pytest.fixture(scope="module")
def rows(sample):
    return {r["id_subjek"]: r for r in map(json.loads, ask(sample, VIEW + ".ndjson")[2].splitlines())}


def test_many_rows_by_post_in_the_order_asked(sample, rows):
    keys = list(rows)[5:300:7]
    asked = [keys[3], "nobody", *reversed(keys), keys[3]]
    status, headers, body = ask(sample, VIEW + "/lookup", "POST", {"id_subjek": asked})
    assert status == 200 and json.loads(body) == [rows.get(k) for k in asked]
    tag = headers["ETag"]
    assert ask(sample, VIEW + "/lookup", "POST", {"id_subjek": asked}, {"If-None-Match": tag})[0] == 304
    assert ask(sample, VIEW + "/lookup", "POST", {"id_subjek": asked[1:]}, {"If-None-Match": tag})[0] == 200
    body = ask(sample, VIEW + "/lookup?select=kel:kode_kel", "POST", {"id_subjek": keys[:2]})[2]
    assert json.loads(body) == [{"kel": rows[k]["kode_kel"]} for k in keys[:2]]
    assert json.loads(ask(sample, VIEW + "/lookup", "POST", {"id_subjek": []})[2]) == []


def test_a_lookup_that_cannot_be_answered_says_why_and_repeats_nothing(sample, rows):
    key = next(iter(rows))
    for body, code in (([key], "lookup-invalid"), ({"id_subjek": key}, "lookup-invalid"), ({}, "lookup-invalid"),
                       ({"id_subjek": [key], "kode_kel": []}, "lookup-invalid"), ({"id_subjek": [[key]]}, "lookup-invalid"),
                       ({"id_subjek": [key] * 1001}, "lookup-invalid"), ({"id_subjek": [key * 20]}, "lookup-invalid"),
                       ({"id_subjekk": [key]}, "column-unknown"), ({"status_hidup": ["HIDUP"]}, ("parameter-invalid", "lookup-several"))):
        status, _, answer = ask(sample, VIEW + "/lookup", "POST", body)
        answer = json.loads(answer)
        assert status in (400, 409) and answer["code"] in code, (body, answer)
        assert key not in json.dumps(answer)
    assert ask(sample, VIEW + "/lookup")[0] == 404  # by GET it is the row of that key
    assert ask(sample, VIEW + "/lookup?limit=3", "POST", {"id_subjek": [key]})[0] == 400


def test_what_has_not_changed_is_not_sent_again(sample, rows):
    key = next(iter(rows))
    for path in (VIEW + "?limit=50&order=kode_kel.desc", VIEW + "/" + key, VIEW + "?select=kode_kel&limit=2"):
        _, headers, _ = ask(sample, path)
        tag = headers["ETag"]
        assert ask(sample, path)[1]["ETag"] == tag
        for have in (tag, tag.removeprefix("W/"), '"x", ' + tag, "*"):
            status, headers, body = ask(sample, path, headers={"If-None-Match": have})
            assert (status, body, headers["ETag"]) == (304, b"", tag)
        assert ask(sample, path, headers={"If-None-Match": '"0123456789abcdef"'})[0] == 200
        assert ask(sample, path + ("&" if "?" in path else "?") + "per_tanggal=2025-12-31")[1]["ETag"] != tag


def test_gzip_for_those_who_ask(sample):
    path = VIEW + "?limit=500"
    _, headers, plain = ask(sample, path)
    assert headers["Content-Encoding"] is None
    _, headers, packed = ask(sample, path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert headers["Content-Encoding"] == "gzip" and len(packed) < len(plain) / 4
    assert gzip.decompress(packed) == plain
    assert "Accept-Encoding" in ",".join(headers.get_all("Vary"))
    assert ask(sample, path, headers={"Accept-Encoding": "gzip;q=0"})[2] == plain
    _, headers, packed = ask(sample, VIEW + "/changes?until=now", headers={"Accept": "application/x-ndjson", "Accept-Encoding": "gzip"})
    lines = gzip.decompress(packed).splitlines()
    assert headers["Content-Encoding"] == "gzip" and json.loads(lines[-1])["event"] == "up-to-date"


def test_a_page_says_what_follows_and_where_things_are_described(sample, rows):
    path, seen = VIEW + "?limit=400&order=njop_kelas.desc,kode_kel&select=id_subjek", []
    while path:
        status, headers, body = ask(sample, path)
        assert status == 200
        seen += [r["id_subjek"] for r in json.loads(body)]
        for rel in ("describedby", "service-desc"):
            assert ask(sample, link(headers, rel))[0] == 200
        path = link(headers, "next")
        assert path is None or not any(r["njop_kelas"] and r["njop_kelas"] in path for r in rows.values())
    assert sorted(seen) == sorted(rows)
    first = link(ask(sample, VIEW + "?limit=1&order=kode_kel")[1], "next")
    assert json.loads(ask(sample, first.replace("order=kode_kel", "order=kode_kel.desc"))[2])["code"] == "cursor-invalid"
    assert json.loads(ask(sample, first.replace("kelayakan_bansos", "kematian").replace("order=kode_kel&", ""))[2])["code"] == "cursor-invalid"


def test_every_problem_has_a_page_in_both_languages(sample):
    status, _, body = ask(sample, "/problems", headers={"Authorization": ""})
    codes = re.findall(r'<h2 id="([^"]+)">', body.decode())
    assert status == 200 and {"view-unknown", "quota-exceeded", "http-413"} <= set(codes)
    for code in codes:
        texts = [ask(sample, "/problems/" + code, headers={"Accept-Language": l})[2] for l in ("id", "en")]
        assert texts[0] != texts[1] and all(code.encode() in t for t in texts)
    for path, headers in (("/v1/views/none", {}), ("/v1/nowhere", {}), ("/v1/views?limit=1", {"Authorization": "Bearer x"})):
        status, head, body = ask(sample, path, headers={"Accept-Language": "en", **headers})
        problem = json.loads(body)
        assert head["Content-Type"] == "application/problem+json"
        assert problem["status"] == status and problem["instance"] == head["X-Request-Id"]
        assert problem["message"] == problem["title"] and "details" in problem and "hint" in problem
        assert ask(sample, problem["type"])[0] == 200
    status, head, _ = ask(sample, "/rest/v1/kelayakan_bansos", "DELETE")
    assert status == 405 and head["Allow"] == "GET, HEAD, OPTIONS"


def test_a_misspelt_view_leads_to_the_nearest_that_its_reader_may_see(sample):
    few = {"Authorization": "Bearer " + re.search(r"key  publik: (\S+)", sample.output).group(1)}
    hint = lambda path, headers=None: json.loads(ask(sample, path, headers=headers)[2])["hint"]
    for path in ("/v1/views/kematin", "/v1/views/kematin.csv", "/v1/views/kematin/changes", "/v1/changes?views=penduduk,kematin"):
        assert hint(path) == "kematian"
        assert hint(path, few) == "/v1/views"
    assert hint("/v1/views/pendudk", few) == "penduduk"


@pytest.fixture(scope="module")
def strict(sample, tmp_path_factory):
    """A second gateway on the same topics: a quota, a page of another origin."""
    place = tmp_path_factory.mktemp("strict")
    base = free_ports(2)
    (place / "policy.yaml").write_text('readers:\n  demo: {status: true, quota: 8/1h, views: {"*": {clear: ["*"]}}}\n')
    conf = (sample.dir / "conf" / "gateway.yaml").read_text()
    conf = re.sub(r"(http:\n  address: \S+\n  port: )\d+", r"\g<1>%d\n  cors: [\"https://data.example\"]" % base, conf)
    conf = re.sub(r"(ops:\n  address: \S+\n  port: )\d+", r"\g<1>%d" % (base + 1), conf)
    conf = re.sub(r"(policy: ).*", r"\g<1>%s/policy.yaml" % place, conf)
    conf = re.sub(r"(db:\n  path: ).*", r"\g<1>%s/city.db" % place, conf).replace('\\"', '"')
    (place / "gateway.yaml").write_text(conf)
    with open(place / "log", "w") as log:
        gateway = subprocess.Popen([str(ROOT / "build/release/bin/titian-gateway"), "--config", str(place / "gateway.yaml")],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    url = "http://127.0.0.1:%d" % base

    def ready():
        assert gateway.poll() is None, (place / "log").read_text()
        try:
            return urllib.request.urlopen(url + "/readyz", timeout=5).status == 200
        except OSError:
            return False
    wait_for(ready, 60, "the second gateway")
    yield url
    gateway.send_signal(signal.SIGTERM)
    gateway.wait(20)


def test_a_quota_counts_down_says_when_and_holds(sample, strict):
    left = []
    for _ in range(8):
        status, headers, _ = ask(sample, "/v1/whoami", base=strict)
        assert status == 200 and headers["RateLimit-Policy"] == '"opd";q=8;w=3600'
        left.append(int(re.fullmatch(r'"opd";r=(\d+);t=\d+', headers["RateLimit"]).group(1)))
    assert left == [7, 6, 5, 4, 3, 2, 1, 0]
    status, headers, body = ask(sample, "/v1/views", base=strict)
    assert (status, json.loads(body)["code"]) == (429, "quota-exceeded")
    assert 1 <= int(headers["Retry-After"]) <= 3600
    assert ask(sample, "/v1/whoami")[1]["RateLimit"] is None  # no quota, no word of it


def test_the_registry_knows_what_each_gateway_uses(sample, strict):
    def programs():
        uses = json.loads(urllib.request.urlopen(sample.registry + "/v1/uses", timeout=10).read())["uses"]
        return {u["program"].rsplit(":", 1)[-1] for u in uses if u["program"].startswith("titian-gateway/")}
    want = {sample.city.url.rsplit(":", 1)[1], strict.rsplit(":", 1)[1]}
    wait_for(lambda: want <= programs(), 30, "both gateways' uses")


def test_pages_of_a_named_origin_may_read(sample, strict):
    _, headers, _ = ask(sample, "/v1/whoami", headers={"Origin": "https://data.example"}, base=strict)
    assert headers["Access-Control-Allow-Origin"] == "https://data.example"
    assert "Titian-Cursor" in headers["Access-Control-Expose-Headers"]
    assert ask(sample, "/v1/whoami", headers={"Origin": "https://other.example"}, base=strict)[1]["Access-Control-Allow-Origin"] is None
    assert ask(sample, "/v1/whoami", headers={"Origin": "https://data.example"})[1]["Access-Control-Allow-Origin"] is None


def test_times_are_http_dates(sample):
    _, headers, _ = ask(sample, VIEW + "?limit=1")
    assert email.utils.parsedate_to_datetime(headers["Last-Modified"])

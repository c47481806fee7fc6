"""Who uses a schema, and versions on their way out: told over HTTP, kept in Kafka, still there after a restart."""
import json
import time
import urllib.request

import pytest
from confluent_kafka import Producer
from conftest import wait_for
from test_registry import A, B_DEFAULT, Registry, kafka, record  # noqa: F401 (kafka is a fixture)

USES = {"owner": "Diskominfo", "at": "2026-11-22T08:00:00Z", "uses": [
    {"kind": "service", "name": "loket", "subject": "warga-value", "fields": ["nama"]},
    {"kind": "subscription", "name": "bappeda", "subject": "usaha-value"}]}


@pytest.fixture(scope="module")
def registry(kafka, tmp_path_factory):  # noqa: F811
    r = Registry(kafka, "_schemas_uses", tmp_path_factory.mktemp("uses")).start()
    yield r
    r.kill()


def used(registry, path):
    return [(u["program"], u["kind"], u["name"], u["subject"], u.get("fields")) for u in registry.get(path)[1]["uses"]]


def test_uses(registry):
    assert registry.get("/v1/uses") == (200, {"uses": []})
    assert registry.ask("PUT", "/v1/uses/loket", USES) == (200, USES)
    service = ("loket", "service", "loket", "warga-value", ["nama"])
    subscription = ("loket", "subscription", "bappeda", "usaha-value", None)
    assert used(registry, "/v1/uses") == [service, subscription]
    assert used(registry, "/v1/subjects/warga-value/uses") == [service]
    registry.kill()
    registry.start()
    assert used(registry, "/v1/uses") == [service, subscription]
    assert registry.ask("DELETE", "/v1/uses/loket")[0] == 200
    assert used(registry, "/v1/uses") == []
    assert registry.ask("DELETE", "/v1/uses/loket")[0] == 404


def test_gateways_stand_beside_each_other_and_count_for_their_time(registry):
    """As gateways write them: a topic's records, one key for each instance."""
    producer = Producer({"bootstrap.servers": registry.bootstrap})

    def say(program, age_s, views, **more):
        uses = [{"kind": "view", "name": n, "subject": "jalan-value", "fields": f, "columns": {f[0]: [c]}} for n, f, c in views]
        producer.produce(registry.topic + "_titian", key=json.dumps({"keytype": "USE", "program": program}),
                         value=json.dumps({"owner": "", "at": "", "uses": uses, **more}), timestamp=int(1000 * (time.time() - age_s)))
    say("titian-gateway/a:1", 0, [("jalan", ["nama"], "nama"), ("lorong", ["nama"], "nama")], valid_s=3600)
    say("titian-gateway/b:1", 7200, [("jalan", ["nama"], "nama"), ("jalan", ["nama"], "judul"), ("gang", ["kode"], "k")], valid_s=86400)
    say("titian-gateway/lama:1", 7200, [("usang", ["nama"], "nama")], valid_s=3600)
    say("titian-gateway/rusak:1", 0, [("rusak", ["nama"], "nama")], valid_s=-1)
    say("penutup", 0, [("penutup", ["nama"], "nama")])
    assert producer.flush(20) == 0
    by_subject = lambda: used(registry, "/v1/subjects/jalan-value/uses")
    wait_for(lambda: "penutup" in {u[0] for u in by_subject()}, 20, "the last record")
    assert [u[:3:2] for u in by_subject()] == [
        ("penutup", "penutup"), ("titian-gateway/a:1", "jalan"), ("titian-gateway/a:1", "lorong"),
        ("titian-gateway/b:1", "jalan"), ("titian-gateway/b:1", "gang")], "what both say once; what one says otherwise, too"
    assert len(used(registry, "/v1/uses")) == 6, "as said"
    for program in ("a:1", "b:1", "lama:1"):
        assert registry.ask("DELETE", "/v1/uses/titian-gateway%2F" + program)[0] == 200
    assert {u[0] for u in by_subject()} == {"penutup"}
    assert registry.ask("PUT", "/v1/uses/x", {"uses": [], "valid_s": 0})[0] == 422


def test_headers(registry):
    """Is it new, and which version? Is it on its way out?"""
    def headers(path, body=None):
        request = urllib.request.Request(registry.url + path, body and json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers
    for text, said in ((record(A), "new; version=1"), (record(A, B_DEFAULT), "new; version=2"), (record(A), "known; version=1")):
        assert headers("/subjects/berita/versions", {"schema": text})["Titian-Registered"] == said
    assert headers("/subjects/berita/versions/1")["Deprecation"] is None
    before = int(time.time())
    registry.ask("PUT", "/v1/subjects/berita/versions/1/state",
                 {"state": "deprecated", "sunset": "2027-01-31", "successor": {"subject": "berita", "version": 2}})
    known = registry.get("/subjects/berita/versions/1")[1]["id"]
    for path, body in (("/subjects/berita/versions/1", None), ("/subjects/berita/versions/1/schema", None),
                       ("/schemas/ids/%d?subject=berita" % known, None), ("/subjects/berita", {"schema": record(A)}),
                       ("/subjects/berita/versions", {"schema": record(A)})):
        h = headers(path, body)
        assert before <= int(h["Deprecation"].removeprefix("@")) <= time.time()
        assert (h["Sunset"], h["Link"]) == ("Sun, 31 Jan 2027 00:00:00 GMT", '</subjects/berita/versions/2>; rel="successor-version"')
    assert headers("/subjects/berita/versions/2")["Deprecation"] is None


@pytest.mark.parametrize("body,words", [
    ({"uses": [{"kind": "toko", "name": "a", "subject": "s"}]}, "uses[0]: 'kind' is none of"),
    ({"uses": [{"kind": "view", "subject": "s"}]}, "uses[0]: 'name' or 'subject' is missing"),
    ({"uses": [{"kind": "view", "name": "a", "subject": "s", "fields": [1]}]}, "'fields' holds what is no name"),
    ({"uses": {}}, "'uses' is not a list"), ([], "not a JSON object"), (b"{", "line 1")])
def test_uses_refused(registry, body, words):
    status, answer = registry.ask("PUT", "/v1/uses/x", body)
    assert status == 422 and words in answer["message"]


def test_states(registry):
    registry.register("lama", record(A))
    registry.register("baru", record(A, name="Baru"))
    path = "/v1/subjects/lama/versions/1/state"
    assert registry.get(path) == (200, {"state": "active"})
    state = {"state": "deprecated", "sunset": "2027-01-31", "successor": {"subject": "baru", "version": 1}, "note": "pakai baru"}
    assert registry.ask("PUT", path, state) == (200, state)
    registry.kill()
    registry.start()
    assert registry.get("/v1/subjects/lama/versions/latest/state") == (200, state)
    for body, words in [({"state": "gone"}, "neither active nor deprecated"),
                        ({"state": "deprecated", "sunset": "31-01-2027"}, "not a day"),
                        ({"state": "deprecated", "sunset": "2027-02-31"}, "not a day"),
                        ({"state": "deprecated", "successor": {"subject": "tiada"}}, "is not registered"),
                        ({"state": "deprecated", "successor": {"subject": "lama", "version": 1}}, "its own successor")]:
        status, answer = registry.ask("PUT", path, body)
        assert status == 422 and words in answer["message"]
    assert registry.get("/v1/subjects/lama/versions/9/state")[1]["error_code"] == 40402
    assert registry.get("/v1/subjects/tiada/versions/1/state")[1]["error_code"] == 40401
    assert registry.ask("DELETE", path) == (200, {"state": "active"})
    assert registry.get(path) == (200, {"state": "active"})


def test_the_city_says_what_it_uses(sample):
    """The demo's gateway and adapters; what a view reads is in its SQL, or in that of a view it reads."""
    def uses(kind):
        with urllib.request.urlopen(sample.registry + "/v1/subjects/pku.disdukcapil.penduduk.v1-value/uses", timeout=10) as answer:
            return [u for u in json.load(answer)["uses"] if u["kind"] == kind]
    # Each says so when it has begun, beside its work.
    by_view = wait_for(lambda: {u["name"]: u.get("fields", []) for u in uses("view")}, 30, "the gateway's word")
    assert "kode_kel" in by_view["penduduk_hidup_per_kelurahan"]
    wait_for(lambda: "titian-adapter/disdukcapil" in {u["program"] for u in uses("adapter")}, 30, "the adapter's word")

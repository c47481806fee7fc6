"""What a schema would change and break, before it is registered; and what changed between versions, in words."""
import json
import urllib.request

import pytest
from conftest import wait_for
from test_registry import A, B, B_DEFAULT, Registry, kafka, record  # noqa: F401 (kafka is a fixture)

C = {"name": "c", "type": ["null", "string"], "default": None}


@pytest.fixture(scope="module")
def registry(kafka, tmp_path_factory):  # noqa: F811
    r = Registry(kafka, "_schemas_check", tmp_path_factory.mktemp("check")).start()
    r.register("warga", record(A, B_DEFAULT))
    r.register("warga", record(A, B_DEFAULT, C))
    r.ask("PUT", "/v1/uses/loket", {"owner": "Diskominfo", "uses": [
        {"kind": "view", "name": "penduduk", "subject": "warga", "fields": ["a"]},
        {"kind": "view", "name": "pajak", "subject": "warga", "fields": ["b", "c"]},
        {"kind": "adapter", "name": "disdukcapil", "subject": "warga"},
        {"kind": "view", "name": "lain", "subject": "usaha"}]})
    yield r
    r.kill()


def check(registry, text, subject="warga"):
    status, answer = registry.ask("POST", "/v1/subjects/%s/check" % subject, {"schema": text})
    assert status == 200, answer
    return answer


def affected(answer):
    return {(u["kind"], u["name"]): u["breaks"] for u in answer["affected"]}


def test_removal(registry):
    answer = check(registry, record(A, C))
    assert answer["compatible"] and not answer["known"] and answer["conflicts"] == []
    assert [c["code"] for c in answer["diff"]["changes"]] == ["field_removed"]
    assert affected(answer) == {("view", "pajak"): True, ("adapter", "disdukcapil"): True}
    because = answer["affected"][0]["because"]
    assert because[0]["path"] == "b" and "removed" in because[0]["en"] and "dihapus" in because[0]["id"]
    assert registry.get("/subjects/warga/versions")[1] == [1, 2]  # nothing was registered


def test_addition_concerns_nobody(registry):
    answer = check(registry, record(A, B_DEFAULT, C, {"name": "d", "type": "int", "default": 0}))
    assert answer["compatible"] and answer["affected"] == []


def test_conflict(registry):
    answer = check(registry, record(A, B, C, {"name": "d", "type": "int"}))
    assert not answer["compatible"] and [c["version"] for c in answer["conflicts"]] == [2]
    reasons = answer["conflicts"][0]["diff"]["backward"]["reasons"]
    assert [(r["code"], r["path"], r["breaks"]) for r in reasons] == [("field_without_default", "d", "new_reader")]
    assert registry.ask("POST", "/compatibility/subjects/warga/versions/latest",
                        {"schema": record(A, B, C, {"name": "d", "type": "int"})})[1] == {"is_compatible": False}
    registry.ask("PUT", "/config/warga", {"compatibility": "BACKWARD_TRANSITIVE"})
    assert [c["version"] for c in check(registry, record(A, {"name": "d", "type": "int"}))["conflicts"]] == [2, 1]
    registry.ask("DELETE", "/config/warga")


def test_known_and_new_subject(registry):
    answer = check(registry, record(A, B_DEFAULT))
    assert answer["known"] and answer["version"] == 1 and answer["compatible"]
    assert check(registry, record(A), "belum-ada")["compatible"]
    assert registry.ask("POST", "/v1/subjects/warga/check", {"schema": "{"})[1]["error_code"] == 42201


def test_diff(registry):
    answer = registry.get("/v1/subjects/warga/diff")[1]
    assert (answer["from"], answer["to"]) == (1, 2)
    assert [(c["code"], c["path"]) for c in answer["diff"]["changes"]] == [("field_added", "c")]
    back = registry.get("/v1/subjects/warga/diff?from=latest&to=1")[1]
    assert [(c["code"], c["path"]) for c in back["diff"]["changes"]] == [("field_removed", "c")]
    request = urllib.request.Request(registry.url + "/v1/subjects/warga/diff", headers={"Accept": "text/plain", "Accept-Language": "id"})
    with urllib.request.urlopen(request, timeout=10) as words:
        assert words.headers["Content-Type"].startswith("text/plain") and b"ditambahkan" in words.read()
    assert registry.get("/v1/subjects/warga/diff?from=9")[1]["error_code"] == 40402
    assert registry.get("/v1/subjects/tiada/diff")[1]["error_code"] == 40401
    assert registry.get("/v1/subjects/warga/diff?from=x")[1]["error_code"] == 42202


def test_the_citys_views(sample):
    """No registering: what removing a column would do to the city's own views."""
    url = sample.registry + "/subjects/pku.disdukcapil.penduduk.v1-value/versions/latest/schema"
    with urllib.request.urlopen(url, timeout=10) as answer:
        schema = json.load(answer)
    schema["fields"] = [f for f in schema["fields"] if f["name"] != "kode_kel"]
    request = urllib.request.Request(sample.registry + "/v1/subjects/pku.disdukcapil.penduduk.v1-value/check",
                                     json.dumps({"schema": json.dumps(schema)}).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        found = affected(json.load(answer))
    assert found[("view", "penduduk_hidup_per_kelurahan")] and found[("adapter", "pku.disdukcapil.penduduk.v1")]


def ask_city(sample, subject, change):
    """What the check says of the subject's newest schema, changed."""
    url = sample.registry + "/subjects/%s/versions/latest/schema" % subject
    with urllib.request.urlopen(url, timeout=10) as answer:
        schema = json.load(answer)
    change(schema)
    request = urllib.request.Request(sample.registry + "/v1/subjects/%s/check" % subject,
                                     json.dumps({"schema": json.dumps(schema)}).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {u["name"]: u["because"] for u in json.load(answer)["affected"] if u["kind"] == "view"}


def without(field):
    def change(schema):
        schema["fields"] = [f for f in schema["fields"] if f["name"] != field]
    return change


def test_through_views_only_what_is_needed_goes_up(sample):
    """Of `warga`, which reads all of the register, a view that shows no name does not care for names; one that does says in
    which of its columns. Expected: read off the shipped SQL by hand."""
    subject = "pku.disdukcapil.penduduk.v1-value"
    names = ask_city(sample, subject, without("nama"))
    assert names["penerima_bansos_meninggal"][0]["columns"] == ["nama"]
    assert names["warga"][0]["columns"] == ["nama"]
    assert "penduduk_hidup_per_kelurahan" not in names and "mutu_dinsos_kk_beda" not in names
    area = ask_city(sample, subject, without("kode_kel"))
    assert area["penduduk_hidup_per_kelurahan"][0]["columns"] == ["kode_kel"]
    assert "penerima_bansos_meninggal" not in area
    # compared, not shown: it decides which rows there are
    assert names["mutu_dinsos_nama_beda"][0]["columns"] == []

    def other_type(schema):
        for field in schema["fields"]:
            if field["name"] == "nominal":
                field["type"] = "string"
    changed = ask_city(sample, "pku.dinsos.bansos.v1-value", other_type)
    assert all(b[0]["code"] == "type_changed" for b in changed.values())
    assert "penerima_bansos_meninggal" not in changed  # reads status and program only


def test_views_defined_later_are_told_too(sample):
    text = ("/*---\nname: uji_nominal\ntitle: {id: Uji, en: Trial}\nkey: kunci\ncolumns:\n  kunci: {type: text, pdp: P}\n"
            "  besar: {type: int, pdp: S}\n---*/\nSELECT _key AS kunci, nominal * 2 AS besar FROM dinsos_bansos\n")
    path = "/v1/views/uji_nominal?apply=true"
    request = urllib.request.Request(sample.city.url + path, text.encode(), method="PUT",
                                     headers={"Authorization": "Bearer " + sample.city.key})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 202
    try:
        wait_for(lambda: "uji_nominal" in ask_city(sample, "pku.dinsos.bansos.v1-value", without("nominal")), 60,
                 "the registry to know of the new view")
        because = ask_city(sample, "pku.dinsos.bansos.v1-value", without("nominal"))["uji_nominal"]
        assert because[0]["columns"] == ["besar"] and because[0]["code"] == "field_removed"
    finally:
        sample.request(path, method="DELETE")
        wait_for(lambda: sample.request("/v1/views/uji_nominal/state")[0] == 404, 20, "the view to be gone")

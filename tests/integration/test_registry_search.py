"""Subjects a page at a time, and fields by name, type, class and words; against the catalogue's own files."""
import json
import pathlib
import urllib.parse
import urllib.request

import pytest

AVSC = pathlib.Path(__file__).resolve().parents[2] / "schemas/avsc"


@pytest.fixture(scope="module")
def get(sample):
    def ask(path, **query):
        with urllib.request.urlopen(sample.registry + path + "?" + urllib.parse.urlencode(query), timeout=10) as answer:
            return json.load(answer)
    return ask


def catalogue():
    """(subject, record's schema) of every department's own file."""
    for path in sorted(AVSC.glob("*/*.avsc")):
        schema = json.loads(path.read_text())
        if "{opd}" not in schema["x_topik"]:
            yield schema["x_topik"] + "-value", schema


def test_subjects(get):
    everything = get("/v1/subjects", limit=1000)
    assert everything["next"] is None and everything["total"] == len(everything["subjects"])
    by_name = {s["subject"]: s for s in everything["subjects"]}
    first = [(subject, schema) for subject, schema in catalogue() if by_name[subject]["version"] == 1]
    assert len(first) >= 7  # other tests may have given a subject of the city another version
    for subject, schema in first:
        s = by_name[subject]
        assert (s["doc"], s["topic"], s["fields"]) == (schema["doc"], schema["x_topik"], len(schema["fields"]))
        assert s["name"] == schema["namespace"] + "." + schema["name"] and s["versions"] == 1 and s["uses"] > 0
    paged, after = [], {}
    while after is not None:
        page = get("/v1/subjects", limit=4, **after)
        paged += page["subjects"]
        after = {"after": page["next"]} if page["next"] else None
    assert paged == everything["subjects"]


def top_fields(wanted):
    return {(subject, f["name"]) for subject, schema in catalogue() for f in schema["fields"] if wanted(f)}


def of_type(f, name):
    types = f["type"] if isinstance(f["type"], list) else [f["type"]]
    return any(t == name or (isinstance(t, dict) and name in (t.get("type"), t.get("logicalType"))) for t in types)


@pytest.mark.parametrize("query,wanted", [
    ({"field": "tgl_*"}, lambda f: f["name"].startswith("tgl_")),
    ({"class": "S"}, lambda f: f["x_pdp"] == "S"),
    ({"type": "date", "class": "u"}, lambda f: of_type(f, "date") and f["x_pdp"] == "U"),
    ({"field": "NIK"}, lambda f: f["name"] == "nik")])
def test_fields(get, query, wanted):
    expected = top_fields(wanted)
    assert expected
    own = {subject for subject, _ in catalogue()}
    found = {(m["subject"], m["path"]) for m in get("/v1/search", limit=1000, **query)["matches"] if m["subject"] in own}
    assert {m for m in found if "." not in m[1] and "[" not in m[1]} == expected


def test_nothing_to_look_for(sample):
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(sample.registry + "/v1/search", timeout=10)
    assert e.value.code == 400


def test_an_answer_has_an_end(sample):
    """40 records within each other under long names, 19,000 fields in the innermost: every path would be long."""
    inner = {"type": "record", "name": "R0", "fields": [{"name": "f%d" % i, "type": "int"} for i in range(19000)]}
    for depth in range(1, 40):
        inner = {"type": "record", "name": "R%d" % depth, "fields": [{"name": "n" * 990 + str(depth), "type": inner}]}
    body = json.dumps({"schema": json.dumps(inner)}).encode()
    request = urllib.request.Request(sample.registry + "/subjects/bom/versions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20):
        pass
    with urllib.request.urlopen(sample.registry + "/v1/search?type=int&subjectPrefix=bom&limit=1", timeout=20) as answer:
        text = answer.read()
    found = json.loads(text)
    assert len(text) < 9 << 20 and 0 < len(found["matches"]) <= 1000 and found["cut"] and found["next"] is None
    urllib.request.urlopen(urllib.request.Request(sample.registry + "/subjects/bom", method="DELETE"), timeout=10).close()

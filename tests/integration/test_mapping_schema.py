"""The JSON Schemas that init writes for editors: python-jsonschema takes every shipped mapping, and none that check refuses for its words."""
import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TITIAN = ROOT / "build/release/bin/titian"



class Yaml(yaml.SafeLoader):
    """YAML 1.2, as editors read it: No is a text."""


Yaml.yaml_implicit_resolvers = {c: [r for r in rules if r[0] != "tag:yaml.org,2002:bool"]
                                for c, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), "tf")

GOOD = {"feed": "a", "files": ["*.csv"], "topic": "pku.a.b.v1", "kind": "register", "source": {"kind": "delimited"},
        "values": {"k": {"from": "K", "as": ["clean", {"cut": "1-3"}]}}, "key": "k", "fields": {"k": "k", "f": {"flags": True}},
        "checks": [{"class": "x", "fate": "refuse", "when": {"missing": "k", "bad": ["k"]}}]}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("editor")
    (tmp / "a.csv").write_text("kode,nama\n1,x\n2,y\n")
    subprocess.run([str(TITIAN), "adapter", "init", "--yes", "--out", str(tmp / "d"), str(tmp / "a.csv")], check=True,
                   capture_output=True, timeout=30)
    out = {}
    for name, document in (("mapping", "a.yaml"), ("adapter", "adapter.yaml")):
        text = (tmp / "d/skema-editor" / (name + ".json")).read_text()
        schema = json.loads(text)
        jsonschema.Draft202012Validator.check_schema(schema)
        out[name] = jsonschema.Draft202012Validator(schema)
        first = (tmp / "d" / document).read_text()
        assert first.startswith("# yaml-language-server: $schema=skema-editor/%s.json\n" % name)
        out[name].validate(yaml.load(first, Yaml))
    return out


def test_shipped_mappings_are_taken(schemas):
    paths = [p for folder in ("adapters/opd", "tests/data/xlsx", "tests/data/real") for p in (ROOT / folder).rglob("*.yaml")]
    wrong, seen = [], 0
    for path in paths:
        document = yaml.load(path.read_text(), Yaml)
        kind = "mapping" if "feed" in document else "adapter" if "mappings" in document else None
        if kind:
            seen += 1
            wrong += ["%s: %s" % (path.name, e.message[:200]) for e in schemas[kind].iter_errors(document)]
    assert not wrong and seen >= 40


@pytest.mark.parametrize("change", [
    {"fied": {}}, {"kind": "registr"}, {"source": {"kind": "csv"}}, {"key": None}, {"complete": "ya"}, {"remove_max": 101},
    {"values": {"k": {"form": "K"}}}, {"values": {"k": {"from": "K", "as": "claen"}}}, {"values": {"k": {"from": "K", "as": "cut"}}},
    {"values": {"k": {"from": "K", "as": {"clean": 1}}}}, {"checks": [{"class": "x", "fate": "reject", "when": {"bad": "k"}}]},
    {"checks": [{"class": "x", "fate": "flag", "when": {"mising": "k"}}]}, {"checks": [{"class": "x", "fate": "flag"}]},
])
def test_wrong_mappings_are_not(schemas, change, tmp_path):
    assert schemas["mapping"].is_valid(GOOD)
    wrong = {**GOOD, **change}
    assert not schemas["mapping"].is_valid(wrong)


SQL = {"kind": "sql", "every": "1h", "connection": "Driver=SQLite3;Database=x", "query": "SELECT 1"}
MARKED = {**SQL, "query": "SELECT 1 WHERE a > ?", "mark": {"column": "a", "type": "time", "overlap": "1h", "start": "2025-01-31"}}
OUTBOX = {"kind": "sql", "every": "1h", "connection": "x", "outbox": {"table": "a", "id": "b", "after": {"mark": "c"}, "wait": "1m"}}
HTTP = {"kind": "http", "every": "1h", "url": "https://a.example/"}
FOLDER = {"kind": "folder", "every": "1h", "url": "sftp://a.example/b", "user": "c", "password_file": "d", "host_key": "SHA256:x", "files": ["*.csv"],
          "after": {"move": "selesai"}, "settle": "1m", "max_mb": 5}
DELIMITED = {"kind": "delimited", "skip_rows": [{"column": "nama", "prefix": "Jumlah"}, {"filled": 1}], "end_row": {"column": "kode", "equals": "x"}}
FIXED = {"kind": "fixed", "header": {"record": "H"}, "data": {"record": "D", "length": 20, "shorter": True, "defect": "x",
         "fields": {"kode": [2, 5], "nama": [6, 20]}}, "trailer": {"record": "T", "controls": {"n": {"at": [2, 9], "count": True}, "j": {"at": [10, 19], "sum": "kode"}}},
         "skip_rows": [{"column": "kode", "empty": True}]}


def but(value, path, wrong):
    """value, with the key at the end of path called wrong."""
    out = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1:
        out[wrong] = out.pop(path[0])
    else:
        out[path[0]] = but(value[path[0]], path[1:], wrong)
    return out


CHANGE = {"kind": "postgres", "connection": "host=a", "table": "b"}
# Of options: (part of the mapping, what is good there), and what is wrong in it.
OPTIONS = [
    ("fetch", {**SQL, "password_file": "x", "timeout": "10m"}, [{**SQL, "tiemout": "1m"}, {**SQL, "url": "https://a/"}, {**SQL, "kind": "sqll"}]),
    ("fetch", MARKED, [{**MARKED, "mark": {"column": "a", "type": "time", "overlop": "1h"}}]),
    ("fetch", OUTBOX, [{**OUTBOX, "outbox": {"table": "a", "id": "b", "aftre": "keep"}}, but(OUTBOX, ["outbox", "after", "mark"], "merk")]),
    ("fetch", {**OUTBOX, "outbox": {"table": "a", "id": "b", "after": "keep"}}, [{**OUTBOX, "outbox": {"table": "a", "id": "b", "after": ["keep"]}}]),
    ("fetch", {**HTTP, "rows": "a.b", "total": "n", "pause": "1s", "max_mb": 3, "headers": {"X-A": "b"}, "api_key": {"header": "X", "file": "f"}},
     [{**HTTP, "quary": "x"}, {**HTTP, "api_key": {"header": "X", "file": "f", "more": "x"}}, {**HTTP, "host_key": "SHA256:x"}]),
    ("fetch", {**HTTP, "page": {"by": "number", "parameter": "p", "first": 0}}, [{**HTTP, "page": {"by": "link", "form": 1}}]),
    ("fetch", {**HTTP, "page": {"by": "cursor", "parameter": "p", "at": "a"}}, []),
    ("fetch", {**HTTP, "oauth2": {"url": "https://b/", "client_id": "c", "secret_file": "d", "scope": "e"}},
     [{**HTTP, "oauth2": {"url": "https://b/", "client_id": "c", "secret_file": "d", "skope": "e"}}]),
    ("fetch", FOLDER, [{**FOLDER, "dune": ".ok"}, {**FOLDER, "query": "SELECT 1"}, {**FOLDER, "after": {"mov": "selesai"}}]),
    ("fetch", {**FOLDER, "after": "delete"}, [{**FOLDER, "after": {"mark": "a"}}]),
    ("change", {**CHANGE, "password_file": "a", "publication": "p", "slot": "titian_a", "heartbeat": "none", "lag_warn_mb": 5},
     [{**CHANGE, "tabel": "b"}, {**CHANGE, "kind": "mysql"}]),
    ("limits", {"rows_per_second": 5, "bytes_per_second": 5000}, [{"rows_per_secund": 5}, {"rows_per_second": 0}]),
    ("source", {"kind": "delimited", "separator": ";", "quote": "'", "encoding": "windows-1252", "title_rows": 1, "header_rows": 1, "defect": "x"},
     [{"kind": "delimited", "seperator": ";"}, {"kind": "delimited", "sheet": "a"}]),
    ("source", DELIMITED, [but(DELIMITED, ["skip_rows", 0, "prefix"], "prefiks"), but(DELIMITED, ["skip_rows", 1, "filled"], "fild"),
                           but(DELIMITED, ["end_row", "column"], "kolom")]),
    ("source", FIXED, [but(FIXED, ["header", "record"], "rekord"), but(FIXED, ["data", "shorter"], "shorted"), but(FIXED, ["data", "fields"], "field"),
                       but(FIXED, ["trailer", "controls"], "control"), but(FIXED, ["trailer", "controls", "j", "sum"], "summ"),
                       but(FIXED, ["skip_rows", 0, "empty"], "emty"), {**FIXED, "data": {**FIXED["data"], "lenght": 20}}]),
    ("source", {"kind": "json", "rows": "a", "defect": "x"}, [{"kind": "json", "row": "a"}]),
    ("source", {"kind": "xlsx", "sheet": "a", "header": 2, "fill_merged": True, "until_empty": True}, [{"kind": "xlsx", "header_row": 2}]),
    ("source", {"kind": "ods", "sheet": "a", "header_rows": 2, "range": "A:B"}, [{"kind": "ods", "sheets": "a"}]),
    ("source", {"kind": "sqldump", "table": "a", "backslash": True}, [{"kind": "sqldump", "table": "a", "rows": "b"}]),
    ("source", {"kind": "xml", "rows": "//n:a", "namespaces": {"n": "urn:a"}}, [{"kind": "xml", "rows": "//a", "namespace": {}}]),
]


@pytest.mark.parametrize("part, good, wrong", OPTIONS)
def test_what_check_takes_the_editor_takes_and_no_more(schemas, part, good, wrong, tmp_path):
    (tmp_path / "a.csv").write_text("kode,nama\n1,x\n2,y\n")
    subprocess.run([str(TITIAN), "adapter", "init", "--yes", "--out", str(tmp_path / "d"), str(tmp_path / "a.csv")], check=True, capture_output=True, timeout=30)
    mapping = yaml.load((tmp_path / "d/a.yaml").read_text(), Yaml)

    def both(value):
        document = {**mapping, part: value}
        if part in ("fetch", "change"):
            document["source"] = {"kind": "jsonl"}
            del document["files"]
        if part == "change":
            document["complete"] = True
            document["checks"] = [c for c in document["checks"] if "repeated" not in c["when"]]
        (tmp_path / "d/a.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        done = subprocess.run([str(TITIAN), "adapter", "check", "--config", str(tmp_path / "d/adapter.yaml")], capture_output=True, text=True, timeout=30)
        return done.returncode == 0, schemas["mapping"].is_valid(document), done.stderr
    assert both(good)[:2] == (True, True), both(good)
    for value in wrong:
        assert both(value)[:2] == (False, False), both(value)


def test_every_option_that_the_guides_show_is_known(schemas):
    """Not made from the readers: the examples of the documentation."""
    seen = 0
    for path in [ROOT / "adapters/README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```yaml\n(.*?)```", path.read_text(), re.S):
            try:
                document = yaml.load(block, Yaml)
            except yaml.YAMLError:
                continue
            for part in ("fetch", "change"):
                if isinstance(document, dict) and isinstance(document.get(part), dict) and "kind" in document[part]:
                    schema = {"$ref": "#/$defs/" + part, "$defs": schemas["mapping"].schema["$defs"]}
                    errors = [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(document[part])]
                    assert not errors, (path.name, errors)
                    seen += 1
    assert seen >= 4


def test_options_of_the_program_and_no_others(schemas):
    """--help's list of options is the schema's, one for one."""
    text = subprocess.run([str(TITIAN), "adapter", "--help"], capture_output=True, text=True, timeout=30).stdout
    known = {word for line in text.splitlines() for word in line.split()[:1]}
    properties = schemas["adapter"].schema["properties"]
    names = set()
    for name, option in properties.items():
        names |= {name} if option["type"] != "object" or "properties" not in option else {
            "%s.%s" % (name, sub) for sub in option["properties"]}
    assert len(names) > 15 and names <= known | {"kafka"}, names - known
    assert not schemas["adapter"].is_valid({"opdd": "x"}) and not schemas["adapter"].is_valid({"drop": {"dri": "x"}})

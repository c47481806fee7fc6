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

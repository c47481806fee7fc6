"""Writes keywords.json: what the metaschemas say of every keyword with every kind of value.

The verdicts are those of the `jsonschema` package (its validators' check_schema). Where Confluent's registry takes
what a metaschema refuses and it does no harm, Titian does too: lax() has those, written as valid.

    build/venv/bin/python tests/vectors/json_schema/make.py
"""
import json
import pathlib

import jsonschema

DRAFTS = {
    "http://json-schema.org/draft-04/schema#": jsonschema.Draft4Validator,
    "http://json-schema.org/draft-06/schema#": jsonschema.Draft6Validator,
    "http://json-schema.org/draft-07/schema#": jsonschema.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema.Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": jsonschema.Draft202012Validator,
}
VALUES = ["null", "true", "false", "-1", "0", "1", "1.0", "1.5", "2e1", '"x"', '""', '"#"', '"string"', "[]",
          '["a"]', '["a","b"]', '["a","a"]', "[1]", "[1,1]", '["string","null"]', "{}", '{"a":1}', '{"a":{}}',
          '{"a":true}', '{"a":["x"]}', '{"a":["x","x"]}', '{"a":[]}', '{"a":{"type":"x"}}', "[{}]", "[true]",
          '[{"type":"x"}]', '{"type":"string"}', '{"type":"x"}', '{"type":[]}', '{"not":{"minLength":-1}}']
KEYWORDS = """$comment $defs $recursiveAnchor $vocabulary additionalItems additionalProperties
allOf anyOf const contains contentEncoding contentMediaType contentSchema default definitions dependencies
dependentRequired dependentSchemas deprecated description else enum examples exclusiveMaximum exclusiveMinimum
format if items maxContains maxItems maxLength maxProperties maximum minContains minItems minLength minProperties
minimum multipleOf not oneOf patternProperties pattern prefixItems properties propertyNames readOnly required then
title type unevaluatedItems unevaluatedProperties uniqueItems unknown writeOnly""".split()


def lax(draft, keyword, value):
    """Confluent's registry takes these: Everit reads `required` and `enum` as sets, whole numbers as numbers, and
    knows no $recursiveAnchor."""
    if draft.endswith("draft-04/schema#"):
        if keyword == "dependencies":
            return value == {"a": []} or value == {"type": []}
        if keyword[:3] in ("max", "min"):
            return value in (1, 20) and value is not True
    return (keyword == "required" and value == []
            or keyword == "enum" and isinstance(value, list)
            or keyword == "$recursiveAnchor" and draft.endswith("2020-12/schema"))


def valid(cls, schema):
    try:
        cls.check_schema(schema, format_checker=None)
        return True
    except jsonschema.SchemaError:
        return False


rows = []
for uri, cls in DRAFTS.items():
    for keyword in KEYWORDS:
        verdicts = ""
        for text in VALUES:
            value = json.loads(text)
            schema = {"$schema": uri, keyword: value}
            if keyword == "writeOnly" and cls is jsonschema.Draft7Validator:
                schema = {"$schema": uri, "readOnly": value}  # the package's copy of draft 7 is from before writeOnly
            if keyword in ("exclusiveMinimum", "exclusiveMaximum"):
                schema[keyword.replace("exclusiveM", "m")] = 5  # draft 4 wants it
            verdicts += "+" if lax(uri, keyword, value) or valid(cls, schema) else "-"
        rows.append([uri, keyword, verdicts])
out = pathlib.Path(__file__).parent / "keywords.json"
lines = ",\n".join(json.dumps(r) for r in rows)
out.write_text('{"jsonschema": "%s",\n"values": %s,\n"rows": [\n%s\n]}\n'
               % (jsonschema.__version__, json.dumps(VALUES), lines))

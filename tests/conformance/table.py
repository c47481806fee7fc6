"""Writes docs/registry-conformance.md from what the cases said: ours now, the peers' from their records.

    table.py http://127.0.0.1:8081 > docs/registry-conformance.md      (a titian-registry; make conformance-table)
"""
import json
import sys

import conformance

HEAD = """# The registry against its peers

Written by `make conformance-table` from the %(cases)d cases of `tests/conformance/cases`; never by hand. A case is a sequence of
requests with the status, error code, message and body that its source wants. *n/m*: n of the endpoint's m cases are
equal; *+k*: k more differ only in the words of a message or the spelling of a schema. What differs is below the table.

- **Titian**: run now, at every `make test`, against real Kafka.
- **Confluent**: not run (its registry is in no public package index). The cases are written from its source and its
  own tests at commit 794611bd (2026-08-22); the number is of cases with such a source.
%(peers)s
| endpoint | Titian | Confluent (by source) | %(names)s |
|---|---|---|%(dashes)s
"""


def peers():
    """The records, in the order of their file names."""
    return [json.loads(p.read_text()) for p in sorted((conformance.HERE / "peers").glob("*.json"))]


def cell(results, ids):
    known = [results[i] for i in ids if i in results]
    equal = sum(v in (None, "equal") for v in known)
    words = sum(str(v).startswith("words: ") for v in known)
    return "%d/%d%s" % (equal, len(known), " +%d" % words if words else "") if known else "not run"


def differences(name, cases, results):
    lines = [(c["id"], results[c["id"]]) for c in cases if results.get(c["id"]) not in (None, "equal")]
    if not lines:
        return ["", "## %s differs in" % name, "", "Nothing."]
    return ["", "## %s differs in" % name, ""] + [
        "- %s  \n  `%s`" % (escaped(i), " ".join(str(d).replace("`", "'").split())) for i, d in lines]


def escaped(text):
    return text.replace("*", "\\*").replace("_", "\\_").replace("<", "\\<")


def text(seen):
    cases, records = conformance.load(), peers()
    endpoints = []
    for case in cases:
        if case["endpoint"] not in endpoints:
            endpoints.append(case["endpoint"])
    out = HEAD % {
        "cases": len(cases), "names": " | ".join(r["peer"].split(" ")[0] for r in records), "dashes": "---|" * len(records),
        "peers": "".join("- **%s**: recorded %s, %s\n" % (r["peer"], r["date"], r["note"]) for r in records)}
    columns = [seen] + [r["cases"] for r in records]
    for endpoint in endpoints:
        ids = [c["id"] for c in cases if c["endpoint"] == endpoint]
        confluent = sum(c["endpoint"] == endpoint and c["source"].startswith("confluent") for c in cases)
        cells = [cell(c, ids) for c in columns]
        cells.insert(1, str(confluent) if confluent else "–")
        out += "| `%s` | %s |\n" % (endpoint, " | ".join(cells))
    everything = [c["id"] for c in cases]
    cells = ["**%s**" % cell(c, everything) for c in columns]
    cells.insert(1, "**%d**" % sum(c["source"].startswith("confluent") for c in cases))
    out += "| all | %s |\n" % " | ".join(cells)
    lines = differences("Titian", cases, seen)
    for r in records:
        lines += differences(r["peer"], cases, r["cases"])
    return out + "\n".join(lines) + "\n"


if __name__ == "__main__":
    base = sys.argv[1]
    sys.stdout.write(text({c["id"]: conformance.run_one(base, c, n) for n, c in enumerate(conformance.load())}))

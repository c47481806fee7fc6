"""Runs the cases of cases/*.yaml against any registry that speaks Confluent's API.

    conformance.py http://127.0.0.1:8081 [--only WORD] [--record peers/NAME.json --peer "NAME VERSION"]

A case is a list of steps; a step is [METHOD /path, body to send (POST, PUT), status or error code (or a list of such),
what is wanted].
Wanted of an answer: a mapping is a subset, a list is exact, and
    $name     the value, if it is known already; else it is remembered under that name
    $any      anything          $absent  not there        ~regex  a string that matches whole
    {$only: mapping}  no other fields      {$has: list}  at least these      {$set: list}  in any order
    {$json: value}    a string that holds this JSON
Wanted of an error is its message. $s $t $u are subjects, $c a context of the case's own; $A and the like are the
texts in schemas.yaml, where $n makes them the case's own; $guid_A is the GUID of $A. Steps under "after" run whatever happened.
"""
import argparse
import contextlib
import datetime
import hashlib
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TYPE = "application/vnd.schemaregistry.v1+json"


class Deviation(Exception):
    """What a client sees."""


def load():
    """Every case: id, endpoint, name, source, steps, after."""
    cases = []
    for path in sorted((HERE / "cases").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text()):
            for case in group["cases"]:
                case = {"endpoint": group["endpoint"], "after": [], **case}
                case["id"] = "%s: %s" % (case["endpoint"], case["name"])
                cases.append(case)
    ids = [c["id"] for c in cases]
    assert len(ids) == len(set(ids)), "two cases of one name"
    return cases


def ask(base, method, path, body=None, headers=None):
    data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    path = urllib.parse.quote(path, safe="/?=&%:.+-_*")
    request = urllib.request.Request(base + path, data, {"Content-Type": TYPE, **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, head, text = answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as e:
        status, head, text = e.code, e.headers, e.read().decode()
    try:
        return status, head, json.loads(text)
    except ValueError:
        return status, head, text


class Run:
    """One case against one registry."""

    def __init__(self, base, case, number, schemas):
        self.base, self.case, self.words = base, case, None
        n = "%x_%d" % (int(time.time() * 1000) & 0xffffffffff, number)
        self.known = {"n": n, "s": "s-" + n, "t": "t-" + n, "u": "u-" + n, "c": ".c" + n.replace("_", "-")}
        for name, text in schemas.items():
            self.known[name] = text = text.replace("$n", n)
            # a schema without references, metadata and rules: MD5 of its text (Confluent Schema.updateHash)
            self.known["guid_" + name] = str(uuid.UUID(bytes=hashlib.md5(text.encode()).digest()))

    def fill(self, value):
        """value with the variables that are known."""
        if isinstance(value, str):
            if value[:1] == "$" and value[1:] in self.known:
                return self.known[value[1:]]
            return re.sub(r"\$(\w+)", lambda m: str(self.known.get(m[1], m[0])), value)
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        return value

    def match(self, want, got, where):
        want = self.fill(want)
        operator = next(iter(want)) if isinstance(want, dict) and len(want) == 1 else ""
        if operator in ("$only", "$has", "$set", "$json"):
            getattr(self, "match_" + operator[1:])(want[operator], got, where)
        elif isinstance(want, dict):
            need(isinstance(got, dict), where, got)
            for key, inner in want.items():
                if inner == "$absent":
                    need(key not in got, "%s.%s" % (where, key), got.get(key))
                else:
                    need(key in got, "%s.%s" % (where, key))
                    self.match(inner, got[key], "%s.%s" % (where, key))
        elif isinstance(want, list):
            need(isinstance(got, list) and len(want) == len(got), where, got)
            for i, inner in enumerate(want):
                self.match(inner, got[i], "%s[%d]" % (where, i))
        elif not isinstance(want, str):
            need(want == got and isinstance(want, bool) == isinstance(got, bool), where, got)
        elif re.fullmatch(r"\$\w+", want):
            if want != "$any":
                self.known[want[1:]] = got
        elif want[:1] == "~":
            need(isinstance(got, str) and re.fullmatch(want[1:], got, re.DOTALL), where, got)
        elif want != got and same_json(want, got):
            self.words = self.words or "%s is %s" % (where, shown(got))
        else:
            need(want == got, where, got)

    def match_only(self, want, got, where):
        self.match(want, got, where)
        need(set(got) == set(want), where, got)

    def match_has(self, want, got, where):
        need(isinstance(got, list) and all(item in got for item in want), where, got)

    def match_set(self, want, got, where):
        need(isinstance(got, list) and sorted(map(str, want)) == sorted(map(str, got)), where, got)

    def match_json(self, want, got, where):
        try:
            self.match(want, json.loads(got), where)
        except (TypeError, ValueError):
            need(False, where, got)

    def ask(self, step):
        """Does the step: what it is, what is allowed, what is wanted (a list of none or one), headers, and the answer."""
        what, *rest = step
        method, path = self.fill(what).split(" ", 1)
        headers = rest.pop()["$headers"] if isinstance(rest[-1], dict) and "$headers" in rest[-1] else {}
        body = self.fill(rest.pop(0)) if isinstance(rest[0], (dict, str)) else None
        allowed = rest.pop(0) if isinstance(rest[0], list) else [rest.pop(0)]
        accept = {"Accept": headers["Accept"]} if "Accept" in headers else {}
        return what, allowed, rest, headers, ask(self.base, method, path, body, accept)

    def step(self, step):
        what, allowed, wanted, headers, (status, head, got) = self.ask(step)
        code = got.get("error_code") if isinstance(got, dict) else None
        if status != int(str(allowed[0])[:3]):
            raise Deviation("%s: status %d, error code %s" % (what, status, code))
        if status >= 400:
            need(code in allowed, what + ": error code", code)
            try:
                for message in wanted:
                    self.match(message, got.get("message"), what + ": message")
            except Deviation as e:
                self.words = self.words or str(e)
            return
        if "answer" in headers:
            need(head.get("Content-Type") == headers["answer"], what + ": content type", head.get("Content-Type"))
        for body in wanted:
            self.match(body, got, what + ": answer")

    def tidy(self, text):
        return text.replace(self.known["n"], "N").replace(self.known["c"], ".c")

    def run(self):
        """None, or what is different: "words: " when only a message's or a schema's spelling is."""
        try:
            for step in self.case["steps"]:
                self.step(step)
            return self.words and self.tidy("words: " + self.words)
        except Deviation as e:
            return self.tidy(str(e))
        except OSError as e:
            return "no answer: %s" % type(e).__name__
        finally:
            with contextlib.suppress(OSError):
                for step in self.case["after"]:
                    self.ask(step + [200])


def need(true, where, *got):
    if not true:
        raise Deviation("%s is %s" % (where, shown(got[0]) if got else "missing"))


def same_json(a, b):
    try:
        return isinstance(a, str) and isinstance(b, str) and json.loads(a) == json.loads(b)
    except ValueError:
        return False


def shown(value):
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else "'%s'" % value
    return text if len(text) <= 200 else text[:200] + "..."


def run_one(base, case, number):
    schemas = yaml.safe_load((HERE / "schemas.yaml").read_text())
    return Run(base.rstrip("/"), case, number, schemas).run()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("--only", default="", help="only cases whose id holds this word")
    parser.add_argument("--record", help="write what was seen to this file")
    parser.add_argument("--peer", help="name and version, for the record")
    parser.add_argument("--note", default="", help="how it was run, for the record")
    options = parser.parse_args()
    seen = {}
    for number, case in enumerate(load()):
        if options.only in case["id"]:
            seen[case["id"]] = run_one(options.base, case, number)
            if seen[case["id"]] is not None:
                print("differs  %s\n         %s" % (case["id"], seen[case["id"]]))
    equal = sum(v is None for v in seen.values())
    print("%d cases: %d equal, %d different" % (len(seen), equal, len(seen) - equal))
    if options.record:
        record = {"peer": options.peer, "note": options.note, "date": datetime.date.today().isoformat(),
                  "cases": {k: "equal" if v is None else v for k, v in sorted(seen.items())}}
        pathlib.Path(options.record).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return 0 if equal == len(seen) else 1


if __name__ == "__main__":
    sys.exit(main())

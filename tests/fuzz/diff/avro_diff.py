"""Differential fuzzing: random schemas and values; Titian's Avro engine against Avro Java and fastavro.

    avro_diff.py [--seed N] [--seconds N] [--cases N] [--out DIR] [--case FILE]

Both engines run as processes that answer lines of JSON (AvroOracle.java, avro_lines.c):

    {"op": "schema", "schema": T}                         canonical, text (toString), crc, logical, strict (accepted)
    {"op": "encode", "schema": T, "json": T}              binary (hex)
    {"op": "decode", "schema": T, "binary": hex}          json
    {"op": "resolve", "writer": T, "reader": T, "binary"} json
    {"op": "compat", "reader": T, "writer": T}            compatible, reasons

and "ok": whether it could be done. fastavro encodes the same values. A case on which they disagree is made smaller
while they go on to disagree, printed, and written to DIR (build/fuzz-diff); --case FILE asks one again. The seed is
printed. Exit: 0 no disagreement, 1 some, 2 an engine is not there.
"""
import argparse
import copy
import io
import json
import math
import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import avro_gen
import fastavro

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
JAVA = ROOT / "build/avro-java"
OURS = ROOT / "build/release/avro_lines"


def build_java():
    """The jars from Maven Central and the oracle's class, once."""
    mark = JAVA / ".complete"
    sources = (HERE / "pom.xml").read_text() + (HERE / "AvroOracle.java").read_text()
    if mark.exists() and mark.read_text() == sources:
        return
    JAVA.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime",
                    f"-DoutputDirectory={JAVA}/lib"], check=True, stdout=sys.stderr)
    subprocess.run(["javac", "-d", JAVA, "-cp", f"{JAVA}/lib/*", HERE / "AvroOracle.java"], check=True)
    mark.write_text(sources)


class Engine:
    def __init__(self, name, args):
        self.name = name
        self.args = args
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def send(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            code = self.process.returncode
            self.start()
            return {"ok": None, "why": f"{self.name} died with {code}"}
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def float32(v):
    try:
        return struct.unpack("<f", struct.pack("<f", v))[0]
    except OverflowError:
        return math.copysign(math.inf, v)


def same(a, b):
    """JSON by value; a float may be written with the digits of a double or of a float."""
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        if isinstance(a, int) and isinstance(b, int):
            return a == b
        a, b = float(a), float(b)
        return (a == b or float32(a) == float32(b)) and math.copysign(1, a) == math.copysign(1, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    return a == b


def same_text(a, b):
    """Byte by byte, but for the digits of a double: Java before 19 does not always find the fewest."""
    return a == b or json.loads(a, object_pairs_hook=list) == json.loads(b, object_pairs_hook=list)


# Where Avro Java 1.12.2 is known to be wrong (tests/vectors/README.md), or stops for reasons of its own.
JAVA_FAULTS = [
    "Collection claims", "Cannot allocate", "Schema fields not set yet", "StackOverflowError", "OutOfMemoryError",
    # It rewrites the whole writer's schema by the reader's aliases before it reads, and then these parts are not a
    # schema any more; ours fails when data reach them.
    "Duplicate field", "Duplicate in union", "Invalid default for field",
    # An int of more than 32 bits in what the reader does not want: skipped here as any number.
    "Invalid int encoding",
]


def difference(request, java, ours):
    """What is different, in words; None: nothing that counts."""
    if ours["ok"] is None or java["ok"] is None:
        return ours.get("why") or java.get("why")
    if request["op"] != "schema" and any(fault in java.get("why", "") for fault in JAVA_FAULTS):
        return None
    if request["op"] == "compat":
        if not java["ok"]:  # an exception counts as incompatible
            return None if not ours.get("compatible") else "compatible where Java throws"
        if not ours["ok"]:
            return "a schema is refused"
        for key in ("compatible", "reasons"):
            if java[key] != ours[key]:
                return f"{key} differ"
        return None
    if java["ok"] != ours["ok"]:
        # A stricter answer is no fault where something was broken on purpose.
        if java["ok"] and request.get("broken"):
            return None
        return "accepted where Java refuses" if ours["ok"] else "refused where Java accepts"
    if not java["ok"]:
        return None
    if request["op"] == "schema":
        if java["strict"] != ours["strict"] and not (java["strict"] and request.get("broken")):
            return "strict: accepted where Java refuses" if ours["strict"] else "strict: refused where Java accepts"
        for key in ("canonical", "crc", "logical"):
            if java[key] != ours[key]:
                return f"{key} differs"
        return None if same_text(java["text"], ours["text"]) else "text differs"
    if request["op"] == "encode":
        # Java puts the entries of a map in an order of its own; fastavro says what is right (Run.values).
        return None if sorted(bytes.fromhex(java["binary"])) == sorted(bytes.fromhex(ours["binary"])) else "other bytes"
    return None if same(json.loads(java["json"]), json.loads(ours["json"])) else "other value"


class Pair:
    def __init__(self):
        self.java = Engine("java", ["java", "-Xss16m", "-XX:+UseSerialGC", "-cp", f"{JAVA}:{JAVA}/lib/*", "AvroOracle"])
        self.ours = Engine("titian", [str(OURS)])
        self.asked = 0

    def ask(self, request):
        self.java.send(request)
        self.ours.send(request)
        self.asked += 1
        java, ours = self.java.receive(), self.ours.receive()
        return java, ours, difference(request, java, ours)

    def close(self):
        self.java.close()
        self.ours.close()


def plain(schema):
    """Without logical types: fastavro would convert the values."""
    if isinstance(schema, dict):
        return {k: plain(v) for k, v in schema.items() if k not in ("logicalType", "precision", "scale")}
    return [plain(s) for s in schema] if isinstance(schema, list) else schema


def fastavro_bytes(schema, native):
    try:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, plain(schema), native)
        return out.getvalue().hex()
    except Exception:  # what fastavro cannot do says nothing about us
        return None


def smaller(value):
    """Every JSON with one piece taken out of it, larger pieces first."""
    if isinstance(value, dict):
        for k in value:
            yield {x: v for x, v in value.items() if x != k}
        for k in value:
            for v in smaller(value[k]):
                yield {**value, k: v}
    elif isinstance(value, list):
        for i in range(len(value)):
            yield value[:i] + value[i + 1:]
        for i, item in enumerate(value):
            for v in smaller(item):
                yield value[:i] + [v] + value[i + 1:]
    if isinstance(value, (dict, list)) and value:
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, (dict, list, str)):
                yield inner


def shrink(pair, request, what, most=600):
    """A smaller request on which the same difference shows."""
    texts = [k for k in ("schema", "writer", "reader") if k in request]
    again = True
    while again and most > 0:
        again = False
        for key in texts:
            for value in smaller(json.loads(request[key])):
                most -= 1
                if most <= 0:
                    break
                tried = {**request, key: json.dumps(value, ensure_ascii=False)}
                if pair.ask(tried)[2] == what:
                    request, again = tried, True
                    break
    return request


class Run:
    def __init__(self, pair, out):
        self.pair = pair
        self.out = out
        self.found = 0
        self.kinds = {}

    def tell(self, case, request, java, ours, what):
        kind = (request["op"], what)
        self.found += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if self.kinds[kind] > 3:  # more of the same
            return
        request = shrink(self.pair, request, what) if "fastavro" not in what else request
        if "fastavro" not in what:
            java, ours, _ = self.pair.ask(request)
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{case.replace('/', '-')}-{request['op']}-{self.kinds[kind]}.json"
        path.write_text(json.dumps({"request": request, "java": java, "titian": ours}, indent=1))
        print(f"case {case}: {request['op']}: {what} ({path})\n  request {json.dumps(request)[:1500]}\n"
              f"  java    {json.dumps(java)[:600]}\n  titian  {json.dumps(ours)[:600]}", flush=True)

    def ask(self, case, **request):
        java, ours, what = self.pair.ask(request)
        if what:
            self.tell(case, request, java, ours, what)
        return java, ours

    def values(self, case, rng, gen, schema, text):
        """One value, there and back; gives its bytes, or None."""
        try:
            value, native = gen.value(schema, "", 8)
        except avro_gen.Unfit:
            return None
        java, ours = self.ask(case, op="encode", schema=text, json=json.dumps(value, ensure_ascii=rng.random() < 0.5))
        if not java["ok"] or not ours["ok"]:
            return None
        other = fastavro_bytes(schema, native)
        if other is not None and other != ours["binary"]:
            self.tell(case, {"op": "encode", "schema": text, "json": json.dumps(value)}, {"fastavro": other}, ours,
                      "other bytes than fastavro")
        self.ask(case, op="decode", schema=text, binary=ours["binary"])
        return ours["binary"]

    def damage(self, case, rng, text, binary):
        """The bytes with something wrong in them; what both still read must be the same."""
        data = bytearray.fromhex(binary)
        if not data:
            return
        for _ in range(rng.choice([1, 1, 2])):
            i = rng.randrange(len(data)) if data else 0
            what = rng.randrange(3)
            if what == 0 and data:
                data[i] = rng.randrange(256)
            elif what == 1 and data:
                del data[i:]
            else:
                data[i:i] = bytes([rng.choice([0, 1, 2, 3, 127, 128, 255])])
        self.ask(case, op="decode", schema=text, binary=data.hex(), broken=True)

    def case(self, name, rng):
        gen = avro_gen.Generator(rng, rng.choice([3, 6, 12, 25]))
        schema = gen.schema()
        text = json.dumps(schema, ensure_ascii=rng.random() < 0.5)
        java, ours = self.ask(name, op="schema", schema=text)
        broken = avro_gen.break_schema(schema, rng)
        self.ask(name, op="schema", schema=json.dumps(broken), broken=True)
        if not java["ok"] or not ours["ok"]:
            return
        binary = self.values(name, rng, gen, schema, text)
        reader = avro_gen.Generator(rng, 6).schema() if rng.random() < 0.1 else avro_gen.twist(schema, rng)
        reader = json.dumps(reader)
        java, ours = self.ask(name, op="schema", schema=reader)
        if java["ok"] and ours["ok"]:
            self.ask(name, op="compat", reader=reader, writer=text)
            self.ask(name, op="compat", reader=text, writer=reader)
            if binary is not None:
                self.ask(name, op="resolve", writer=text, reader=reader, binary=binary)
        if binary is not None:
            self.damage(name, rng, text, binary)


def again(pair, path):
    request = json.loads(Path(path).read_text())["request"]
    java, ours, what = pair.ask(request)
    print(json.dumps({"request": request, "java": java, "titian": ours}, indent=1))
    print(what or "no difference")
    return 1 if what else 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    p.add_argument("--seconds", type=float, default=20)
    p.add_argument("--cases", type=int, default=10**9)
    p.add_argument("--first", type=int, default=0, help="the number of the first case")
    p.add_argument("--out", type=Path, default=ROOT / "build/fuzz-diff")
    p.add_argument("--case", help="a file that an earlier run wrote: ask it again")
    args = p.parse_args()
    try:
        build_java()
        pair = Pair()
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"an engine is missing: {e}", file=sys.stderr)
        return 2
    if args.case:
        return again(pair, args.case)
    run = Run(pair, args.out)
    end = time.monotonic() + args.seconds
    n = args.first
    while n < args.first + args.cases and time.monotonic() < end:
        name = f"{args.seed}/{n}"
        run.case(name, random.Random(name))
        n += 1
    asked = pair.asked
    pair.close()
    for (op, what), count in sorted(run.kinds.items()):
        print(f"  {op}: {what}: {count}")
    print(f"seed {args.seed}: {n - args.first} cases, {asked} questions, {run.found} disagreements")
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main())

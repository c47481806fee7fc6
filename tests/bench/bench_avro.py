#!/usr/bin/env python3
"""The Avro engine beside avro-c, fastavro and Avro Java, one thread each, on the same records in one run.

What each does, one record at a time:

  decode   bytes -> a value that may be read at random, its memory reused: our cells (schema_read_cells),
           avro-c's generic value, a GenericRecord handed back to GenericDatumReader; fastavro makes a new dict.
           We check UTF-8 and every bound, and that nothing is left over; nobody else does.
  resolve  the same through a reader's schema: fields in another order, wider numbers, every fifth left out.
  project  the same, a reader's schema of three fields.
  encode   that value -> bytes in a reused buffer.
  to_json  bytes -> Avro JSON text; avro-c and Java by way of their values (JsonEncoder), fastavro its json_writer.
  from_json  Avro JSON text -> bytes (avro-c has no such thing).

Java: 1.12 with its fast reader and without, the better of the two; one JVM a shape, warmed up. avro-c: without a
resolver and through a resolved writer. Speeds are the best of several rounds, by CPU time of
the one thread (Java's collector and compiler, in threads of their own, are not counted), since a busy machine would
choose the winner. MB: of Avro bytes, 10^6.
Prints `name value unit` lines; ratios: ours / theirs, the least of the flat shapes, and of all.
"""
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import time

import fastavro

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build/bench_avro"
JAVA_LIB = ROOT / "build/avro_java/lib"
CATALOGUE = ["disdukcapil/penduduk", "dinkes/kunjungan", "bapenda/pbb"]
FLAT = ["penduduk", "kunjungan", "pbb", "numbers"]
OPS = ["decode", "resolve", "project", "encode", "to_json", "from_json"]
RECORDS = 1000
WORDS = "Jalan Sudirman Pekanbaru Marpoyan Tampan Siti Budi Rahmawati Puskesmas Kelurahan Umum Riau".split()


def record(name, *fields):
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}


def numbers():
    kinds = ["int", "long", "double", "float", "boolean", "long", "int", "double"]
    return record("Numbers", *[("f%d" % i, kinds[i % len(kinds)]) for i in range(24)])


def nested():
    place = record("Place", ("name", "string"), ("lat", "double"), ("lon", "double"),
                   ("extra", {"type": "map", "values": ["null", "string", "long"]}))
    event = record("Event", ("at", "long"), ("what", ["null", "string", "int", "Place"]),
                   ("tags", {"type": "map", "values": {"type": "array", "items": "int"}}))
    return record("Case", ("id", "string"), ("place", ["null", place]), ("events", {"type": "array", "items": event}),
                  ("next", ["null", "Case"]), ("note", ["null", "string"]))


def arrays():
    return record("Arrays", ("id", "int"), ("series", {"type": "array", "items": "double"}),
                  ("counts", {"type": "array", "items": "int"}), ("names", {"type": "array", "items": "string"}),
                  ("points", {"type": "array", "items": record("Point", ("x", "int"), ("y", "int"), ("w", "float"))}))


class Values:
    """Seeded values of a schema, long enough to look like a city's."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.named = {}
        self.depth = 0

    def text(self, name):
        r = self.random
        if name in ("nik", "no_kk", "nop"):
            return "%016d" % r.randrange(10**16)
        if name.startswith("id_"):
            return "%032x" % r.getrandbits(128)
        if name.startswith("kode"):
            return "%010d" % r.randrange(10**10)
        return " ".join(r.choices(WORDS, k=r.randint(1, 3)))

    def value(self, t, name=""):
        r = self.random
        if isinstance(t, list):
            b = t[1:] if "null" in t and r.random() < 0.75 else t
            b = ["null"] if self.depth > 5 and "null" in t else b
            return self.value(r.choice(b), name)
        if isinstance(t, dict):
            kind = t["type"]
            if "name" in t:
                self.named[t["name"]] = t
        else:
            kind, t = t, self.named.get(t, {"type": t})
            kind = t["type"]
        if kind == "record":
            self.depth += 1
            out = {f["name"]: self.value(f["type"], f["name"]) for f in t["fields"]}
            self.depth -= 1
            return out
        if kind == "array":
            n = r.randint(0, 2) if name == "tanda" or name == "diagnosa" else r.randint(1, 4) if self.depth > 1 or name == "events" else r.randint(20, 60)
            return [self.value(t["items"]) for _ in range(n)]
        if kind == "map":
            return {r.choice(WORDS) + str(i): self.value(t["values"]) for i in range(r.randint(1, 4))}
        if kind == "enum":
            return r.choice(t["symbols"])
        return {"null": lambda: None, "boolean": lambda: r.random() < 0.5, "string": lambda: self.text(name),
                "int": lambda: r.randrange(-100, 40000), "long": lambda: r.randrange(10**r.randint(1, 13)),
                "double": lambda: round(r.uniform(-200, 200), 6), "float": lambda: r.randrange(1000) / 8,
                "bytes": lambda: r.randbytes(12)}[kind]()


def bare(t):
    """The schema without logical types: values stay what they are on the wire, for everybody."""
    if isinstance(t, list):
        return [bare(b) for b in t]
    if not isinstance(t, dict):
        return t
    if t["type"] in ("int", "long", "string", "bytes"):
        return t["type"]
    keep = {k: v for k, v in t.items() if k in ("type", "name", "namespace", "symbols", "size")}
    if "fields" in t:
        keep["fields"] = [{"name": f["name"], "type": bare(f["type"])} for f in t["fields"]]
    for k in ("items", "values"):
        if k in t:
            keep[k] = bare(t[k])
    return keep


def labelled(t, v, named):
    """A value as Avro JSON has it (fastavro's own writer loses its way in a recursive schema)."""
    if isinstance(t, list):
        def fits(b):
            kind = named[b]["type"] if isinstance(b, str) and b in named else b["type"] if isinstance(b, dict) else b
            return isinstance(v, {"null": type(None), "string": str, "int": int, "long": int, "record": dict}.get(kind, ()))
        branch = next(b for b in t if fits(b))
        label = branch["name"] if isinstance(branch, dict) else branch
        return None if v is None else {label: labelled(branch, v, named)}
    t = named.get(t, t) if isinstance(t, str) else t
    if isinstance(t, dict) and t["type"] == "record":
        return {f["name"]: labelled(f["type"], v[f["name"]], named) for f in t["fields"]}
    if isinstance(t, dict) and t["type"] == "array":
        return [labelled(t["items"], i, named) for i in v]
    if isinstance(t, dict) and t["type"] == "map":
        return {k: labelled(t["values"], i, named) for k, i in v.items()}
    return v


def wider(t):
    return {"int": "long", "float": "double"}.get(t, t) if isinstance(t, str) else t


def prepare(name, schema):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    schema = bare(schema)
    fields = schema["fields"]
    kept = [f for i, f in enumerate(reversed(fields)) if i % 5 != 4]
    readers = {
        "writer": schema,
        "reader": dict(schema, fields=[dict(f, type=wider(f["type"])) for f in kept]),
        "few": dict(schema, fields=[fields[0], fields[len(fields) // 2], fields[-1]]),
    }
    if name == "nested":  # every name must be defined before it is used
        readers["reader"]["fields"] = [fields[i] for i in (1, 3, 2, 0)]
        readers["few"] = dict(schema, fields=[fields[0], fields[-1]])
    for which, text in readers.items():
        (folder / (which + ".avsc")).write_text(json.dumps(text))
    make = Values(7)
    records = [make.value(schema) for _ in range(RECORDS)]
    parsed = fastavro.parse_schema(schema)
    with open(folder / "data.bin", "wb") as f:
        for r in records:
            b = io.BytesIO()
            fastavro.schemaless_writer(b, parsed, r)
            f.write(struct.pack("<I", b.tell()) + b.getvalue())
    (folder / "data.jsonl").write_text("".join(json.dumps(labelled(schema, r, make.named)) + "\n" for r in records))
    return folder


def best(run, seconds=0.3, rounds=3):
    """Calls a second."""
    top = 0.0
    for _ in range(rounds):
        began, n = time.process_time(), 0
        while time.process_time() - began < seconds:
            run()
            n += 1
        top = max(top, n / (time.process_time() - began))
    return top


def fastavro_ops(folder):
    schema = {w: fastavro.parse_schema(json.loads((folder / (w + ".avsc")).read_text())) for w in ("writer", "reader", "few")}
    raw, datums, at = (folder / "data.bin").read_bytes(), [], 0
    while at < len(raw):
        (n,) = struct.unpack_from("<I", raw, at)
        datums.append(raw[at + 4:at + 4 + n])
        at += 4 + n
    lines = (folder / "data.jsonl").read_text().splitlines()
    records = [fastavro.schemaless_reader(io.BytesIO(d), schema["writer"]) for d in datums]

    def read(which):
        for d in datums:
            fastavro.schemaless_reader(io.BytesIO(d), schema["writer"], schema[which] if which else None)

    def write():
        for r in records:
            fastavro.schemaless_writer(io.BytesIO(), schema["writer"], r)

    def to_json():
        fastavro.json_writer(io.StringIO(), schema["writer"], (fastavro.schemaless_reader(io.BytesIO(d), schema["writer"]) for d in datums))

    def from_json():
        for r in fastavro.json_reader(io.StringIO("\n".join(lines)), schema["writer"]):
            fastavro.schemaless_writer(io.BytesIO(), schema["writer"], r)

    run = {"decode": lambda: read(None), "resolve": lambda: read("reader"), "project": lambda: read("few"),
           "encode": write, "to_json": to_json, "from_json": from_json}
    # Its JSON encoder fails on a recursive schema.
    return {op: best(run[op]) * len(datums) for op in OPS if folder.name != "nested" or "json" not in op}


def lines_of(*command):
    out = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout
    return {(lib, op): float(v) for op, lib, v in (l.split() for l in out.splitlines())}


def java(folder):
    classes = OUT / "classes"
    if not JAVA_LIB.exists():
        subprocess.run(["mvn", "-q", "-B", "-f", str(ROOT / "tests/bench/avro_java/pom.xml"), "dependency:copy-dependencies",
                        "-DincludeScope=runtime", "-DoutputDirectory=%s" % JAVA_LIB], check=True)
    classes.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-cp", "%s/*" % JAVA_LIB, "-d", str(classes), str(ROOT / "tests/bench/avro_java/Bench.java")], check=True)
    return lines_of("java", "-Xmx512m", "-cp", "%s:%s/*" % (classes, JAVA_LIB), "Bench", folder)


def line(name, value, unit):
    print("%s %s %s" % (name, ("%.3f" % value).rstrip("0").rstrip("."), unit), flush=True)


def measure(shapes, libs):
    result = {}
    for name in shapes:
        folder = OUT / name
        speed = lines_of(ROOT / "build/release/bench/avro", folder)
        if "java" in libs:
            speed.update(java(folder))
        if "fastavro" in libs:
            speed.update({("fastavro", op): v for op, v in fastavro_ops(folder).items()})
        size = (folder / "data.bin").stat().st_size / RECORDS - 4
        for (lib, op), v in sorted(speed.items(), key=lambda x: (OPS.index(x[0][1]), x[0][0])):
            line("avro_%s_%s_%s_records_per_s" % (op, name, lib), v, "records/s")
            line("avro_%s_%s_%s_mb_per_s" % (op, name, lib), v * size / 1e6, "MB/s")
        result[name] = speed
    return result


def ratios(result):
    for op in OPS:
        for lib, label in (("avroc", "avroc"), ("java", "java"), ("fastavro", "fastavro")):
            of = {name: s[("titian", op)] / s[(lib, op)] for name, s in result.items() if (lib, op) in s}
            flat = [v for name, v in of.items() if name in FLAT]
            if not of:
                continue
            for name, v in of.items():
                line("avro_%s_%s_vs_%s_ratio" % (op, name, label), v, "ratio")
            if flat:
                line("avro_%s_vs_%s_ratio" % (op, label), min(flat), "ratio")
            line("avro_%s_vs_%s_least_ratio" % (op, label), min(of.values()), "ratio")


def main(shapes=None, libs=("java", "fastavro")):
    made = {p.split("/")[1]: json.loads((ROOT / "schemas/avsc" / (p + ".avsc")).read_text()) for p in CATALOGUE}
    made.update(numbers=numbers(), nested=nested(), arrays=arrays())
    shapes = shapes or list(made)
    for name in shapes:
        prepare(name, made[name])
    ratios(measure(shapes, libs))


if __name__ == "__main__":
    only = os.environ.get("AVRO_LIBS")
    main(sys.argv[1:], only.split(",") if only is not None else ("java", "fastavro"))

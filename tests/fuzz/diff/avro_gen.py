"""Random Avro: schemas (valid, twisted into readers of each other, broken), values, their Avro JSON.

Everything is drawn from one random.Random, so a seed gives the same cases again. Few names, so that they meet.
"""
import copy
import random

PRIMITIVE = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
NAMES = ["R", "S", "T", "U", "E", "F", "Akta", "int1", "record_"]
SPACES = ["", "a", "a.b", "x", "id.go.pekanbaru"]
FIELDS = ["f", "g", "h", "i", "nik", "nama", "f1", "_x", "type", "name"]
SYMBOLS = ["A", "B", "C", "D", "L", "P", "_", "null"]
LOGICAL = [
    ("int", "date"), ("int", "time-millis"), ("long", "time-micros"), ("long", "timestamp-millis"),
    ("long", "timestamp-micros"), ("long", "timestamp-nanos"), ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"), ("long", "local-timestamp-nanos"), ("string", "uuid"), ("bytes", "big-decimal"),
]
TEXTS = ["", "x", "Kampung Baru", "é", "\u5e02", "\U0001d11e", "\u0000", "a\"b\\c\n\t/", "\u2028", "<&>", "NaN"]
INTS = [0, 1, -1, 63, 64, -64, -65, 127, 8191, 8192, 2**31 - 1, -(2**31)]
LONGS = INTS + [2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 3.4028234663852886e38, 1e-45, 16777217.0, 1e10, 123456.789]
DOUBLES = FLOATS + [1e300, -1e-300, 5e-324, 1.7976931348623157e308, 0.30000000000000004, 9007199254740993.0, 1e7, 0.001]
SPECIAL = [float("nan"), float("inf"), float("-inf")]


class Unfit(Exception):
    """No value of this schema is finite, or the budget is used up."""


def full_name(schema, space):
    name = schema["name"]
    if "." in name:
        return name.lstrip(".") if name.rfind(".") == 0 else name
    own = schema.get("namespace", space)
    return f"{own}.{name}" if own else name


def space_of(full):
    return full.rpartition(".")[0]


class Generator:
    def __init__(self, rng, size=12):
        self.rng = rng
        self.left = size  # types still to be made
        self.known = {}  # full name -> (schema, namespace around it)
        self.open = []  # records being made

    def pick(self, *chances):
        return self.rng.random() < chances[0]

    # --- schemas

    def schema(self, space="", depth=0):
        r = self.rng
        self.left -= 1
        if self.known and r.random() < 0.15:
            return self.reference(space)
        if self.left <= 0 or depth > 4:
            return self.primitive()
        kind = r.choices(
            ["primitive", "logical", "record", "enum", "fixed", "array", "map", "union"], [5, 2, 4, 2, 2, 2, 2, 4]
        )[0]
        return getattr(self, kind)(space, depth)

    def primitive(self, space="", depth=0):
        name = self.rng.choice(PRIMITIVE)
        if self.rng.random() < 0.15:
            return self.extra({"type": name})
        return name

    def logical(self, space="", depth=0):
        r = self.rng
        if r.random() < 0.35:
            out = {"type": "bytes", "logicalType": "decimal", "precision": r.randint(1, 20)}
            if r.random() < 0.7:
                out["scale"] = r.randint(0, out["precision"])
            return out
        base, name = r.choice(LOGICAL)
        if r.random() < 0.15:
            base = r.choice(PRIMITIVE)
        return self.extra({"type": base, "logicalType": name})

    def extra(self, out):
        """Sometimes properties that Avro gives no meaning to."""
        r = self.rng
        while r.random() < 0.2:
            value = r.choice([1, -7, 1.5, 1e20, "x", "é\n", True, None, [], [1, "a"], {"k": {"l": []}}, 12345678901234567890])
            out[r.choice(["x_pdp", "x_n", "connect.name", "order", "avro.java.string", "prop"])] = value
        items = list(out.items())
        if r.random() < 0.3:
            r.shuffle(items)
        return dict(items)

    def name(self, out, space):
        """Names a type, with luck one that is not there yet; gives its full name."""
        r = self.rng
        for _ in range(20):
            out["name"] = r.choice(NAMES) + r.choice(["", "", "2", "3", "4"])
            out.pop("namespace", None)
            style = r.random()
            if style < 0.2:
                out["namespace"] = r.choice(SPACES)
            elif style < 0.3:
                out["name"] = r.choice(SPACES[1:]) + "." + out["name"]
            full = full_name(out, space)
            if full not in self.known:
                break
        else:
            out["name"] += str(len(self.known) + 100)
            full = full_name(out, space)
        if r.random() < 0.15:
            out["aliases"] = [r.choice(NAMES) + r.choice(["", ".x", "9"])[:1].replace(".", "") for _ in range(r.randint(1, 2))]
            if r.random() < 0.3:
                out["aliases"].append(r.choice(["a.Old", "x.y.Lama"]))
        if r.random() < 0.15:
            out["doc"] = r.choice(["doc", "", "é \"quoted\""])
        self.known[full] = (out, space)
        return full

    def record(self, space="", depth=0):
        r = self.rng
        out = {"type": "error" if r.random() < 0.05 else "record"}
        full = self.name(out, space)
        fields = []
        out["fields"] = fields
        self.open.append(full)
        names = r.sample(FIELDS, r.choices([0, 1, 2, 3, 4], [1, 4, 5, 4, 2])[0])
        for name in names:
            fields.append(self.field(name, space_of(full), depth))
        self.open.pop()
        return self.extra(out)

    def field(self, name, space, depth):
        r = self.rng
        field = {"name": name, "type": self.schema(space, depth + 1)}
        if r.random() < 0.35:
            try:
                field["default"] = self.default(field["type"], space, 3)
            except Unfit:
                pass
        if r.random() < 0.1:
            field["order"] = r.choice(["ascending", "descending", "ignore", "Ascending"])
        if r.random() < 0.15:
            field["aliases"] = r.sample(FIELDS + ["old"], r.randint(1, 2))
        if r.random() < 0.1:
            field["doc"] = "doc"
        return self.extra_field(field)

    def extra_field(self, field):
        if self.rng.random() < 0.1:
            field["x_pdp"] = self.rng.choice(["U", {"a": 1}, 2])
        return field

    def enum(self, space="", depth=0):
        r = self.rng
        out = {"type": "enum"}
        self.name(out, space)
        out["symbols"] = r.sample(SYMBOLS, r.randint(1, 4))
        if r.random() < 0.3:
            out["default"] = r.choice(out["symbols"])
        return self.extra(out)

    def fixed(self, space="", depth=0):
        r = self.rng
        out = {"type": "fixed"}
        self.name(out, space)
        out["size"] = r.choice([0, 1, 3, 12, 16])
        style = r.random()
        if style < 0.2:
            out["logicalType"] = {12: "duration", 16: "uuid"}.get(out["size"], r.choice(["duration", "uuid"]))
        elif style < 0.4:
            out.update(logicalType="decimal", precision=r.randint(1, 30), scale=r.randint(0, 3))
        return self.extra(out)

    def array(self, space="", depth=0):
        return self.extra({"type": "array", "items": self.schema(space, depth + 1)})

    def map(self, space="", depth=0):
        return self.extra({"type": "map", "values": self.schema(space, depth + 1)})

    def union(self, space="", depth=0):
        r = self.rng
        branches, labels = [], set()
        for _ in range(r.randint(0 if r.random() < 0.05 else 1, 4)):
            known = dict(self.known)
            b = self.schema(space, depth + 1)
            label = self.label(b, space)
            if label is None or label in labels:
                self.known = known
                continue
            labels.add(label)
            branches.append(b)
        if r.random() < 0.4 and "null" not in labels:
            branches.insert(r.randint(0, len(branches)), "null")
        return branches

    def reference(self, space):
        full = self.rng.choice(sorted(self.known))
        if full.rpartition(".")[0] == space and self.rng.random() < 0.6:
            return full.rpartition(".")[2]
        if "." not in full and space:  # a name without a namespace cannot be said from within one
            return self.primitive()
        return full

    # --- looking at schemas

    def resolve(self, schema, space):
        """The definition behind a name, and the namespace around it; (schema, space) of anything else."""
        if isinstance(schema, str) and schema not in PRIMITIVE:
            full = schema if "." in schema or not space else f"{space}.{schema}"
            if full not in self.known:
                full = schema
            if full not in self.known:
                raise Unfit(schema)
            return self.known[full]
        return schema, space

    def label(self, schema, space):
        if isinstance(schema, list):
            return None
        try:
            schema, space = self.resolve(schema, space)
        except Unfit:
            return None
        if isinstance(schema, str):
            return schema
        if schema["type"] in ("record", "error", "enum", "fixed"):
            return full_name(schema, space)
        return schema["type"]

    # --- values: Avro JSON

    def text(self):
        r = self.rng
        return r.choice(TEXTS) if r.random() < 0.7 else "".join(r.choice(TEXTS) for _ in range(3))

    def latin1(self, n):
        return "".join(chr(self.rng.choice([0, 1, 65, 127, 128, 255, self.rng.randrange(256)])) for _ in range(n))

    def number(self, kind):
        r = self.rng
        if kind == "int":
            return r.choice(INTS) if r.random() < 0.7 else r.randint(-(2**31), 2**31 - 1)
        if kind == "long":
            return r.choice(LONGS) if r.random() < 0.7 else r.randint(-(2**63), 2**63 - 1)
        if r.random() < 0.1:
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(r.choice(SPECIAL))]
        return r.choice(FLOATS if kind == "float" else DOUBLES)

    def scalar(self, kind):
        r = self.rng
        if kind == "null":
            return None
        if kind == "boolean":
            return r.random() < 0.5
        if kind == "bytes":
            return self.latin1(r.choice([0, 1, 2, 5]))
        if kind == "string":
            return self.text()
        return self.number(kind)

    def value(self, schema, space, budget):
        """(Avro JSON, value for fastavro) of the schema."""
        r = self.rng
        if budget <= 0:
            raise Unfit("depth")
        schema, space = self.resolve(schema, space)
        if isinstance(schema, list):
            return self.union_value(schema, space, budget)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("record", "error"):
            inner = space_of(full_name(schema, space))
            pairs = [(f["name"], self.value(f["type"], inner, budget - 1)) for f in schema["fields"]]
            return {n: v[0] for n, v in pairs}, {n: v[1] for n, v in pairs}
        if kind == "enum":
            v = r.choice(schema["symbols"])
            return v, v
        if kind == "fixed":
            v = self.latin1(schema["size"])
            return v, v.encode("latin-1")
        if kind == "array":
            items = self.values(schema["items"], space, budget)
            return [v[0] for v in items], [v[1] for v in items]
        if kind == "map":
            items = dict(zip(r.sample(TEXTS, 3), self.values(schema["values"], space, budget)))
            return {k: v[0] for k, v in items.items()}, {k: v[1] for k, v in items.items()}
        v = self.scalar(kind)
        if kind == "bytes":
            return v, v.encode("latin-1")
        if kind in ("float", "double") and isinstance(v, str):
            return v, float(v.replace("Infinity", "inf"))
        return v, v

    def values(self, item, space, budget):
        n = self.rng.choice([0, 0, 1, 2, 3])
        try:
            return [self.value(item, space, budget - 1) for _ in range(n)]
        except Unfit:
            return []

    def union_value(self, union, space, budget):
        branches = list(union)
        self.rng.shuffle(branches)
        for b in branches:
            try:
                v = self.value(b, space, budget - 1)
            except Unfit:
                continue
            label = self.label(b, space)
            return (None, None) if label == "null" else ({label: v[0]}, (label, v[1]))
        raise Unfit("union")

    def default(self, schema, space, budget):
        """A default as JSON; of a union: of any branch."""
        if budget <= 0:
            raise Unfit("depth")
        schema, space = self.resolve(schema, space)
        if isinstance(schema, list):
            if not schema:
                raise Unfit("empty union")
            first = schema[0] if self.rng.random() < 0.7 else self.rng.choice(schema)
            return self.default(first, space, budget - 1)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("record", "error"):
            full = full_name(schema, space)
            if full in self.open:
                raise Unfit("still open")
            out = {}
            for f in schema["fields"]:
                if "default" not in f or self.rng.random() < 0.5:
                    out[f["name"]] = self.default(f["type"], space_of(full), budget - 1)
            return out
        if kind in ("array", "map"):
            item = schema["items"] if kind == "array" else schema["values"]
            n = self.rng.choice([0, 0, 1, 2])
            items = [self.default(item, space, budget - 1) for _ in range(n)]
            return items if kind == "array" else dict(zip(["k", "", "é"], items))
        if kind == "enum":
            return self.rng.choice(schema["symbols"])
        if kind == "fixed":
            return self.latin1(schema["size"])
        return self.scalar(kind)


# --- twisting one schema into another


def nodes(schema, path=()):
    """Every place in a schema's JSON: (container, key)."""
    if isinstance(schema, dict):
        for k in list(schema):
            yield schema, k
            yield from nodes(schema[k])
    elif isinstance(schema, list):
        for k in range(len(schema)):
            yield schema, k
            yield from nodes(schema[k])


def types_of(schema):
    """Every place that holds a type: (container, key). Not the root."""
    if isinstance(schema, list):
        for k, b in enumerate(schema):
            yield schema, k
            yield from types_of(b)
    elif isinstance(schema, dict):
        for k in ("items", "values"):
            if k in schema:
                yield schema, k
                yield from types_of(schema[k])
        for f in schema.get("fields", []) if isinstance(schema.get("fields"), list) else []:
            if isinstance(f, dict) and "type" in f:
                yield f, "type"
                yield from types_of(f["type"])


def dicts(schema, kind):
    out = []
    if isinstance(schema, dict) and schema.get("type") == kind:
        out.append(schema)
    for c, k in types_of(schema):
        if isinstance(c[k], dict) and c[k].get("type") == kind:
            out.append(c[k])
    return out


PROMOTED = {"int": ["long", "float", "double"], "long": ["float", "double", "int"], "float": ["double"],
            "string": ["bytes"], "bytes": ["string"], "double": ["float"]}


def twist_once(root, rng):
    """One step of evolution on {"": schema}; in place."""
    places = [(root, "")] + list(types_of(root[""]))
    c, k = rng.choice(places)
    t = c[k]
    records = dicts(root[""], "record")
    what = rng.randrange(14)
    if what <= 2 and isinstance(t, str) and t in PROMOTED:
        c[k] = rng.choice(PROMOTED[t])
    elif what == 3 and not isinstance(t, list):
        c[k] = rng.choice([["null", t], [t, "null"], [t], ["string", t] if t != "string" else [t]])
    elif what == 4 and isinstance(t, list) and t:
        c[k] = rng.choice(t)
    elif what == 5 and isinstance(t, list):
        rng.shuffle(t)
    elif what == 6 and isinstance(t, list):
        extra = rng.choice(PRIMITIVE)
        if extra not in t:
            t.insert(rng.randint(0, len(t)), extra)
    elif what == 7 and records:
        fields = rng.choice(records)["fields"]
        g = Generator(rng, 2)
        f = g.field(rng.choice(FIELDS + ["neu"]), "", 4)
        if rng.random() < 0.7 and "default" not in f:
            try:
                f["default"] = g.default(f["type"], "", 3)
            except Unfit:
                pass
        if f["name"] not in [x["name"] for x in fields]:
            fields.insert(rng.randint(0, len(fields)), f)
    elif what == 8 and records:
        fields = rng.choice(records)["fields"]
        if fields:
            fields.pop(rng.randrange(len(fields)))
    elif what == 9 and records:
        rng.shuffle(rng.choice(records)["fields"])
    elif what == 10 and records:
        fields = rng.choice(records)["fields"]
        if fields:
            f = rng.choice(fields)
            old, f["name"] = f["name"], rng.choice(FIELDS + ["neu", "baru"])
            if rng.random() < 0.7:
                f["aliases"] = [old]
            if len({x["name"] for x in fields}) < len(fields):
                f["name"] = old
    elif what == 11:
        named = records + dicts(root[""], "enum") + dicts(root[""], "fixed")
        if named:
            n = rng.choice(named)
            old, n["name"] = n["name"], rng.choice(NAMES) + "7"
            if rng.random() < 0.7:
                n["aliases"] = [old]
            if rng.random() < 0.3:
                n["namespace"] = rng.choice(SPACES)
    elif what == 12:
        enums = dicts(root[""], "enum")
        if enums:
            e = rng.choice(enums)
            e["symbols"] = rng.sample(SYMBOLS, rng.randint(1, 5))
            e.pop("default", None)
            if rng.random() < 0.5:
                e["default"] = rng.choice(e["symbols"])
    elif what == 13:
        fixeds = dicts(root[""], "fixed")
        if fixeds and rng.random() < 0.5:
            rng.choice(fixeds)["size"] = rng.choice([0, 1, 3, 16])
        else:
            c[k] = rng.choice(PRIMITIVE)


def twist(schema, rng):
    root = {"": copy.deepcopy(schema)}
    for _ in range(rng.choice([1, 1, 2, 3, 5])):
        twist_once(root, rng)
    return root[""]


def break_schema(schema, rng):
    """A schema with something wrong in it, perhaps."""
    root = {"": copy.deepcopy(schema)}
    for _ in range(rng.choice([1, 1, 2])):
        places = [(root, "")] + list(nodes(root[""]))
        c, k = rng.choice(places)
        what = rng.randrange(8)
        if what == 0 and isinstance(c, dict) and k != "":
            del c[k]
        elif what == 1 and isinstance(c, list):
            c.append(copy.deepcopy(rng.choice(c)))
        elif what == 2:
            c[k] = rng.choice([None, True, 0, -1, 1.5, 3000000000, "", "x", "1x", "a b", "a..b", "é", [], {}, [[]], "int"])
        elif what == 3 and isinstance(c, dict):
            c[rng.choice(["default", "aliases", "order", "namespace", "symbols", "size", "doc", "logicalType", "items",
                          "fields", "type", "name", "precision", "scale"])] = rng.choice(
                [None, True, 0, 1, -1, 1.5, "", "x", "1x", "a.b", ".a", "a.", "int", "null", "decimal", [], ["a"], ["a", "a"],
                 [1], {}, {"a": 1}, "ignore", "NaN", 1e400 if False else 1e300, 2**31, 2**63])
        elif what == 4 and isinstance(c.get(k) if isinstance(c, dict) else c[k], str):
            c[k] = c[k] + rng.choice([".", "-", " ", "é", "1", ".x", "\u0000"])
        elif what == 5 and isinstance(c[k], (int, float)) and not isinstance(c[k], bool):
            c[k] = rng.choice([c[k] + 0.5, -c[k], c[k] * 2**31, str(c[k])])
        elif what == 6:
            c[k] = [c[k]]
        elif what == 7:
            c[k] = {"type": c[k]}
    return root[""]

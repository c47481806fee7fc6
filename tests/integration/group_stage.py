"""Gateways of one group on one Kafka, writers beside them, and readers who move from one to the other.

What is right is folded in Python from the records that were written; a reader is right when, whatever he went through,
he holds that fold, and was never told of a change twice.
"""
import collections
import json
import secrets
import shutil
import threading
import urllib.error

from conftest import WORK, wait_for
from own_gateway import OwnGateway, Topic

NS = "pku.uji"
ORANG = {"type": "record", "name": "Orang", "namespace": NS, "x_jenis": "register", "x_kunci": "id",
         "fields": [{"name": "id", "type": "string"}, {"name": "kel", "type": ["null", "string"], "default": None},
                    {"name": "nama", "type": "string"}, {"name": "n", "type": "int"}]}
BANTU = {"type": "record", "name": "Bantu", "namespace": NS, "x_jenis": "register", "x_kunci": "id",
         "fields": [{"name": "id", "type": "string"}, {"name": "orang", "type": "string"}, {"name": "jumlah", "type": "int"}]}


def views(p):
    """Thin with a scope and a join; kept in full; made of that; a roll-up."""
    orang, bantu = "uji_%sorang" % p, "uji_%sbantu" % p
    return {
        "orang": """/*---
name: orang
key: id
scope: [kel]
indexes: [{table: %s, columns: [orang]}]
columns:
  id: {type: text, pdp: P}
  kel: {type: text, pdp: N}
  n: {type: int, pdp: N}
  bantuan: {type: int, pdp: N}
---*/
SELECT o._key AS id, o.kel, o.n, (SELECT coalesce(sum(b.jumlah), 0) FROM %s b WHERE b.orang = o._key) AS bantuan FROM %s o
""" % (bantu, bantu, orang),
        "penuh": """/*---
name: penuh
key: id
store: full
indexes: [{table: %s, columns: [orang]}, {table: penuh, columns: [kel]}]
columns:
  id: {type: text, pdp: P}
  kel: {type: text, pdp: N}
  nama: {type: text, pdp: N}
  kali: {type: int, pdp: N}
---*/
SELECT o._key AS id, o.kel, upper(o.nama) AS nama, (SELECT count(*) FROM %s b WHERE b.orang = o._key) AS kali FROM %s o
""" % (bantu, bantu, orang),
        "sering": """/*---
name: sering
key: id
columns:
  id: {type: text, pdp: P}
  kali: {type: int, pdp: N}
---*/
SELECT p.id, p.kali FROM penuh p WHERE p.kali > 1
""",
        "per_kel": """/*---
name: per_kel
key: kel
store: full
pace: group
columns:
  kel: {type: text, pdp: N}
  orang: {type: int, pdp: N}
  n: {type: int, pdp: N}
---*/
SELECT p.kel AS kel, count(*) AS orang, sum(p.n) AS n FROM %s p WHERE p.kel IS NOT NULL GROUP BY p.kel
""" % orang,
    }


POLICY = """readers:
  uji:
    status: true
    define: true
    streams: 1000
    views:
      "*": {clear: ["*"]}
  k1:
    views:
      orang: {rows: {kel: [k1]}}
"""
KELS = ["k%d" % i for i in range(5)]


class Stage:
    def __init__(self, city, name, more=""):
        self.city, self.name, self.p, self.more = city, name, name, more
        self.dir = WORK / ("group-" + name)
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.topics = [Topic(city, "pku.uji.%sorang.v1" % name, ORANG, partitions=3),
                       Topic(city, "pku.uji.%sbantu.v1" % name, BANTU, partitions=2)]
        key = self.dir / "cursor.key"
        key.write_text(secrets.token_hex(32) + "\n")
        key.chmod(0o600)
        self.key, self.gateways, self.held = key, {}, [{}, {}]
        self.lock = threading.Lock()

    def gateway(self, name, more=""):
        own = OwnGateway(self.city, "group-%s-%s" % (self.name, name), self.topics, views(self.p), POLICY,
                         readers=("uji", "k1"),
                         more="cursor: {key: %s}\nwebhooks: {key: %s, topic: _hooks_%s}\npublish: {topic: ''}\n"
                              "group: {topic: _group_%s, name: %s, url: URL%s}\n%s"
                         % (self.key, self.key, self.name, self.name, name, more, self.more))
        config = own.dir / "gateway.yaml"
        config.write_text(config.read_text().replace("url: URL", "url: '%s'" % own.ops))
        if self.gateways:  # one set of keys for all
            first = next(iter(self.gateways.values()))
            shutil.copy(first.dir / "access.keys", own.dir / "access.keys")
            own.keys, own.key = first.keys, first.key
        self.gateways[name] = own
        return own

    def stop(self):
        for g in self.gateways.values():
            g.stop()

    # --- writing ---------------------------------------------------------------------------------------

    def write(self, rnd, n, keys=60):
        """n records: new, changed, moved, removed; what Kafka holds then is in self.held."""
        with self.lock:
            for _ in range(n):
                which = rnd.random() < 0.35
                key = "%s%d" % ("b" if which else "o", rnd.randrange(keys * (2 if which else 1)))
                row = None
                if rnd.random() > 0.12:
                    row = {"id": key, "orang": "o%d" % rnd.randrange(keys), "jumlah": rnd.randrange(5)} if which else \
                        {"id": key, "kel": rnd.choice(KELS + [None]), "nama": "nama %d" % rnd.randrange(4), "n": rnd.randrange(3)}
                if row is None:
                    self.held[which].pop(key, None)
                else:
                    self.held[which][key] = row
                self.topics[which].put(key.encode(), row)
        for t in self.topics:
            t.flush()

    def truth(self, view):
        people, help_ = self.held
        sums, times = collections.Counter(), collections.Counter()
        for h in help_.values():
            sums[h["orang"]] += h["jumlah"]
            times[h["orang"]] += 1
        if view == "orang":
            return {k: {"id": k, "kel": r["kel"], "n": r["n"], "bantuan": sums[k]} for k, r in people.items()}
        if view == "penuh":
            return {k: {"id": k, "kel": r["kel"], "nama": r["nama"].upper(), "kali": times[k]} for k, r in people.items()}
        if view == "sering":
            return {k: {"id": k, "kali": times[k]} for k in people if times[k] > 1}
        out = {}
        for r in people.values():
            if r["kel"]:
                g = out.setdefault(r["kel"], {"kel": r["kel"], "orang": 0, "n": 0})
                g["orang"] += 1
                g["n"] += r["n"]
        return out

    # --- looking ---------------------------------------------------------------------------------------

    def role(self, name):
        for g in self.gateways[name].get("/v1/gateways")["gateways"]:
            if g["here"]:
                return g

    def leader(self):
        for name, g in self.gateways.items():
            if g.process and g.process.poll() is None and self.role(name)["role"] == "leads":
                return name

    def settled(self, names, seconds=60):
        """All have the log's last batch, and nothing waits: their rows are the fold."""
        def same():
            try:
                return all(rows(self.gateways[n], v) == self.truth(v) for n in names for v in views(self.p))
            except (urllib.error.URLError, ConnectionError, AssertionError):
                return False
        wait_for(same, seconds, "rows of %s to be what was written" % (names,))

    def equal(self, names, seconds=30):
        """Feeds from the beginning, entry by entry: the same keys, rows and cursors everywhere."""
        for v in views(self.p):
            def same():
                feeds = [feed(self.gateways[n], v) for n in names]
                return feeds[0] if all(f == feeds[0] for f in feeds) else None
            got = wait_for(lambda: same() is not None, seconds, "feeds of '%s' on %s to be equal" % (v, names))
            assert got
        for n in names:
            assert self.gateways[n].metric("titian_group_doubtful") == 0


def rows(gateway, view):
    key = "kel" if view == "per_kel" else "id"
    return {r[key]: r for r in gateway.get("/v1/views/%s?limit=1000" % view, headers={"Accept": "application/json"})}


def feed(gateway, view):
    status, _, body = gateway.asked("/v1/views/%s/changes?until=now" % view, accept="application/x-ndjson")
    assert status == 200, (status, body[:300])
    return [json.loads(line) for line in body.splitlines() if line]


class Reader:
    """A copy of a view, kept by long polls, of whichever gateway answers; by its cursor it goes on anywhere."""

    def __init__(self, view, key=None):
        self.view, self.key, self.cursor, self.held, self.seen = view, key, None, {}, {}
        self.told, self.repeats = 0, []

    def poll(self, gateway, wait=1):
        path = "/v1/views/%s/changes?wait=%d%s" % (self.view, wait, "&after=" + self.cursor if self.cursor else "")
        got = gateway.get(path, key=self.key and gateway.keys[self.key])
        for change in got["changes"]:
            self.take(change)
        self.cursor = got["cursor"]
        return got["up_to_date"]

    def take(self, change):
        key, row, cursor = change["key"], change.get("row"), change["cursor"]
        self.told += 1
        if cursor in self.seen:  # a cursor is a number of a change: never told twice
            self.repeats.append((key, cursor))
        self.seen[cursor] = key
        if row is None:
            self.held.pop(key, None)
        else:
            self.held[key] = row

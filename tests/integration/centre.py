"""A stub of the national data centre: a program of its own that keeps a mirror of views, over a line that is bad.

It loads a view at a cut in pieces (Range), then follows the delta in small requests; signs what it asks (RFC 9421),
believes no answer that is not signed with the key it was given, and keeps its cursor with its rows, in one transaction.
At the end of a day it acknowledges what it has. It may be killed at any moment and is started again.

    centre.py FOLDER follow     until it is killed
    centre.py FOLDER day        until it has everything, then acknowledges, prints a line of JSON, and ends
    centre.py FOLDER serve      a line each: `follow`, `day`, `day SECONDS`: done in a child, killed (-9) when its time is over or
                                when `kill` is read; prints how it ended

FOLDER/centre.json: {"url", "reader", "key" (private, hex), "bus_key" (public, hex), "views", "piece", "timeout",
"via": the URL of the line that leads to "url"}
"""
import base64
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import select
import signal
import sqlite3
import sys
import time
import urllib.parse
import uuid

import http_message_signatures as hms
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ed25519

TIMEOUT = 30.0


class Broken(Exception):
    """The line, or who is on it: nothing of the answer counts."""


class Request:
    def __init__(self, method, url, headers):
        self.method, self.url, self.headers = method, url, headers


class Answer:
    def __init__(self, status, headers, body, request):
        self.status_code, self.headers, self.body, self.request = status, headers, body, request


class Signed:
    """Asks with signatures, and takes signed answers only."""

    def __init__(self, url, reader, key, bus_key, via=None):
        public = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(bus_key))
        x = base64.urlsafe_b64encode(bytes.fromhex(bus_key)).rstrip(b"=").decode()
        thumb = hashlib.sha256(b'{"crv":"Ed25519","kty":"OKP","x":"%s"}' % x.encode()).digest()
        self.url, self.reader, self.via = url, reader, via
        keys = hms.MappingKeyResolver(
            public_keys={base64.urlsafe_b64encode(thumb).rstrip(b"=").decode(): public},
            private_keys={reader: ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key))})
        self.signer = hms.HTTPMessageSigner(signature_algorithm=hms.algorithms.ED25519, key_resolver=keys)
        self.verifier = hms.HTTPMessageVerifier(signature_algorithm=hms.algorithms.ED25519, key_resolver=keys)
        self.refused = 0

    def send(self, request, body):
        parts = urllib.parse.urlsplit(request.url)
        way = urllib.parse.urlsplit(self.via or request.url)
        line = http.client.HTTPConnection(way.hostname, way.port, timeout=TIMEOUT)
        try:
            line.request(request.method, request.url.split(parts.netloc, 1)[1], body, {**request.headers, "Host": parts.netloc})
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read(), request)
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise Broken("line: %r" % e)
        finally:
            line.close()

    def sign(self, method, path, headers=None, body=None):
        request = Request(method, self.url + path, {"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})})
        cover = ["@method", "@target-uri"]
        if body is not None:
            request.headers["Content-Digest"] = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(body).digest()).decode()
            cover.append("content-digest")
        self.signer.sign(request, key_id=self.reader, created=datetime.datetime.now(datetime.timezone.utc),
                         nonce=uuid.uuid4().hex, covered_component_ids=cover, use_existing_digest=body is not None)
        return request

    def believe(self, answer):
        """The body as it was meant; Broken when any of it, or what it answers, is not the bus's word."""
        # @path and @query of the request are among what is signed: an answer to another question is not taken.
        cover = ['"@status"', '"@method";req', '"@path";req', '"@query";req']
        try:
            found = self.verifier.verify(answer, require_components=cover, max_age=datetime.timedelta(minutes=5))
            covered = found[0].covered_components
        except Exception as e:
            self.refused += 1
            raise Broken("signature: %r" % e)
        if answer.body or answer.status_code not in (204, 304):  # nothing there is a content too
            want = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(answer.body).digest()).decode()
            if '"content-digest"' not in covered or answer.headers["Content-Digest"] != want:
                self.refused += 1
                raise Broken("digest")
        for name in ("Content-Encoding", "Content-Range", "ETag", "Titian-Cursor", "Repr-Digest"):
            if name in answer.headers and '"%s"' % name.lower() not in covered:
                raise Broken(name + " is not signed")
        if answer.headers.get("Content-Encoding") == "gzip":
            import gzip
            return gzip.decompress(answer.body)
        return answer.body

    def ask(self, method, path, headers=None, body=None):
        """(status, headers, body): believed."""
        answer = self.send(self.sign(method, path, headers, body), body)
        return answer.status_code, answer.headers, self.believe(answer)


class Mirror:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.conf = json.loads((self.folder / "centre.json").read_text())
        global TIMEOUT
        TIMEOUT = self.conf["timeout"]
        self.bus = Signed(self.conf["url"], self.conf["reader"], self.conf["key"], self.conf["bus_key"], self.conf["via"])
        self.db = sqlite3.connect(self.folder / "mirror.db", isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                              "CREATE TABLE IF NOT EXISTS row (view, key, text, PRIMARY KEY (view, key)) WITHOUT ROWID;"
                              "CREATE TABLE IF NOT EXISTS place (view PRIMARY KEY, cursor);"
                              "CREATE TABLE IF NOT EXISTS piece (view, tag, at INT, bytes, PRIMARY KEY (view, at))")

    def offer(self):
        status, _, body = self.bus.ask("GET", "/v1/nasional")
        if status != 200:
            raise Broken("offer: %d" % status)
        return {d["view"]: d for d in json.loads(body)["datasets"]}

    # --- the whole, at a cut ---------------------------------------------------------------------------

    def load(self, view):
        """One piece more; True once the view is whole."""
        tag, have = self.db.execute("SELECT max(tag), coalesce(sum(length(bytes)), 0) FROM piece WHERE view=?", (view,)).fetchone()
        head = {"Range": "bytes=%d-%d" % (have, have + self.conf["piece"] - 1), "Accept-Encoding": "identity"}
        if tag:
            head["If-Range"] = tag
        status, headers, body = self.bus.ask("GET", "/v1/views/%s.ndjson" % view, head)
        if status == 416:
            self.db.execute("DELETE FROM piece WHERE view=?", (view,))  # of a file that is gone
            return False
        if status not in (200, 206):
            raise Broken("load: %d" % status)
        begin, size = 0, len(body)
        if status == 206:
            unit, total = headers["Content-Range"].removeprefix("bytes ").split("/")
            begin, size = int(unit.split("-")[0]), int(total)
        with_tag = headers["ETag"]
        self.db.execute("BEGIN")
        if tag and with_tag != tag or begin != have:
            self.db.execute("DELETE FROM piece WHERE view=?", (view,))  # another moment's file: anew
        if begin == 0 or begin == have and with_tag == tag:
            self.db.execute("INSERT OR REPLACE INTO piece VALUES (?, ?, ?, ?)", (view, with_tag, begin, body))
        self.db.execute("COMMIT")
        whole = b"".join(b for b, in self.db.execute("SELECT bytes FROM piece WHERE view=? ORDER BY at", (view,)))
        if len(whole) < size:
            return False
        digest = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(whole).digest()).decode()
        if headers["Repr-Digest"] != digest:
            self.db.execute("DELETE FROM piece WHERE view=?", (view,))
            raise Broken("the whole file's digest")
        key = self.offers[view]["key"]
        self.db.execute("BEGIN")
        self.db.execute("DELETE FROM row WHERE view=?", (view,))
        for line in whole.decode().splitlines():
            self.db.execute("INSERT INTO row VALUES (?, ?, ?)", (view, str(json.loads(line)[key]), line))
        self.db.execute("INSERT OR REPLACE INTO place VALUES (?, ?)", (view, headers["Titian-Cursor"]))
        self.db.execute("DELETE FROM piece WHERE view=?", (view,))
        self.db.execute("COMMIT")
        return True

    # --- and what came after ---------------------------------------------------------------------------

    def follow(self, view, wait=0):
        """One answer more; True: there is nothing more now."""
        cursor = self.cursor(view)
        status, _, body = self.bus.ask("GET", "/v1/views/%s/changes?wait=%d&after=%s" % (view, wait, cursor))
        if status == 410:  # another store
            self.db.execute("DELETE FROM place WHERE view=?", (view,))
            return False
        if status != 200:
            raise Broken("follow: %d" % status)
        answer = json.loads(body)
        self.db.execute("BEGIN")
        for change in answer["changes"]:
            if change["event"] == "upsert":
                text = json.dumps(change["row"], ensure_ascii=False)
                self.db.execute("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", (view, change["key"], text))
            elif change["event"] == "delete":
                self.db.execute("DELETE FROM row WHERE view=? AND key=?", (view, change["key"]))
            else:
                raise AssertionError("event " + change["event"])
        self.db.execute("UPDATE place SET cursor=? WHERE view=?", (answer["cursor"], view))
        self.db.execute("COMMIT")
        return answer["up_to_date"]

    def cursor(self, view):
        found = self.db.execute("SELECT cursor FROM place WHERE view=?", (view,)).fetchone()
        return found and found[0]

    def digest(self, view):
        """Rows, and the XOR of the SHA-256 of each as canonical JSON (RFC 8785)."""
        n, all_of_them = 0, 0
        for text, in self.db.execute("SELECT text FROM row WHERE view=?", (view,)):
            n += 1
            all_of_them ^= int.from_bytes(hashlib.sha256(rfc8785.dumps(json.loads(text))).digest(), "big")
        return n, "%064x" % all_of_them

    def acknowledge(self, view):
        rows, digest = self.digest(view)
        body = json.dumps({"view": view, "cursor": self.cursor(view), "rows": rows, "digest": digest, "status": "accepted"}).encode()
        status, _, answer = self.bus.ask("POST", "/v1/nasional/acknowledgements", {"Content-Type": "application/json"}, body)
        if status != 201:
            raise Broken("acknowledge: %d %s" % (status, answer[:200]))
        return json.loads(answer)

    # --- days ------------------------------------------------------------------------------------------

    def again(self, work):
        """Until it is done, whatever the line does."""
        while True:
            try:
                return work()
            except Broken as e:
                if "line" not in str(e):
                    print(e, file=sys.stderr, flush=True)
                time.sleep(0.02)

    def catch_up(self, view):
        while not self.cursor(view):
            self.again(lambda: self.load(view))
        while not self.again(lambda: self.follow(view)):
            pass

    def run(self, what):
        self.offers = self.again(self.offer)
        while what == "follow":
            for view in self.conf["views"]:
                self.catch_up(view)
            time.sleep(0.02)
        said = {}
        for view in self.conf["views"]:
            self.catch_up(view)
            said[view] = self.again(lambda: self.acknowledge(view))
            while said[view]["compared"] == "unknown":  # the view has gone on meanwhile
                self.catch_up(view)
                said[view] = self.again(lambda: self.acknowledge(view))
        print(json.dumps({"said": said, "refused": self.bus.refused}), flush=True)


def serve(folder):
    """A child for each order, so that starting one costs nothing."""
    orders = open(0, "rb", buffering=0)  # nothing read ahead: select sees what is there
    for line in orders:
        what, _, limit = line.decode().strip().partition(" ")
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(write, 1)
            try:
                Mirror(folder).run(what)
                os._exit(0)
            except BaseException as e:
                print(repr(e), file=sys.stderr, flush=True)
                os._exit(1)
        os.close(write)
        ready = select.select([read, orders], [], [], float(limit) if limit else None)[0]
        if read not in ready:
            if ready:
                orders.readline()  # kill
            os.kill(pid, signal.SIGKILL)
        with os.fdopen(read) as said:
            text = said.read().strip()
        status = os.waitpid(pid, 0)[1]
        print("%d %s" % (os.waitstatus_to_exitcode(status), text), flush=True)


if __name__ == "__main__":
    if sys.argv[2] == "serve":
        serve(sys.argv[1])
    else:
        Mirror(sys.argv[1]).run(sys.argv[2])

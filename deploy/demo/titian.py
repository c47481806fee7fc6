"""Reading a running city over HTTP, with nothing but Python's standard library."""
import json
import os
import urllib.error
import urllib.parse
import urllib.request


class City:
    """The gateway of one demo: its URL and a key, from DEMO_DIR/demo.env."""

    def __init__(self, demo_dir):
        self.dir = demo_dir
        self.env = read_env(os.path.join(demo_dir, "demo.env"))
        self.url, self.key = self.env["TITIAN_URL"], self.env["TITIAN_KEY"]

    def open(self, path, query=None, accept="application/json", timeout=60):
        url = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, headers={"Authorization": "Bearer " + self.key, "Accept": accept})
        return urllib.request.urlopen(request, timeout=timeout)

    def get(self, path, query=None):
        with self.open(path, query) as answer:
            return json.load(answer)

    def rows(self, view, **query):
        """Every row of a view, page after page, along Link: rel="next"."""
        query.setdefault("limit", 10000)
        path = "/v1/views/" + view
        while path:
            with self.open(path, query) as answer:
                yield from json.load(answer)
                path, query = next_link(answer.headers.get("Link")), None

    def waiting_files(self):
        """Files offered that no adapter has finished with."""
        names = []
        for folder, _, files in os.walk(os.path.join(self.dir, "drop")):
            if os.path.basename(folder) in ("done", "refused"):
                continue
            names += [f for f in files if not f.startswith(".") and os.path.isfile(os.path.join(folder, f))]
        return names

    def state(self):
        """(topics answer, quality answer, idle?) or None while the gateway does not answer."""
        try:
            topics, quality = self.get("/v1/topics"), self.get("/v1/quality")
        except (urllib.error.URLError, ConnectionError, TimeoutError, json.JSONDecodeError):
            return None
        busy = any(feed["status"] == "DIPROSES" for feed in quality)
        return topics, quality, bool(topics["idle"] and quality and not busy and not self.waiting_files())


def next_link(header):
    for part in (header or "").split(","):
        target, _, parameters = part.partition(">")
        if 'rel="next"' in parameters:
            link = urllib.parse.urlsplit(target.strip(" <"))
            return link.path + ("?" + link.query if link.query else "")
    return None


def read_env(path):
    with open(path, encoding="utf-8") as f:
        return dict(line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#"))


def number(n):
    """1204567 -> 1.204.567, as it is written in Indonesia."""
    return "{:,}".format(n).replace(",", ".")

"""The registry's change feed: events as they happen, from a cursor, the same after a restart."""
import json
import threading
import urllib.request

import pytest
from test_registry import A, B_DEFAULT, Registry, kafka, record  # noqa: F401 (kafka is a fixture)


@pytest.fixture(scope="module")
def registry(kafka, tmp_path_factory):  # noqa: F811
    r = Registry(kafka, "_schemas_feed", tmp_path_factory.mktemp("feed")).start()
    yield r
    r.kill()


def told(changes):
    return [(c["event"], c["subject"], c.get("version"), c.get("id"), c.get("value")) for c in changes]


class Follower(threading.Thread):
    """Reads server-sent events until it has as many as wanted."""

    def __init__(self, registry, wanted, path="/v1/changes", **headers):
        super().__init__(daemon=True)
        self.wanted, self.events, self.ids = wanted, [], []
        request = urllib.request.Request(registry.url + path, headers={"Accept": "text/event-stream", **headers})
        self.stream = urllib.request.urlopen(request, timeout=60)
        assert self.stream.headers["Content-Type"] == "text/event-stream"
        self.start()

    def run(self):
        with self.stream:
            for line in self.stream:
                if line.startswith(b"id: "):
                    self.ids.append(int(line[4:]))
                if line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))
                    if len(self.events) == self.wanted:
                        return

    def result(self):
        self.join(60)
        assert not self.is_alive(), self.events
        return told(self.events)


def test_feed(registry):
    live = Follower(registry, 7)
    first = registry.register("warga", record(A))[1]["id"]
    second = registry.register("warga", record(A, B_DEFAULT))[1]["id"]
    registry.ask("PUT", "/config/warga", {"compatibility": "FULL"})
    registry.ask("DELETE", "/subjects/warga/versions/1")
    registry.ask("DELETE", "/subjects/warga/versions/1?permanent=true")
    registry.ask("DELETE", "/config/warga")
    other = registry.register("usaha", record(A))[1]["id"]
    happened = [("registered", "warga", 1, first, None), ("registered", "warga", 2, second, None),
                ("config", "warga", None, None, {"subject": "warga", "compatibilityLevel": "FULL"}), ("deleted", "warga", 1, first, None),
                ("removed", "warga", 1, None, None), ("config", "warga", None, None, None),
                ("registered", "usaha", 1, other, None)]
    assert live.result() == happened
    page = registry.get("/v1/changes")[1]
    assert told(page["changes"]) == happened and page["reset"] is False and page["next"] == live.ids[-1]
    registry.kill()
    registry.start()
    assert registry.get("/v1/changes")[1] == page
    # from a cursor, by either name, and of some subjects only
    assert Follower(registry, 3, **{"Last-Event-ID": str(live.ids[3])}).result() == happened[4:]
    assert told(registry.get("/v1/changes?after=%d&limit=2" % live.ids[1])[1]["changes"]) == happened[2:4]
    assert told(registry.get("/v1/changes?subjectPrefix=usa")[1]["changes"]) == happened[-1:]
    assert registry.get("/v1/changes?after=%d" % live.ids[-1])[1] == {"changes": [], "next": live.ids[-1], "reset": False}


@pytest.mark.parametrize("query", ["after=x", "limit=0", "after=", "after=99999999999999999999"])
def test_bad_cursors(registry, query):
    assert registry.get("/v1/changes?" + query)[0] == 400

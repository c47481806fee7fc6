"""A topic that another registry wrote is taken over unchanged, and ours can be given back (docs/takeover.md).

tests/takeover/*.json are topics and what their registry said of them, recorded from the real one (see "who").
"""
import json
import os
import pathlib
import re
import signal
import sys
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "takeover"))
import takeover  # noqa: E402
from test_registry import Registry  # noqa: E402

RECORDED = sorted((ROOT / "tests" / "takeover").glob("*.json"))


@pytest.fixture(scope="module")
def kafka(request):
    return os.environ.get("TITIAN_BOOTSTRAP") or request.getfixturevalue("bootstrap")


def a_topic():
    return "_schemas_takeover_%d_%d" % (os.getpid(), time.time_ns())


def state_of(kafka, topic, folder):
    """What ours says of a topic, and the next id that it gives."""
    r = Registry(kafka, topic, folder).start()
    try:
        return takeover.state(r.url), takeover.register(r.url, "next-value", '{"type":"fixed","name":"Next","size":3}')
    finally:
        assert r.kill(signal.SIGTERM) == 0


@pytest.mark.parametrize("path", RECORDED, ids=[p.stem for p in RECORDED])
@pytest.mark.parametrize("compaction", [False, True], ids=["as written", "compacted"])
def test_takes_over_what_another_registry_wrote(kafka, tmp_path, path, compaction):
    recorded = json.loads(path.read_text())
    records, topic = recorded["records"], a_topic()
    takeover.write_topic(kafka, topic, takeover.compacted(records) if compaction else records)
    state, next_id = state_of(kafka, topic, tmp_path)
    for part in recorded["state"]:
        assert state[part] == recorded["state"][part], part
    assert next_id > max(v["id"] for v in state["versions"].values())


def test_its_own_topic_says_the_same_after_compaction(kafka, tmp_path):
    topic, again = a_topic(), a_topic()
    r = Registry(kafka, topic, tmp_path).start()
    takeover.fill(r.url)
    takeover.more(r.url)
    # the highest id goes for good: only the topic may remember it
    highest = takeover.register(r.url, "highest-value", '{"type":"fixed","name":"Highest","size":1}')
    takeover.delete(r.url, "/subjects/highest-value")
    takeover.delete(r.url, "/subjects/highest-value?permanent=true")
    before = takeover.state(r.url)
    assert r.kill(signal.SIGTERM) == 0
    records = takeover.read_topic(kafka, topic)
    for key, _ in records:
        assert re.fullmatch(r'\{"keytype":"(SCHEMA","subject":".*","version":\d+,"magic":1|DELETE_SUBJECT","subject":".*","magic":0'
                            r'|CONFIG",("subject":(".*"|null),)?"magic":0|NOOP","magic":[01])\}', key), "Confluent's own bytes"
    takeover.write_topic(kafka, again, takeover.compacted(records))
    state, next_id = state_of(kafka, again, tmp_path)
    assert state == before
    assert next_id > highest, "an id is never given twice"


def test_the_last_offset_of_a_topic_it_leaves_is_a_record(kafka, tmp_path):
    """Karapace reads until the last offset, which a transaction's marker would hold."""
    topic = a_topic()
    r = Registry(kafka, topic, tmp_path).start()
    takeover.register(r.url, "a", '"string"')
    assert r.kill(signal.SIGTERM) == 0
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic})
    partition = TopicPartition(topic, 0)
    _, end = consumer.get_watermark_offsets(partition, timeout=30)
    consumer.assign([TopicPartition(topic, 0, end - 1)])
    message = consumer.poll(30)
    assert message is not None and message.error() is None and message.offset() == end - 1
    assert message.key() == b'{"keytype":"NOOP","magic":1}' and message.value() is None
    consumer.close()


@pytest.mark.parametrize("path", RECORDED, ids=[p.stem for p in RECORDED])
def test_a_global_level_taken_back_stays_so_after_compaction(kafka, tmp_path, path):
    """The key of global settings has had two spellings, and compaction compares bytes."""
    topic, again = a_topic(), a_topic()
    takeover.write_topic(kafka, topic, json.loads(path.read_text())["records"])
    r = Registry(kafka, topic, tmp_path).start()
    assert r.get("/config")[1]["compatibilityLevel"] == "FULL"
    assert r.ask("DELETE", "/config")[0] == 200
    assert r.kill(signal.SIGTERM) == 0
    takeover.write_topic(kafka, again, takeover.compacted(takeover.read_topic(kafka, topic)))
    r.topic = again
    r.start()
    assert r.get("/config")[1]["compatibilityLevel"] == "BACKWARD"
    assert r.kill(signal.SIGTERM) == 0

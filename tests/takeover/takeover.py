"""Is it the same registry after the change of program? Fills one, tells what one says, and copies its topic.

    takeover.py fill URL                         schemas of every kind, deletions, levels, references
    takeover.py state URL                        what a client can see of it, as JSON
    takeover.py more URL                         a few changes on top, as the next registry's users make them
    takeover.py record URL BOOTSTRAP TOPIC WHO   state and records in one file, as tests/takeover/*.json are

`state` asks only what Confluent's, Karapace's and ours all answer, and compares schemas as JSON, not as text.
"""
import json
import pathlib
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))
from conformance import ask  # noqa: E402

A = {"name": "a", "type": "string"}
B = {"name": "b", "type": "int", "default": 7}
C = {"name": "c", "type": ["null", "long"], "default": None}


def record(*fields, name="kota.R"):
    return json.dumps({"type": "record", "name": name.rsplit(".", 1)[1], "namespace": name.rsplit(".", 1)[0], "fields": list(fields)})


def want(answer, status=200):
    assert answer[0] == status, (answer[0], answer[2])
    return answer[2]


def register(url, subject, text, **more):
    return want(ask(url, "POST", "/subjects/%s/versions" % subject, {"schema": text, **more}))["id"]


def config(url, subject, level):
    want(ask(url, "PUT", "/config" + ("/" + subject if subject else ""), {"compatibility": level}))


def delete(url, path):
    want(ask(url, "DELETE", path))


def fill(url):
    for text in (record(A), record(A, B), record(A, B, C)):
        register(url, "plain-value", text)
    register(url, "same-value", record(A))  # one text, one id
    register(url, "nama & alamat?é-value".replace("?", "%3F").replace("&", "%26"), record(A, name="kota.Odd"))
    part = {"name": "kota.Part", "subject": "part", "version": 1}
    register(url, "part", record(A, name="kota.Part"))
    register(url, "whole-value", record({"name": "p", "type": "kota.Part"}, name="kota.Whole"), references=[part])
    if "JSON" in want(ask(url, "GET", "/schemas/types")):
        register(url, "json-value", '{"type":"object","title":"J","properties":{"a":{"type":"string"}}}', schemaType="JSON")
    # a version softly gone, one for good, a subject each
    for name, text in (("Gone", record(A, name="kota.Gone")), ("Gone", record(A, B, name="kota.Gone"))):
        register(url, "version-gone-value", text)
        register(url, "version-lost-value", text.replace(name, "Lost"))
        register(url, "subject-gone-value", text.replace(name, "SubjectGone"))
        register(url, "subject-lost-value", text.replace(name, "SubjectLost"))
    delete(url, "/subjects/version-gone-value/versions/1")
    delete(url, "/subjects/version-lost-value/versions/1")
    delete(url, "/subjects/version-lost-value/versions/1?permanent=true")
    delete(url, "/subjects/subject-gone-value")
    delete(url, "/subjects/subject-lost-value")
    delete(url, "/subjects/subject-lost-value?permanent=true")
    # one that came back after its deletion
    register(url, "back-value", record(A, name="kota.Back"))
    delete(url, "/subjects/back-value")
    register(url, "back-value", record(A, B, name="kota.Back"))
    # levels: the global one, kept, changed twice, taken back
    config(url, None, "FULL")
    config(url, "plain-value", "NONE")
    config(url, "plain-value", "FORWARD_TRANSITIVE")
    config(url, "same-value", "NONE")
    delete(url, "/config/same-value")
    config(url, "no-schema-yet", "BACKWARD_TRANSITIVE")


def more(url):
    """Changes that the next registry makes on what it took over."""
    register(url, "plain-value", record(A, B, C, {"name": "d", "type": "string"}))
    register(url, "later-value", record(A, B, name="kota.Later"))
    delete(url, "/subjects/plain-value/versions/1")
    delete(url, "/subjects/version-gone-value/versions/1?permanent=true")
    delete(url, "/subjects/subject-gone-value?permanent=true")
    config(url, "later-value", "FULL_TRANSITIVE")
    delete(url, "/config/no-schema-yet")


def state(url):
    live = want(ask(url, "GET", "/subjects"))
    out = {"global": want(ask(url, "GET", "/config"))["compatibilityLevel"], "subjects": {}, "versions": {}, "ids": {}, "checks": {}}
    for subject in sorted(want(ask(url, "GET", "/subjects?deleted=true"))):
        path = "/subjects/" + urllib.parse.quote(subject, safe="")
        status, _, versions = ask(url, "GET", path + "/versions?deleted=true")
        if status == 404:
            continue  # Karapace lists subjects that have a level only
        out["subjects"][subject] = {
            "live": want(ask(url, "GET", path + "/versions")) if subject in live else [], "all": versions}
        for number in versions:
            v = want(ask(url, "GET", "%s/versions/%d?deleted=true" % (path, number)))
            out["versions"]["%s %d" % (subject, number)] = {
                "id": v["id"], "type": v.get("schemaType", "AVRO"), "references": v.get("references", []), "schema": json.loads(v["schema"])}
            by_id = want(ask(url, "GET", "/schemas/ids/%d" % v["id"]))
            out["ids"][str(v["id"])] = json.loads(by_id["schema"])
        for name in ("plain-value", "same-value", "version-gone-value"):
            if subject == name and subject in live:
                for what, text in (("removes a", record(B)), ("adds e", record(A, B, C, {"name": "e", "type": "int", "default": 1}))):
                    answer = want(ask(url, "POST", "/compatibility%s/versions/latest" % path, {"schema": text}))
                    out["checks"]["%s %s" % (subject, what)] = answer["is_compatible"]
    out["levels"] = {}
    for subject in sorted(set(out["subjects"]) | {"no-schema-yet", "later-value"}):
        status, _, body = ask(url, "GET", "/config/" + urllib.parse.quote(subject, safe=""))
        if status == 200:
            out["levels"][subject] = body["compatibilityLevel"]
    return out


def read_topic(bootstrap, topic):
    """Its records: [key, value], texts, in the log's order."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "takeover", "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    records = []
    while True:
        message = consumer.poll(30)
        assert message is not None, "the topic cannot be read"
        if message.error():
            consumer.close()
            return records
        records.append([None if part is None else part.decode() for part in (message.key(), message.value())])


def write_topic(bootstrap, topic, records):
    """A new compacted topic with these records."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "compact"})])[topic].result(30)
    producer = Producer({"bootstrap.servers": bootstrap})
    for key, value in records:
        producer.produce(topic, key=key, value=value, partition=0)
    assert producer.flush(30) == 0


def compacted(records):
    """What compaction leaves when it is done: the last record of each key, byte for byte, and no tombstones."""
    last = {key: i for i, (key, _) in enumerate(records)}
    return [r for i, r in enumerate(records) if last[r[0]] == i and r[1] is not None]


def main(verb, url, *rest):
    if verb == "fill":
        fill(url)
    elif verb == "more":
        more(url)
    elif verb == "state":
        print(json.dumps(state(url), indent=1, ensure_ascii=False, sort_keys=True))
    elif verb == "record":
        bootstrap, topic, who = rest
        print(json.dumps({"who": who, "date": time.strftime("%Y-%m-%d"), "state": state(url),
                          "records": read_topic(bootstrap, topic)}, indent=1, ensure_ascii=False))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])

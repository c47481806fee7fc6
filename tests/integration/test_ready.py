"""What /readyz says: all that could be read when the gateway started has been read, and views are evaluated. Records that keep coming
are no reason to wait, nor is a transaction that somebody leaves open."""
import contextlib
import random
import threading

from confluent_kafka import Producer

from conftest import wait_for
from group_stage import Stage
from own_gateway import OwnGateway, Topic

SCHEMA = {"type": "record", "name": "Siap", "namespace": "pku.uji", "x_jenis": "register", "x_kunci": "id",
          "fields": [{"name": "id", "type": "string", "x_pdp": "P"}, {"name": "n", "type": "int", "x_pdp": "N"}]}
VIEWS = {"siap": """/*---
name: siap
key: id
routes: {%s: _key}
columns: {id: {type: text, pdp: P}, n: {type: int, pdp: N}}
---*/
SELECT _key AS id, n FROM %s
""", "siap_per": """/*---
name: siap_per
key: sisa
store: full
pace: group
columns: {sisa: {type: text, pdp: N}, banyak: {type: int, pdp: N}}
---*/
SELECT CAST(n %% 7 AS TEXT) AS sisa, count(*) AS banyak FROM %s GROUP BY CAST(n %% 7 AS TEXT)
"""}
ROWS = 6000


@contextlib.contextmanager
def stream_of(put):
    """Records without a rest, one every few milliseconds: a moment without any would be the end of what is tried here."""
    over = threading.Event()

    def run():
        n = 0
        while not over.wait(0.003):
            put(n)
            n += 1

    writer = threading.Thread(target=run)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join(30)


def made(city, name):
    topic = Topic(city, "pku.uji.%s.v1" % name, SCHEMA, partitions=2)
    table = "uji_" + name
    views = {"siap": VIEWS["siap"] % (table, table), "siap_per": VIEWS["siap_per"] % table}
    return topic, OwnGateway(city, name, [topic], views, "readers: {uji: {views: {siap: {}, siap_per: {}}}}\n")


def fill(topic):
    for i in range(ROWS):
        topic.put("lama-%d" % i, {"id": "lama-%d" % i, "n": i})
    topic.flush()


def rows(gateway):
    views = {v["name"]: v["rows"] for v in gateway.get("/v1/views")}
    return views["siap"], sum(r["banyak"] for r in gateway.get("/v1/views/siap_per"))


def test_while_records_keep_coming(apart):
    topic, gateway = made(apart, "siap")
    fill(topic)
    with stream_of(lambda n: topic.put("baru-%d" % n, {"id": "baru-%d" % n, "n": n})):
        try:
            for _ in ("its first load", "going on after a kill"):
                gateway.start(within=20)
                assert min(rows(gateway)) >= ROWS
                gateway.kill()
        finally:
            gateway.stop()


def test_each_of_a_group_while_records_keep_coming(apart):
    stage, rnd = Stage(apart, "siapg"), random.Random(1)
    stage.write(rnd, 3000, keys=1000)
    with stream_of(lambda _: stage.write(rnd, 1, keys=1000)):
        try:
            stage.gateway("a").start(within=20)
            b = stage.gateway("b").start(within=20)
            b.kill()
            b.start(within=20)
        finally:
            stage.stop()


def test_while_somebody_leaves_a_transaction_open(apart):
    topic, gateway = made(apart, "siapt")
    fill(topic)
    open_one = Producer({"bootstrap.servers": apart.bootstrap, "transactional.id": "uji-siap", "transaction.timeout.ms": 600000})
    open_one.init_transactions(30)
    open_one.begin_transaction()
    for partition in 0, 1:
        open_one.produce(topic.name, key="terbuka", value=topic.encode({"id": "terbuka", "n": 1}), partition=partition)
    assert open_one.flush(30) == 0
    topic.put("nanti", {"id": "nanti", "n": 1}, partition=0)
    topic.flush()
    try:
        gateway.start()
        assert rows(gateway) == (ROWS, ROWS)
        open_one.abort_transaction(30)
        wait_for(lambda: rows(gateway) == (ROWS + 1, ROWS + 1), 30, "what came after the transaction")
    finally:
        gateway.stop()

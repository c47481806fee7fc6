"""make clients: every client writes, every client reads what every other wrote. Real Kafka, titian-registry.

    run.py [NAME...]     a line a client; last line "N passed, N failed"; exit 1 when one failed
"""
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import clients  # noqa: E402
import stage  # noqa: E402


def main(names):
    chosen = [c for c in clients.CLIENTS if not names or c.name in names]
    failed, ready = {}, []
    for client in chosen:
        try:
            client.prepare()
            ready.append(client)
        except RuntimeError as e:
            failed[client.name] = "cannot be installed: %s" % e
    topics = {c.name: "warga-" + c.name for c in ready}
    place = stage.fresh(clients.BUILD / "stage")
    with stage.kafka(place) as kafka, stage.registry(place, kafka) as url:
        clients.make_topics(kafka, topics.values())
        steps, seconds, read = {}, {}, {}
        for client in ready:
            start = time.monotonic()
            steps[client.name], stopped = client.write(url, kafka, topics[client.name])
            seconds[client.name] = time.monotonic() - start
            if stopped:
                failed[client.name] = stopped
        written = [c for c in ready if c.name not in failed]
        for client in written:
            try:
                got = client.read(url, kafka, [topics[c.name] for c in written])
            except AssertionError as e:
                failed[client.name] = "read: %s" % e
                continue
            read[client.name] = [c.name for c in written if clients.wrong(got[topics[c.name]]) is None]
            for c in written:
                if clients.wrong(got[topics[c.name]]):
                    failed[client.name] = "read of %s: %s" % (c.name, clients.wrong(got[topics[c.name]]))
    for client in chosen:
        print("%-13s %-44s %-38s reads %d of %d  %4.1f s  %s" % (
            client.name, client.what, " ".join(steps.get(client.name, [])) or "-", len(read.get(client.name, [])),
            len(chosen), seconds.get(client.name, 0), "FAILED" if client.name in failed else "ok"))
    for name, words in failed.items():
        print("\n%s: %s" % (name, words))
    print("%d passed, %d failed" % (len(chosen) - len(failed), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

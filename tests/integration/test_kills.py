"""kill -9 of everything, many times, while a city is loading: nothing is lost and nothing changes."""
import os
import random
import time

import pytest

from conftest import OPDS, WORK, Demo, generate

SEED = 20240620
ROUNDS = int(os.environ.get("KILL_ROUNDS", "10"))  # of each program; `make soak` asks for 100


def test_forty_kills_while_20000_residents_are_loading():
    feeds = generate(WORK / "feeds20k", "--n", 20000, "--seed", 7)
    if not feeds:
        pytest.skip("the generator is not beside this checkout")
    chance = random.Random(SEED)
    # The city starts with the pupils' file only; the other files come one by one between the kills, so that
    # there is always something being loaded.
    first = WORK / "feeds20k-first"
    first.mkdir(exist_ok=True)
    for name in ("ref_sekolah.csv", "disdukcapil_penduduk.psv"):
        (first / name).write_bytes((feeds / name).read_bytes())
    waiting = sorted(f for f in feeds.iterdir() if f.name.split("_")[0] in OPDS and not (first / f.name).exists())
    demo = Demo("kills", first).start()
    try:
        kills = ["gateway", "registry", "kafka", "adapter"] * ROUNDS
        chance.shuffle(kills)
        every = len(kills) // len(waiting)
        for i, name in enumerate(kills):
            if i % every == 0 and waiting:
                file = waiting.pop()
                demo.drop(file.name.split("_")[0], file.name, file.read_bytes())
                busy = file.name.split("_")[0]
            if name == "adapter":
                name = busy
            time.sleep(chance.uniform(0, 0.4))  # the random moment; nothing is awaited here
            demo.kill(name)
            demo.restart(name)
        for file in waiting:
            demo.drop(file.name.split("_")[0], file.name, file.read_bytes())
        demo.check(feeds / "truth.json")
        assert all(t["gaps"] == 0 for t in demo.city.get("/v1/topics")["topics"])
    finally:
        demo.stop()

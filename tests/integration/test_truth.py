"""Every figure of a city's truth is found again over HTTP."""
import shutil

import pytest

from conftest import ROOT, WORK, Demo, generate


def test_the_sample_city_is_exactly_right(sample):
    out = sample.check(ROOT / "deploy/demo/truth.json")
    assert out.splitlines()[-1].endswith(" equal, 0 different")
    assert int(out.splitlines()[-1].split()[0]) > 240


def test_a_figure_that_differs_is_shown_and_fails_the_check(sample, tmp_path):
    text = (ROOT / "deploy/demo/truth.json").read_text()
    wrong = tmp_path / "truth.json"
    wrong.write_text(text.replace('"hidup_di_kota": 2011', '"hidup_di_kota": 2012'))
    run = sample.make("demo-check", "TRUTH=" + str(wrong), check=False)
    assert run.returncode != 0
    assert "differs  pandangan.penduduk.hidup_di_kota 2011 (truth 2012)" in run.stdout
    assert run.stdout.splitlines()[-1].endswith(" equal, 1 different")


def test_a_second_start_says_that_it_runs_and_changes_nothing(sample):
    before = {name: sample.pid(name) for name in ("kafka", "gateway", "registry", "dinkes")}
    sample.make("demo")
    assert before == {name: sample.pid(name) for name in before}
    sample.check(ROOT / "deploy/demo/truth.json")


def test_a_deleted_database_is_rebuilt_to_the_same_answers(sample):
    sample.kill("gateway")
    for entry in (sample.dir / "view").iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    sample.restart("gateway")
    sample.idle()
    sample.check(ROOT / "deploy/demo/truth.json")


def test_a_city_of_20000_is_exactly_right():
    feeds = generate(WORK / "feeds20k", "--n", 20000, "--seed", 7)
    if not feeds:
        pytest.skip("the generator is not beside this checkout")
    demo = Demo("city20k", feeds).start()
    try:
        demo.check(feeds / "truth.json")
    finally:
        demo.stop()

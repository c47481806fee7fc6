"""The reference page: its programs are run as they stand, in the four languages it shows them in."""
import json
import os
import subprocess

import pytest
from selenium.webdriver.common.by import By

from conftest import ROOT
from test_portal import browser, no_complaints, wait_page  # noqa: F401

MAKE = """
import { givenOf, operationsOf, samplesOf } from "%s";
const asked = JSON.parse(process.argv[2]);
const doc = await (await fetch(asked.origin + "/v1/openapi.json", { headers: { Authorization: `Bearer ${process.env.TITIAN_KEY}` } })).json();
console.log(JSON.stringify(operationsOf(doc).map((o) => [o.id, o.method, o.path, samplesOf(o, asked.origin, { ...givenOf(doc, o, asked.day), ...asked.given })])));
"""


@pytest.fixture(scope="module")
def programs(sample, tmp_path_factory):
    """[operation, method, path, {language: program}] of the sample city, as the page's own script makes them."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "make.mjs").write_text(MAKE % (folder / "samples.mjs"))
    (folder / "samples.mjs").write_text((ROOT / "gateway/portal/samples.js").read_text())
    given = {"key": "nobody", "file": "portal.js"}
    run = subprocess.run(["node", str(folder / "make.mjs"), json.dumps({"origin": sample.city.url, "given": given, "day": "2025-12-31"})],
                         capture_output=True, text=True, timeout=60, env=env(sample))
    assert run.returncode == 0, run.stderr
    return folder, json.loads(run.stdout)


def env(sample):
    return dict(os.environ, TITIAN_KEY=sample.city.key)


def run(sample, folder, language, program):
    command = {"curl": ["bash", "-c", program], "Python": ["python3", "-c", program], "PHP": ["php", "-d", "display_errors=stderr"],
               "JavaScript": ["node", "program.mjs"]}[language]
    if language == "JavaScript":
        (folder / "program.mjs").write_text(program)
    return subprocess.run(command, input=program if language == "PHP" else None, cwd=folder, capture_output=True, text=True,
                          timeout=60, env=env(sample))


# One of each shape in every language; the rest is the same text about other addresses.
SHAPES = ["views", "rows", "changes", "lookup", "export_make", "whoami", "ticket", "openapi", "rows_penduduk", "changes_kematian",
          "rows_rentan_bencana"]


def test_the_programs_run(sample, programs):
    folder, operations = programs
    samples = {o: code for o, _, _, code in operations}
    assert set(SHAPES) <= set(samples)
    for operation in SHAPES:
        said = {}
        for language, program in samples[operation].items():
            done = run(sample, folder, language, program)
            assert done.returncode == 0, "%s in %s: %s" % (operation, language, done.stderr[-500:])
            said[language] = done.stdout.strip()
        assert all(said.values()), operation
        if operation not in ("ticket", "views", "export_make"):
            assert len(set(said.values())) == 1, operation  # the same answer, whoever asks
    assert json.loads(run(sample, folder, "PHP", samples["rows_penduduk"]["PHP"]).stdout)[0]["wilayah"] == "kota"


def test_every_operation_has_its_programs(programs):
    for operation, _, path, code in programs[1]:
        assert set(code) == {"curl", "Python", "PHP", "JavaScript"}, operation
        assert all("{" + part not in code["curl"] for part in path.split("{")[1:]), operation


def test_the_page(sample, browser):  # noqa: F811
    browser.get(sample.city.url + "/reference?lang=en")
    wait_page(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".operation")) > 10, 20, "the operations")
    general = len(browser.find_elements(By.CSS_SELECTOR, ".operation"))
    browser.get(sample.city.url + "/?lang=en#key=" + sample.city.key)
    wait_page(lambda: browser.find_elements(By.CSS_SELECTOR, "#picture svg .node"), 20, "the picture")
    browser.get(sample.city.url + "/reference")
    wait_page(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".operation")) > general + 20, 20, "the reader's views")
    browser.find_element(By.CSS_SELECTOR, "#rows_kematian summary").click()
    wait_page(lambda: "curl --fail" in browser.find_element(By.CSS_SELECTOR, "#rows_kematian pre").text, 20, "the program")
    for button in browser.find_elements(By.CSS_SELECTOR, "#rows_kematian .pick button"):
        if button.text == "PHP":
            button.click()
    wait_page(lambda: "<?php" in browser.find_element(By.CSS_SELECTOR, "#rows_kematian pre").text, 20, "the program")
    assert sample.city.key not in browser.page_source
    no_complaints(browser)

"""A line per department: what an adapter says of itself reaches whoever watches the city, and its silence too.

What was refused is told by the files; what was said is read by Confluent's consumer and fastavro besides."""
import collections
import json
import signal
import types

import pytest
from selenium.webdriver.common.by import By

from conftest import wait_for
from own_adapter import OwnAdapter
from own_gateway import OwnGateway
from test_portal import browser, no_complaints, one, wait_page  # noqa: F401  (browser: a fixture)
from test_quarantine import BARANG, MAPPING, PLAIN

OPD, EVERY_S = "kabar", 1
SILENT_S = 3 * EVERY_S
MAPPINGS = {"barang.yaml": (MAPPING % {**PLAIN, "name": "barang"}).replace("rawat_", OPD + "_").replace("pku.rawat.", "pku.%s." % OPD)}
POLICY = "readers: {kota: {status: true}, orang: {}}\n"
ROWS = [("A%d" % i, "RAHASIA", str(i)) for i in range(30)] + [("B%d" % i, "", "1") for i in range(4)] + [("C%d" % i, "RAHASIA", "x") for i in range(2)]
REFUSED = dict(collections.Counter("nama_kosong" if not name else "jumlah_salah" for _, name, n in ROWS if not name or not n.isdigit()))


@pytest.fixture(scope="module")
def office(apart):
    own = OwnAdapter(apart, OPD, {"barang": dict(BARANG, name="Barang")}, MAPPINGS, more="status: {every: %ds}" % EVERY_S)
    yield own
    own.stop()


@pytest.fixture(scope="module")
def gateway(apart, office):
    topics = [types.SimpleNamespace(name="pku.%s.%s.v1" % (OPD, e)) for e in ("barang", "karantina")]
    own = OwnGateway(apart, "adapter-line", topics, {}, POLICY, readers=("kota", "orang")).start()
    yield own
    own.stop()


def line(gateway):
    (found,) = gateway.get("/v1/adapters")
    return found


def shown(browser):
    """The department's line, as read at one moment: it is drawn anew all the time."""
    return browser.execute_script("return document.querySelector('#adapters tr[data-opd=%s]')?.innerText || ''" % OPD)


def until(gateway, what, seconds=30, **want):
    def there():
        now = line(gateway)
        return now if all(now[k] == v for k, v in want.items()) else None
    return wait_for(there, seconds, what)


def test_before_any_word(gateway):
    now = line(gateway)
    assert (now["opd"], now["state"], now["heard"], now["last_record"]) == (OPD, "unheard", None, None)
    assert gateway.request("/v1/adapters", key=gateway.keys["orang"])[0] == 403


def test_it_runs_and_says_what_it_refused(office, gateway):
    office.start()
    now = until(gateway, "its first word", state="running")
    assert now["last_record"] is None and now["rows"] == 0 and now["spool_limit"] == 0
    office.drop("barang.csv", "\n".join(["kode,nama,jumlah"] + [",".join(r) for r in ROWS]).encode())
    refused = sum(REFUSED.values())
    now = until(gateway, "the counts", rows=len(ROWS), published=len(ROWS) - refused, refused=refused, waiting_files=0)
    assert now["refused_by"] == REFUSED and REFUSED == {"nama_kosong": 4, "jumlah_salah": 2}
    assert 0 <= now["last_record_seconds_ago"] < 60 and now["rows_per_second"] > 0
    said = office.records("adapter")[-1]
    assert said.key == OPD and said.value["kelas_ditolak"] == REFUSED and said.value["keadaan"] == "BERJALAN" and said.value["jeda"] == 1000 * EVERY_S
    assert "RAHASIA" not in json.dumps(line(gateway)) + str(said.value) + str(said.headers)


def test_the_portal_says_it_in_words_in_both_languages_and_on_a_small_phone(gateway, browser):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True})
    try:
        browser.get(gateway.url + "/?lang=en#key=" + gateway.key)
        wait_page(lambda: all(word in shown(browser) for word in ("running", "s ago", "Nama kosong 4, Jumlah salah 2")), 30, "the line")
        one(browser, "#language").click()
        wait_page(lambda: "berjalan" in shown(browser) and "dtk lalu" in shown(browser), 10, "Indonesian")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 320
        no_complaints(browser)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_portal_draws_a_spool_and_the_three_first_reasons(browser):
    """Of a department that posts: the page's own module, given what the gateway would answer."""
    adapter = {"opd": "dinkes", "state": "running", "heard": "2026-11-24T10:00:00+07:00", "heard_seconds_ago": 4, "began": "2026-11-24T09:00:00+07:00",
               "last_record": "2026-11-24T09:58:00+07:00", "last_record_seconds_ago": 124, "rows_per_second": 12.5, "waiting_files": 1, "waiting_bytes": 2048,
               "spool_bytes": 250000, "spool_limit": 1000000, "fetches_failed": 2, "refused": 24,
               "refused_by": {"duplikat": 3, "nik_kosong": 9, "tgl_invalid": 2, "nik_format": 8, "baris_ganda": 2}}
    drawn, share = browser.execute_async_script("""
        const [adapter, done] = arguments;
        Promise.all([import("/portal/adapters.js"), import("/portal/texts.js")]).then(([{ drawAdapters }, { setLang }]) => {
            setLang("en");
            const node = document.createElement("div");
            drawAdapters(node, { adapters: [adapter] });
            const words = [[...node.querySelectorAll("tbody td")].map((td) => td.textContent), node.querySelector(".bar span.ok").style.flexGrow];
            setLang("id");
            done(words);
        });""", adapter)
    assert drawn == ["running2 fetches failed", "2 min ago", "12.5", "1 file, 2 kB", "250 kB of 1 MB",
                     "24: NIK missing 9, Malformed NIK 8, Duplicate 3, others 4"] and share == "25"


def test_killed_it_is_silent_and_a_new_start_ends_the_silence(office, gateway, browser):
    office.kill()
    now = until(gateway, "the silence", SILENT_S + 30, state="silent")
    assert now["silent_since"] == now["heard"] and now["heard_seconds_ago"] >= SILENT_S and now["refused_by"] == REFUSED
    wait_page(lambda: "diam sejak" in shown(browser), 20, "the page to tell the silence")
    office.start()
    now = until(gateway, "the next word", state="running")
    assert now["silent_since"] is None and now["refused"] == 0, "counts are since it began"


def test_stopped_in_order_it_says_so_and_a_gateway_that_comes_later_knows(office, gateway):
    office.kill(signal.SIGTERM)
    until(gateway, "the stop", state="stopped")
    assert office.records("adapter")[-1].value["keadaan"] == "BERHENTI"
    gateway.kill()
    gateway.start()
    until(gateway, "what it said last", state="stopped")
    assert line(gateway)["silent_since"] is None


def test_a_department_without_the_topic_goes_on(apart):
    """As before this was: neither schema nor topic. Told once, and rows are published."""
    old = OwnAdapter(apart, "kabarlama", {"barang": dict(BARANG, name="BarangLama")},
                     {k: t.replace(OPD, "kabarlama") for k, t in MAPPINGS.items()}, more="status: {every: 1s}", without=("adapter",))
    try:
        old.start()
        wait_for(lambda: "adapter.status_untold" in old.log(), 20, "the one line about it")
        old.drop("barang.csv", b"kode,nama,jumlah\nA1,RAHASIA,1\n")
        wait_for(lambda: len(old.records("barang")) == 1, 20, "the record")
        assert old.log().count("adapter.status_untold") == 1
    finally:
        old.stop()

"""The portal in a real browser."""
import re
import shutil

import openpyxl
import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import WORK, wait_for


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = Options()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--window-size=1280,1800", "--lang=id", "--user-data-dir=%s" % tmp_path_factory.mktemp("chromium")):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


def wait_page(condition, seconds, what):
    """As wait_for; an element that is not there yet, or was drawn anew in this moment, counts as not yet."""
    def there():
        try:
            return condition()
        except (NoSuchElementException, StaleElementReferenceException):
            return None
    return wait_for(there, seconds, what)


def text(browser):
    return browser.find_element(By.TAG_NAME, "body").text


def one(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def no_complaints(browser):
    said = [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    assert not said, said


@pytest.fixture
def page(sample, browser):
    """The city, in Indonesian, with its picture drawn."""
    browser.get(sample.city.url + "/?lang=id#key=" + sample.city.key)
    wait_page(lambda: browser.find_elements(By.CSS_SELECTOR, "#picture svg .node"), 20, "the picture")
    return browser


def test_the_city_at_a_glance(sample, browser):
    browser.get(sample.city.url + "/#key=" + sample.city.key)
    wait_page(lambda: "2.0" in text(browser) and browser.find_elements(By.CSS_SELECTOR, "svg"), 20, "the picture")
    wait_page(lambda: all(name in text(browser).lower() for name in ("disdukcapil", "dinkes", "bkpsdm")), 20, "departments")
    assert sample.city.key not in browser.current_url
    picture = WORK / "portal.png"
    browser.save_screenshot(str(picture))
    assert picture.stat().st_size > 20000
    severe = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert not severe, severe


def test_it_speaks_english_too(sample, browser):
    browser.get(sample.city.url + "/?lang=en")
    wait_page(lambda: "quality" in text(browser).lower(), 20, "English text")


def test_the_language_button_changes_everything_and_is_remembered(sample, page):
    assert one(page, "html").get_attribute("lang") == "id"
    wait_page(lambda: "Mutu data" in text(page) and "2.000" in text(page), 10, "Indonesian")
    one(page, "#language").click()
    wait_page(lambda: "Data quality" in text(page) and "2,000" in text(page), 10, "English")
    assert one(page, "html").get_attribute("lang") == "en"
    page.get(sample.city.url + "/")
    wait_page(lambda: "Data quality" in text(page), 20, "English, remembered")
    one(page, "#language").click()
    wait_page(lambda: "Mutu data" in text(page), 10, "Indonesian again")


def test_both_languages_have_every_text(page):
    differing = page.execute_async_script("""
        const done = arguments[0];
        import("/portal/texts.js").then(({ texts }) => {
            const [id, en] = [texts.id, texts.en].map((t) => new Set(Object.keys(t)));
            done([...id].filter((k) => !en.has(k)).concat([...en].filter((k) => !id.has(k))));
        });""")
    assert differing == []


def test_the_picture_has_what_the_api_has(sample, page):
    nodes = "return [...document.querySelectorAll('#picture .node')].map((n) => n.dataset.id)"  # at one moment: it is drawn anew
    topics = sample.city.get("/v1/topics")["topics"]
    want = {"o:" + t["opd"] for t in topics}
    want |= {"t:" + t["table"] for t in topics if t["entity"] not in ("karantina", "berkas")}
    want |= {"v:" + v["name"] for v in sample.city.get("/v1/views")}
    want |= {"r:" + r["reader"] for r in sample.city.get("/v1/readers")}
    wait_page(lambda: set(page.execute_script(nodes)) == want, 20, "every one of %d" % len(want))
    # every view hangs on a topic, and on a reader
    links = page.find_elements(By.CSS_SELECTOR, "#picture .link")
    assert len(links) > len(sample.city.get("/v1/views")) * 2


def test_the_same_is_there_as_tables(sample, page):
    one(page, "#tables summary").click()
    n = len(sample.city.get("/v1/topics")["topics"]) + len(sample.city.get("/v1/views"))
    wait_page(lambda: len(page.find_elements(By.CSS_SELECTOR, "#table-body tbody tr")) == n, 10, "%d rows" % n)
    assert "Diterapkan" in one(page, "#table-body").text


def test_every_department_has_its_line(sample, page):
    opds = {t["opd"] for t in sample.city.get("/v1/topics")["topics"]}
    lines = "return [...document.querySelectorAll('#adapters tbody tr')].map((r) => [r.dataset.opd, r.innerText])"
    wait_page(lambda: all("berjalan" in text for _, text in page.execute_script(lines)) and
              {opd for opd, _ in page.execute_script(lines)} == opds, 60, "adapters that run")
    assert len(page.find_elements(By.CSS_SELECTOR, "#adapters thead th[scope=col]")) == 7


def test_the_keyboard_reaches_and_traces_the_flow(page):
    node = one(page, '[data-id="v:penerima_bansos_meninggal"]')
    assert node.get_attribute("tabindex") == "0" and node.get_attribute("aria-label")
    page.execute_script("arguments[0].focus()", node)
    wait_page(lambda: page.find_elements(By.CSS_SELECTOR, "#picture .node.on"), 10, "the flow, traced")
    on = set(page.execute_script("return [...document.querySelectorAll('#picture .node.on')].map((n) => n.dataset.id)"))
    assert {"o:disdukcapil", "o:dinsos", "t:dinsos_bansos", "r:demo"} <= on and "o:dinkes" not in on
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait_page(lambda: page.find_elements(By.CSS_SELECTOR, "#v-penerima_bansos_meninggal tbody tr"), 10, "the view, opened")


def test_tab_goes_through_the_page_in_order(page):
    page.refresh()
    wait_page(lambda: page.find_elements(By.CSS_SELECTOR, "#picture svg .node"), 20, "the picture")
    one(page, "body").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("class") == "skip"
    seen = []
    for _ in range(6):
        page.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(page.switch_to.active_element.get_attribute("id") or
                    page.switch_to.active_element.get_attribute("data-id") or
                    page.switch_to.active_element.get_attribute("class"))
    assert seen[:3] == ["brand", "language", "leave"] and seen[3].startswith("o:")


def test_a_dated_view_opens_on_today_and_follows_the_date(sample, page):
    card = one(page, "#v-anak_7_15_tidak_terdaftar")
    button = card.find_element(By.TAG_NAME, "button")
    assert button.get_attribute("aria-expanded") == "false"
    page.execute_script("arguments[0].click()", button)
    wait_page(lambda: card.find_elements(By.CSS_SELECTOR, "tbody tr"), 10, "rows")
    assert button.get_attribute("aria-expanded") == "true"
    date = card.find_element(By.CSS_SELECTOR, "input[type=date]")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", date.get_attribute("value"))
    page.execute_script("arguments[0].value = '2025-12-31'; arguments[0].dispatchEvent(new Event('change'))", date)
    first = sample.city.get("/v1/views/anak_7_15_tidak_terdaftar", {"per_tanggal": "2025-12-31", "limit": 1})[0]
    wait_page(lambda: first["nama"] in card.text, 10, "the rows of that day")
    command = card.find_element(By.TAG_NAME, "code").text
    assert "per_tanggal=2025-12-31" in command and sample.city.key not in command


def test_a_view_is_downloaded_as_a_spreadsheet(sample, page, tmp_path):
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    card = one(page, "#v-penduduk_hidup_per_kelurahan")
    page.execute_script("arguments[0].click()", card.find_element(By.TAG_NAME, "button"))
    wait_page(lambda: card.find_elements(By.CSS_SELECTOR, "tbody tr"), 10, "rows")
    page.execute_script("arguments[0].click()", next(b for b in card.find_elements(By.TAG_NAME, "button") if "XLSX" in b.text))
    file = tmp_path / "penduduk_hidup_per_kelurahan.xlsx"
    wait_page(file.exists, 20, "the file")
    rows = list(openpyxl.load_workbook(file)["Data"].iter_rows(values_only=True))
    assert [dict(zip(rows[0], r)) for r in rows[1:]] == list(sample.city.rows("penduduk_hidup_per_kelurahan"))


def test_no_key_shows_no_data(sample, page):
    one(page, "#leave").click()
    wait_page(lambda: one(page, "#key").is_displayed(), 10, "the door")
    wait_page(lambda: page.switch_to.active_element.get_attribute("id") == "key", 10, "the place for a key")
    assert "Disdukcapil" not in text(page)
    no_complaints(page)
    one(page, "#key").send_keys("tk_00000000_" + "A" * 43, Keys.ENTER)
    wait_page(lambda: "tidak dikenal" in one(page, "#door-error").text, 10, "the refusal")
    page.get_log("browser")  # the browser reports the 401 itself
    one(page, "#key").send_keys(sample.city.key, Keys.ENTER)
    wait_page(lambda: one(page, "#city").is_displayed(), 20, "the city")
    assert sample.city.key not in page.current_url


def test_a_phone_shows_it_without_scrolling_sideways(sample, page):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    try:
        page.refresh()
        wait_page(lambda: page.find_elements(By.CSS_SELECTOR, "#picture svg .node"), 20, "the picture")
        assert page.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_browser_has_nothing_to_complain_about(page):
    page.execute_async_script("setTimeout(arguments[0], 4500)")  # two looks
    no_complaints(page)


def test_it_asks_nothing_of_other_hosts(sample):
    status, headers, body = sample.request("/", accept="text/html", key=False)
    assert status == 200
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert b"http://" not in body.replace(b"http://www.w3.org/", b"") and b"https://" not in body

"""The portal in a real browser."""
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

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
    yield driver
    driver.quit()


def text(browser):
    return browser.find_element(By.TAG_NAME, "body").text


def test_the_city_at_a_glance(sample, browser):
    browser.get(sample.city.url + "/#key=" + sample.city.key)
    wait_for(lambda: "2.0" in text(browser) and browser.find_elements(By.CSS_SELECTOR, "svg"), 20, "the picture")
    wait_for(lambda: all(name in text(browser).lower() for name in ("disdukcapil", "dinkes", "bkpsdm")), 20, "departments")
    assert sample.city.key not in browser.current_url
    picture = WORK / "portal.png"
    browser.save_screenshot(str(picture))
    assert picture.stat().st_size > 20000
    severe = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert not severe, severe


def test_it_speaks_english_too(sample, browser):
    browser.get(sample.city.url + "/?lang=en")
    wait_for(lambda: "quality" in text(browser).lower(), 20, "English text")


def test_it_asks_nothing_of_other_hosts(sample):
    status, headers, body = sample.request("/", accept="text/html", key=False)
    assert status == 200
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert b"http://" not in body.replace(b"http://www.w3.org/", b"") and b"https://" not in body

"""gateway/portal.png: the portal of the running demo, as README shows it. `make portal-picture`."""
import os
import pathlib
import shutil
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy" / "demo"))
import titian as http  # noqa: E402

BELOW = 90  # pixels under the picture, with its legend


def main(folder, target):
    city = http.City(folder)
    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--window-size=1280,3000", "--user-data-dir=" + profile):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            driver.get(city.url + "/?lang=id#key=" + city.key)
            WebDriverWait(driver, 30).until(lambda d: "Semua mutakhir" in d.page_source and
                                            d.find_elements("css selector", "#picture svg .node"))
            end = driver.execute_script("return document.querySelector('#picture').getBoundingClientRect().bottom")
            driver.set_window_size(1280, int(end) + BELOW + 3000 - driver.execute_script("return innerHeight"))
            driver.save_screenshot(target)
        finally:
            driver.quit()


if __name__ == "__main__":
    os.umask(0o022)
    main(*sys.argv[1:3])

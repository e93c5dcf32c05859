"""The report in a real browser: nothing fails or is fetched, everything is drawn, at every width and by keyboard."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.report import write_report
from reporting.charts.confusion import DARKEST
from schemas.plan import StudyPlan

webdriver = pytest.importorskip("selenium.webdriver")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium.webdriver.chrome.service import Service

    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or chromium is None:
        pytest.skip("needs Chromium and chromedriver: the packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver))
    yield running
    running.quit()


@pytest.fixture(scope="module")
def page(trained: tuple[Path, str, StudyPlan], tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(trained[0]))
        return write_report(None, tmp_path_factory.mktemp("report")).as_uri()


def show(browser: Any, page: str, width: int, *, dark: bool = False) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get(page)


def test_the_report_opens_without_an_error_or_a_request(browser: Any, page: str) -> None:
    browser.get_log("performance")
    show(browser, page, 1200)
    assert browser.get_log("browser") == []
    sent = [
        entry["message"] for entry in browser.get_log("performance") if 'Network.requestWillBeSent"' in entry["message"]
    ]
    assert [
        message for message in sent if "http://" in message.split('"documentURL"')[0] or "https://" in message
    ] == []


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_every_chart_is_drawn_and_the_page_is_no_wider_than_the_screen(browser: Any, page: str, width: int) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    def drawn(browser: Any) -> Any:
        sizes = browser.execute_script(
            "return [...document.querySelectorAll('svg.chart')].map(each => [each.getBoundingClientRect().width,"
            " each.getBoundingClientRect().height, each.querySelectorAll('path').length]).filter(each => each[0] > 0)"
        )
        return sizes if len(sizes) == 6 else None

    show(browser, page, width)
    sizes = WebDriverWait(browser, 20).until(drawn)
    assert all(wide > 200 and high > 80 and paths > 5 for wide, high, paths in sizes)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    lines = browser.execute_script(
        "return [...document.querySelectorAll('th')].map(each => { const range = document.createRange();"
        " range.selectNodeContents(each); return new Set([...range.getClientRects()].map(line => line.top)).size })"
    )
    assert 0 < max(lines) <= 3  # a few words below each other, and no word letter by letter


def test_a_phone_cuts_nothing_and_a_chart_takes_the_width_of_the_page(browser: Any, page: str) -> None:
    show(browser, page, 390)
    cut = "return [...document.querySelectorAll('.scroll, figure')].filter(each => each.scrollWidth > each.clientWidth)"
    assert browser.execute_script(f"{cut}.map(each => each.getAttribute('aria-label'))") == []
    show(browser, page, 1200)
    charts = "return [...document.querySelectorAll('svg.chart.wide')].map(each => each.getBoundingClientRect().width)"
    width = browser.execute_script("return document.querySelector('main').getBoundingClientRect().width")
    assert set(browser.execute_script(charts)) == {width}


def test_light_and_dark_are_both_readable(browser: Any, page: str) -> None:
    colours = []
    for dark in (False, True):
        show(browser, page, 1200, dark=dark)
        colours.append(
            browser.execute_script(
                "const body = getComputedStyle(document.body);"
                "const text = getComputedStyle(document.querySelector('svg.chart text'));"
                "return [body.backgroundColor, body.color, text.fill].map(each => each.match(/[0-9.]+/g).slice(0, 3))"
            )
        )
    for background, ink, in_chart in colours:
        for colour in (ink, in_chart):
            assert contrast(background, colour) > 4.5
    assert colours[0][0] != colours[1][0]


def test_the_darkest_square_of_a_confusion_matrix_is_readable_in_light_and_in_dark(browser: Any, page: str) -> None:
    for dark in (False, True):
        show(browser, page, 1200, dark=dark)
        blue, paper, ink = browser.execute_script(
            "const style = getComputedStyle(document.documentElement);"
            "return ['--series-1', '--paper', '--ink'].map(name => style.getPropertyValue(name).trim())"
            ".map(hex => [1, 3, 5].map(place => parseInt(hex.slice(place, place + 2), 16)))"
        )
        square = [DARKEST * over + (1 - DARKEST) * under for over, under in zip(blue, paper, strict=True)]
        assert contrast(ink, square) > 4.5


@pytest.mark.slow
def test_the_keyboard_reaches_the_answer_the_sections_and_the_data(browser: Any, page: str) -> None:
    from selenium.webdriver.common.keys import Keys

    show(browser, page, 1200)
    seen = []
    for _ in range(40):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(
            browser.execute_script("const on = document.activeElement; return [on.tagName, on.textContent.trim()]")
        )
    assert seen[0] == ["A", "Skip to the answer"]
    assert ["A", "Tables"] in seen
    assert any(tag == "SUMMARY" for tag, _ in seen)
    summary = browser.find_element("css selector", "summary")
    summary.send_keys(Keys.ENTER)
    assert browser.execute_script("return document.querySelector('details').open")


def spoken(browser: Any) -> list[tuple[str, str]]:
    """The role and name of what is read out; empty until Chromium has built it for every chart."""
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    shown = [node for node in tree if not node.get("ignored")]
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in shown]
    return roles if [role for role, _ in roles].count("image") == 6 else []


def test_a_screen_reader_gets_names_of_charts_regions_and_links(browser: Any, page: str) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    show(browser, page, 1200)
    roles = WebDriverWait(browser, 20).until(spoken)
    images = [name for role, name in roles if role == "image"]
    assert all(len(name) > 20 for name in images)
    assert {"main", "navigation", "banner"} <= {role for role, _ in roles}
    assert all(name for role, name in roles if role in {"region", "figure", "link", "heading"})


def test_the_report_prints_with_page_numbers_and_unbroken_charts(browser: Any, page: str) -> None:
    show(browser, page, 1200)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    assert len(printed["data"]) > 20_000
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    whole = "return [...document.querySelectorAll('table, figure')].map(each => getComputedStyle(each).breakInside)"
    assert set(browser.execute_script(whole)) == {"avoid"}
    rules = "return [...document.styleSheets[0].cssRules].map(each => each.cssText).join(' ')"
    assert 'counter(page) " of " counter(pages)' in browser.execute_script(rules)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def contrast(one: list[str] | list[float], other: list[str] | list[float]) -> float:
    """The contrast of two colours as WCAG 2.2 defines it, which requires 4.5 for text."""

    def luminance(colour: list[str] | list[float]) -> float:
        parts = [float(part) / 255 for part in colour]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)

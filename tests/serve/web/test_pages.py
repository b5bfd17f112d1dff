"""The pages in a real browser: read, filtered, unfolded, talked to, on a phone and without scripts."""

import contextlib

import pytest

from conftest import CHROMIUM
from shelf import CHESS, Shelf, article, sentence
from shelf_server import a_speaker, served

pytestmark = pytest.mark.needs("chromium")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 720}


def shelf_of_centuries():
    """Chess and its kin, an article a decade, so that the timeline has something to choose from."""
    from deepred.serve.index.index_records import Paragraph

    kin = [
        article(100 + n, f"Chess of {year}", year, [Paragraph(0, 0, (sentence(f"A chess game of {year}.", year),))])
        for n, year in enumerate(range(1800, 1960, 10))
    ]
    return Shelf((CHESS, *Shelf().articles[1:2], *kin))


@pytest.fixture(scope="module")
def address():
    with served(shelf_of_centuries(), a_speaker()) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        found = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@contextlib.contextmanager
def opened(browser, address, **options):
    """A page of which nothing may be heard: no error, no violated policy, no request to elsewhere."""
    context = browser.new_context(base_url=address, **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    heard = []
    page.on("console", lambda message: heard.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: heard.append(asked.url) if not asked.url.startswith((address, "data:")) else None)
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()
    assert heard == []


def test_search_filter_by_year_open_unfold_and_back(browser, address):
    with opened(browser, address) as page:
        page.goto("/")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("chess")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?*")
        assert page.locator(".results li").count() == 10
        assert page.locator("mark").first.inner_text().lower() == "chess"

        box = page.locator("#timeline").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.70, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.80, box["y"] + 40, steps=4)
        page.mouse.move(box["x"] + box["width"] * 0.90, box["y"] + 40, steps=4)
        page.mouse.up()
        page.wait_for_url("**from=*")
        since, until = int(page.input_value("#from")), int(page.input_value("#to"))
        assert 1475 < since < until < 1960
        years = [int(text.split()[-1]) for text in page.locator(".results time").all_inner_texts()]
        assert years
        assert all(since <= year <= until for year in years)
        filtered = page.url

        page.get_by_role("link", name="All years").click()
        page.wait_for_url(lambda url: "from=" not in url)
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.textContent") == "Chess"
        page.keyboard.press("Enter")
        page.wait_for_url("**/articles/1#p0")
        assert page.get_by_role("heading", level=1).inner_text() == "Chess"

        cut = page.locator("details.cut").first
        hidden = page.get_by_text("Deep Blue won in 1997.")
        assert not hidden.is_visible()
        cut.locator("summary").focus()
        page.keyboard.press("Enter")
        assert hidden.is_visible()
        assert "names a date on or after the cutoff" in cut.inner_text()
        page.get_by_role("button", name="Unfold all").click()
        assert page.get_by_text("It was a computer.").is_visible()
        page.get_by_role("button", name="Fold all").click()
        assert not hidden.is_visible()

        page.go_back()
        page.wait_for_url("**/search?q=chess*")
        page.go_back()
        page.wait_for_url(filtered)
        assert int(page.input_value("#from")) == since


def test_the_conversation_streams_beside_the_article(browser, address):
    with opened(browser, address) as page:
        page.goto("/articles/1")
        log = page.get_by_role("log")
        page.get_by_label("Your question").fill("Good evening?")
        page.keyboard.press("Enter")
        log.get_by_text("Good evening, comrade.").wait_for()
        assert log.locator(".you").inner_text() == "Good evening?"
        assert log.get_attribute("aria-busy") == "false"
        page.get_by_label("Your question").fill("And again?")
        page.get_by_role("button", name="Ask").click()
        log.locator(".model").nth(1).get_by_text("comrade").wait_for()


def test_the_article_as_of_an_earlier_day(browser, address):
    with opened(browser, address) as page:
        page.goto("/articles/1")
        page.get_by_label("As of").fill("1800-01-01")
        page.get_by_role("button", name="Read").click()
        page.wait_for_url("**as_of=1800-01-01")
        text = page.locator("main").inner_text()
        assert "1770" in text
        assert "1948" not in text
        assert page.locator("details.cut").count() == 0
        page.get_by_role("link", name="Show what was cut").click()
        page.wait_for_url("**/articles/1")


def test_a_hostile_article_is_only_text(browser, address):
    with opened(browser, address) as page:
        for path in ("/search?q=said", "/articles/2", "/years/1900"):
            page.goto(path)
            assert page.locator("img[src='x']").count() == 0
        page.goto("/articles/2")
        assert "<script>alert('red')</script>" in page.get_by_role("heading", level=1).inner_text()


@pytest.mark.parametrize(
    "path", ["/", "/search?q=chess", "/articles/1", "/articles/2", "/years/1900", "/pipeline", "/no"]
)
def test_on_a_phone_nothing_scrolls_sideways(browser, address, path):
    with opened(browser, address, viewport=PHONE, has_touch=True) as page:
        if path == "/no":
            page.goto("/articles/1")
            page.locator("details.cut summary").first.click()
        else:
            page.goto(path)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0


def test_without_scripts_people_still_search_filter_read_and_unfold(browser, address):
    with opened(browser, address, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_label("Search the encyclopedia").fill("chess")
        page.get_by_role("button", name="Search").click()
        page.locator("#from").fill("1901")
        page.locator("#to").fill("1930")
        page.get_by_role("button", name="Filter").click()
        assert page.locator(".results li").count() == 3
        page.goto("/search?q=chess")
        page.get_by_role("link", name="Chess", exact=True).click()
        page.locator("details.cut summary").first.click()
        assert page.get_by_text("Deep Blue won in 1997.").is_visible()
        assert "needs JavaScript" in page.locator(".chat").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_paper(browser, address, scheme):
    """Contrast of at least 4.5 (WCAG AA), by the colours that the browser computes."""
    with opened(browser, address, color_scheme=scheme) as page:
        for path in ("/search?q=chess", "/articles/1"):
            page.goto(path)
            faint = page.evaluate(CONTRAST)
            assert faint == []


CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.getClientRects().length || node.closest("svg, noscript")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${node.tagName} ${node.className} ${ratio.toFixed(2)}`);
  }
  return found;
}"""


def test_landmarks_labels_and_the_way_past_the_masthead(browser, address):
    with opened(browser, address) as page:
        page.goto("/articles/1")
        for role in ("banner", "main", "contentinfo", "search"):
            assert page.get_by_role(role).count() == 1, role
        assert page.get_by_role("navigation", name="Contents").is_visible()
        assert page.get_by_role("complementary", name="Evidence and conversation").is_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#main"
        unnamed = (
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(f => !f.labels.length)"
        )
        assert page.evaluate(f"{unnamed}.length") == 0

"""Every page that there is, and every dialog in it: WCAG 2.2 AA, keyboard, zoom, narrow screens.

The pages are found by walking the routes, so a new one cannot be forgotten.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from scanner_station.domain.events import ReaderState, StationFault
from scanner_station.domain.people import Role
from scanner_station.webapp.access import ACCESS, ANYBODY
from tests.journeys import axe
from tests.journeys.test_browser_pages import wedge
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

OPTIONS = {"rules": {"target-size": {"enabled": True}}}
ASKED = {"Accept": "text/html"}
FOCUSABLE = (
    "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled),"
    " textarea:not(:disabled), summary, [tabindex='0']"
)


@dataclass(frozen=True)
class Opened:
    endpoint: str
    path: str
    role: Role | None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStation]:
    with RunningStation(tmp_path_factory.mktemp("accessibility") / "data") as station:
        station.create(title="Pemusnahan KTP-el Kota Kupang " * 3 + "A" * 100)
        categories = tuple(f"kategori dengan nama panjang {number}" for number in range(40))
        districts = ("Kecamatan" + "x" * 60, *(f"Kecamatan {number}" for number in range(20)))
        station.load(manifest_of(range(200), categories, districts))
        for payload in (nik(1), nik(1), nik(900), "12345", nik(2)):
            station.scan(payload)
        station.add_people()
        yield station


@pytest.fixture(scope="module")
def visitors(
    running: RunningStation, browser: Browser
) -> Iterator[dict[Role | None, BrowserContext]]:
    """One browser for each role, and one in which nobody has signed in."""
    contexts: dict[Role | None, BrowserContext] = {None: browser.new_context()}
    for role in Role:
        contexts[role] = browser.new_context(reduced_motion="reduce")
        answer = contexts[role].request.post(
            running.address + "/api/login", data={"name": NAMES[role], "secret": SECRETS[role]}
        )
        assert answer.ok
    yield contexts
    for context in contexts.values():
        context.close()


def pages_of_the_station(running: RunningStation) -> list[Opened]:
    """Every route that answers with a page, as one role that may see it."""
    clients = {role: running.client_of(role) for role in (None, *Role)}
    found = []
    for rule in running.app.url_map.iter_rules():
        roles = ACCESS[rule.endpoint]
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        path = re.sub(r"<int:\w+>", "1", rule.rule.replace("<slug>", SLUG))
        path = path.replace("<role>", "officer")
        if path.endswith("/events"):
            continue
        role = None if roles is ANYBODY else max(roles)
        answer = clients[role].get(path, headers=ASKED)
        is_page = answer.mimetype == "text/html" and answer.status_code == 200
        answer.close()
        if is_page:
            found.append(Opened(rule.endpoint, path, role))
    return found


def open_page(
    running: RunningStation, visitors: dict[Role | None, BrowserContext], opened: Opened
) -> Page:
    """Open it, and wait until all that its script asked for has come and is drawn."""
    page = visitors[opened.role].new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    asked: set[Request] = set()

    def come(request: Request) -> None:
        asked.discard(request)

    page.on("request", lambda request: asked.add(request))
    page.on("response", lambda answer: come(answer.request) if is_stream(answer.request) else None)
    page.on("requestfinished", come)
    page.on("requestfailed", come)
    page.goto(running.address + opened.path)
    quiet = 0
    while quiet < 2:
        page.wait_for_timeout(100)
        quiet = 0 if asked else quiet + 1
    return page


def is_stream(request: Request) -> bool:
    return request.resource_type == "eventsource"  # it never finishes


def faults(page: Page, within: str | None = None) -> list[str]:
    return axe.faults(page, within, OPTIONS)


ENGLISH = re.compile(
    r"\b(the|of|is|are|was|be|with|from|not|and|for|this|that|has|have|no|yes|by|to|it)\b", re.I
)
SAID = """() => {
    const all = document.body.cloneNode(true);
    for (const one of all.querySelectorAll("script, style, [lang=en]")) one.remove();
    const names = ["aria-label", "title", "alt", "placeholder"];
    const spoken = [...all.querySelectorAll("*")].flatMap(
        (one) => names.map((name) => one.getAttribute(name)));
    const texts = document.createTreeWalker(all, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) spoken.push(texts.currentNode.data);
    return spoken.filter(Boolean).map((one) => one.replace(/\\s+/g, " ").trim());
}"""


def english(page: Page) -> list[str]:
    """What an Indonesian page says in English, but for other systems' buttons and paths."""
    said = [re.sub(r'["“(][^"”)]*["”)]|\S*/\S*', "", one) for one in page.evaluate(SAID)]
    return [f"English: {one[:80]}" for one in said if ENGLISH.search(one)]


def too_wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_pages_are_found_by_walking_the_routes(running: RunningStation) -> None:
    found = {opened.endpoint for opened in pages_of_the_station(running)}
    assert {
        "officer.officer",
        "witness.witness",
        "supervisor.supervisor",
        "day.show",
        "help.show",
        "people.show",
        "closing.show",
        "minutes.show",
        "login.show",
    } <= found


def test_every_page_and_dialog_is_accessible_and_fits_any_screen(
    running: RunningStation, visitors: dict[Role | None, BrowserContext]
) -> None:
    wrong: list[str] = []
    for opened in pages_of_the_station(running):
        page = open_page(running, visitors, opened)
        said = faults(page) + english(page)
        for width, height in ((640, 450), (320, 640)):  # 1280 at 200 %, and the narrowest
            page.set_viewport_size({"width": width, "height": height})
            if (by := too_wide(page)) > 0:
                said.append(f"{by} px too wide at {width}")
        for name in page.eval_on_selector_all("dialog[id]", "all => all.map(one => one.id)"):
            page.evaluate("id => document.getElementById(id).showModal()", name)
            said += [f"dialog {name}: {fault}" for fault in faults(page, f"#{name}")]
            inside = page.evaluate(
                "id => { const one = document.getElementById(id);"
                " return one.scrollWidth - one.clientWidth; }",
                name,
            )
            if inside > 0:
                said.append(f"dialog {name}: {inside} px too wide inside")
            page.evaluate("id => document.getElementById(id).close()", name)
        moving = page.evaluate("document.getAnimations().length")
        if opened.role is not None and moving:
            said.append(f"{moving} animations although motion is to be reduced")
        wrong += [f"{opened.path} as {opened.role}: {fault}" for fault in said]
        page.close()
    assert not wrong, "\n".join(wrong)


FOCUSED = """(focusable) => {
    const one = document.activeElement;
    const total = document.querySelectorAll(focusable).length;
    if (!one || one === document.body) return {total};
    const marked = (element) => {
        const style = getComputedStyle(element);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    };
    const near = [one, one.nextElementSibling, one.previousElementSibling, one.parentElement,
        one.closest("label"), ...(one.id ? document.querySelectorAll(`[for="${one.id}"]`) : [])];
    one.dataset.reached = "yes";
    return {total, name: one.id || one.textContent.trim().slice(0, 30) || one.tagName,
        isMarked: near.some((element) => element && marked(element))};
}"""
MISSED = """(focusable) => [...document.querySelectorAll(focusable)].filter((one) =>
    one.checkVisibility({visibilityProperty: true}) && !one.closest("dialog:not([open])") &&
    !one.dataset.reached && one.type !== "radio" && one.tabIndex >= 0)
    .map((one) => one.id || one.textContent.trim().slice(0, 30) || one.outerHTML.slice(0, 80))"""


def test_everything_is_reached_by_the_tab_key_and_shows_that_it_is(
    running: RunningStation, visitors: dict[Role | None, BrowserContext]
) -> None:
    wrong: list[str] = []
    for opened in pages_of_the_station(running):
        page = open_page(running, visitors, opened)
        first, pressed, total = None, 0, 1
        while pressed < total + 3:
            page.keyboard.press("Tab")
            pressed += 1
            found = page.evaluate(FOCUSED, FOCUSABLE)
            total = found["total"]
            if "name" not in found:
                continue
            first = first or found["name"]
            if not found["isMarked"]:
                wrong.append(f"{opened.path} as {opened.role}: no mark on {found['name']}")
        if first != "Langsung ke isi":
            wrong.append(f"{opened.path} as {opened.role}: begins with {first}, not the skip link")
        missed = page.evaluate(MISSED, FOCUSABLE)
        wrong += [f"{opened.path} as {opened.role}: never reached {one}" for one in missed]
        page.close()
    assert not wrong, "\n".join(wrong)


def the_table_and_closing_go_on(running: RunningStation, page: Page) -> Iterator[str]:
    """Take a batch of its own from its first card to the fire; stop at each state."""
    slug = "keadaan"
    running.create(slug, title="Dari kartu pertama sampai api")
    running.load(manifest_of(range(300, 306), ("rusak",), ("Alak",)), slug)
    table, closing = (f"{running.address}/batches/{slug}/{name}" for name in ("table", "closing"))
    page.goto(table)
    page.locator("#zero").wait_for()
    yield "nothing counted"
    boss = running.client_of(Role.SUPERVISOR)

    def post(rest: str, **data: object) -> None:
        answer = boss.post(f"/api/batches/{slug}{rest}", json=data)
        assert answer.status_code < 300, answer.json

    second = {"seconded_by": NAMES[Role.OFFICER], "seconded_secret": SECRETS[Role.OFFICER]}
    agreed = {"agreed_by": NAMES[Role.OFFICER], "agreed_secret": SECRETS[Role.OFFICER]}
    post("/containers", form="box", label="Kotak 1")
    for number in range(300, 305):
        running.scan(nik(number), slug)
    running.scan(nik(950), slug)
    post("/unidentified", reason="hangus")
    post("/objections", witness="Wati", objection="Kotak 1 tanpa segel")
    post("/notes", witness="Wati", note="Hujan")
    page.reload()
    page.locator("#waiting li").first.wait_for()
    yield "container open, second look, stranger"
    page.locator("#seal").click()
    page.locator("#seal-number").fill("KPG-1")
    page.locator("#seal-agreed").select_option(NAMES[Role.OFFICER])
    page.locator("#seal-agreed-secret").fill("000000")
    page.locator("#seal-agreed-secret").press("Enter")
    expect(page.locator("#sealing .refused")).not_to_be_empty(timeout=15_000)
    yield "sealing refused"
    page.goto(closing)
    page.locator("#hindrances li").first.wait_for()
    for details in page.locator("#lists details summary").all():
        details.click()
    yield "objection open, differences, lists unfolded"
    post("/pause", **agreed)
    page.goto(table)
    page.locator("#resting").wait_for()
    yield "paused"
    post("/resume", figure=6)
    post("/containers/1/seal", seal_number="KPG-1", **agreed)
    post("/explanations", what="missing", reason="tertinggal", **second)
    post("/explanations", what="strangers", reason="milik kecamatan lain", **second)
    objection = boss.get(f"/api/batches/{slug}/custody").json["objections"][0]["sequence"]
    post(f"/objections/{objection}/answer", answer="Dihitung ulang")
    post("/refusals", witness="Yos", objection="Tidak sempat")
    page.goto(closing)
    page.locator("#seal").wait_for()
    yield "ready to be sealed"
    post("/seal", **second)
    page.reload()
    page.locator("#after").wait_for()
    yield "sealed"
    post("/burning", method="dibakar", present="Inspektorat")
    page.reload()
    expect(page.locator("#burned")).not_to_be_empty(timeout=15_000)
    yield "burnt"
    page.goto(table)
    expect(page.locator("#state")).not_to_be_empty(timeout=15_000)
    yield "the table of a sealed batch"


STOPPED = (
    "the database %(path)s failed (%(why)s); counting has stopped: check the disk, then "
    "start the station again"
)


def the_officer_has_trouble(running: RunningStation, page: Page) -> Iterator[str]:
    """Not confirmed, old numbers, a fault; then the session ends, and one is locked out."""
    from tests.screenshots import tell

    page.goto(running.address + "/")
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=15_000)
    page.route("**/readings", lambda route: route.abort())
    wedge(page, nik(3))
    page.locator("#banner-waiting").wait_for()
    yield "not confirmed"
    running.stop()
    page.locator("#banner-stale").wait_for(timeout=15_000)
    yield "no answer from the station"
    running.start()
    page.unroute("**/readings")
    page.locator("#banner-stale").wait_for(state="detached", timeout=15_000)
    tell(running, "serial-1", ReaderState.LOST)
    running.station.bus.publish(
        StationFault(message=STOPPED, values={"path": "station.sqlite3", "why": "x"})
    )
    page.locator("#fault").wait_for(timeout=15_000)
    yield "stopped counting"
    running.station.bus.publish(StationFault(message=""))
    running.people.add("Dodi", Role.OFFICER, "605117", by="Sari", nip="", position="")
    page.goto(running.address + "/login")
    page.locator("input[value='Dodi']").check(timeout=15_000)
    for _ in range(6):
        page.locator("#signin-secret").fill("111111")
        page.locator("#signin-secret").press("Enter")
        expect(page.locator("#signin-secret")).to_have_value("", timeout=15_000)
    yield "locked out"


@pytest.mark.parametrize(
    ("role", "story"),
    [
        (Role.SUPERVISOR, the_table_and_closing_go_on),
        (Role.OFFICER, the_officer_has_trouble),
    ],
)
def test_every_state_is_accessible_and_fits_a_narrow_screen(
    running: RunningStation,
    visitors: dict[Role | None, BrowserContext],
    role: Role,
    story: Callable[[RunningStation, Page], Iterator[str]],
) -> None:
    page = visitors[role].new_page()
    page.set_viewport_size({"width": 320, "height": 900})
    wrong: list[str] = []
    for state in story(running, page):
        wrong += [f"{state}: {fault}" for fault in faults(page) + english(page)]
        if (by := too_wide(page)) > 0:
            wrong.append(f"{state}: {by} px too wide")
    page.close()
    assert not wrong, "\n".join(wrong)


DIALOGS = [
    (Role.WITNESS, "/witness", "#object", "#objecting"),
    (Role.SUPERVISOR, "/supervisor", "#new", "#creating"),
    (Role.SUPERVISOR, "/people", "#new", "#adding"),
]


@pytest.mark.parametrize(("role", "path", "opener", "dialog"), DIALOGS)
def test_a_dialog_keeps_the_focus_and_gives_it_back(
    running: RunningStation,
    visitors: dict[Role | None, BrowserContext],
    role: Role,
    path: str,
    opener: str,
    dialog: str,
) -> None:
    page = visitors[role].new_page()
    page.goto(running.address + path)
    page.locator(opener).focus()
    page.keyboard.press("Enter")
    page.locator(dialog).wait_for(state="visible")
    for _ in range(25):
        page.keyboard.press("Tab")
        inside = page.evaluate(
            "dialog => document.activeElement === document.body"
            " || document.querySelector(dialog).contains(document.activeElement)",
            dialog,
        )
        assert inside
    page.keyboard.press("Escape")
    page.locator(dialog).wait_for(state="hidden")
    assert page.evaluate("() => '#' + document.activeElement.id") == opener
    page.close()


def test_the_skip_link_leads_past_the_menu(
    running: RunningStation, visitors: dict[Role | None, BrowserContext]
) -> None:
    page = visitors[Role.WITNESS].new_page()
    page.goto(running.address + "/help")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")
    page.close()


def test_the_first_start_is_accessible_too(
    tmp_path_factory: pytest.TempPathFactory, page: Page
) -> None:
    with RunningStation(tmp_path_factory.mktemp("empty") / "data") as running:
        page.goto(running.address + "/first-start")
        page.locator("#name").wait_for()
        assert faults(page) == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert too_wide(page) <= 0


SPOKEN = """() => {
    const told = document.querySelector("[aria-live=assertive]");
    const root = document.documentElement;
    root.dataset.spoken = "[]";
    new MutationObserver(() => {
        const said = told.textContent;
        root.dataset.spoken = JSON.stringify([...JSON.parse(root.dataset.spoken), said]);
    }).observe(told, {subtree: true, childList: true, characterData: true});
}"""


def test_a_verdict_is_spoken_once_whether_scanned_typed_or_heard_of(
    tmp_path_factory: pytest.TempPathFactory, page: Page
) -> None:
    with RunningStation(tmp_path_factory.mktemp("spoken") / "data") as running:
        running.create()
        running.load(manifest_of(range(20), ("rusak",), ("Alak",)))
        page.goto(running.address + "/")
        expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=15_000)
        page.evaluate(SPOKEN)
        running.scan(nik(1))
        expect(page.locator("#counted")).to_have_text("1", timeout=15_000)
        wedge(page, nik(2))
        expect(page.locator("#counted")).to_have_text("2", timeout=15_000)
        expect(page.locator("#last .entry")).to_have_count(2, timeout=15_000)
        running.scan(nik(2))
        expect(page.locator("#verdict")).to_have_attribute(
            "data-verdict", "already_counted", timeout=15_000
        )
        spoken = json.loads(page.locator("html").get_attribute("data-spoken") or "[]")
        said = [one for one in spoken if one != "Belum pasti"]  # while the station is asked
        assert said == [
            "Terhitung, entri 1",
            "Terhitung, entri 2",
            "Sudah dihitung, entri 3",
        ]

"""`python -m tests.screenshots [FOLDER [PART]] [--keep]`: every page and state in every size.

To be looked at; axe (WCAG 2.2 AA) looks at each of them, too. `--keep` renews the ones that the
documents show.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from scanner_station.clock import SystemClock
from scanner_station.domain.errors import StorageError
from scanner_station.domain.events import ReaderNotice, ReaderState, StationFault
from scanner_station.domain.people import Role
from scanner_station.domain.reading import ReaderId
from scanner_station.service import closing, heads
from tests.journeys.conftest import ARGUMENTS, CHROMIUM
from tests.journeys.test_browser_accessibility import faults
from tests.journeys.test_recap import ALOR, BELU, KUPANG, Offices
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

DOCUMENTS = Path(__file__).parents[1] / "docs" / "pictures"
KEPT = (
    "officer-counted-desktop",
    "officer-stranger-tablet",
    "witness-tablet",
    "witness-stale-phone",
    "supervisor-refused-desktop",
    "supervisor-day-tablet",
    "supervisor-help-officer-tablet",
    "pairing-desktop",
    "shift-tablet",
)
KEPT_AS = {"closing-open-desktop": "closing-desktop", "table-at-work-tablet": "table-tablet"}
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
Shoot = Callable[[str], None]


def officer(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """The officer's page, through every verdict."""
    page.goto(running.address + "/")
    page.wait_for_selector("#last .entry")
    shoot("officer-ready")
    page.click("#last-title")
    page.wait_for_timeout(300)
    for name, payload in [
        ("counted", nik(50)),
        ("already", nik(50)),
        ("stranger", nik(900)),
        ("unreadable", "12345"),
    ]:
        entry = running.scan(payload)
        page.wait_for_selector(f"#verdict[data-sequence='{entry.sequence}']")
        page.wait_for_timeout(400)
        shoot(f"officer-{name}")
    page.click("#undo")
    page.wait_for_timeout(300)
    shoot("officer-undo")
    page.fill("#reason", "salah pindai")
    page.click("#undo-do")
    page.wait_for_selector("#verdict[data-verdict='void']")
    page.wait_for_timeout(400)
    shoot("officer-void")
    tell(running, "serial-1", ReaderState.LOST)
    page.wait_for_selector("#banner-reader-serial-1")
    shoot("officer-reader-lost")
    tell(running, "serial-1", ReaderState.READY)
    page.route("**/readings", lambda route: route.abort())
    page.fill("#number", nik(60))
    page.press("#number", "Enter")
    page.wait_for_selector("#banner-waiting")
    page.wait_for_timeout(400)
    shoot("officer-waiting")
    page.unroute("**/readings")
    page.wait_for_selector("#banner-waiting", state="detached")
    error = StorageError(
        "the database %(path)s failed (%(why)s); counting has stopped: check the disk, then "
        "start the station again",
        path="station.sqlite3",
        why="disk I/O error",
    )
    running.station.bus.publish(StationFault(message=error.message, values=error.values))
    page.wait_for_selector("#fault[open]")
    page.wait_for_timeout(300)
    shoot("officer-fault")
    running.station.bus.publish(StationFault(message=""))


def witness(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """The witness's page: alive, asked for cards, objected to, and stale."""
    page.goto(running.address + "/witness")
    page.wait_for_selector("#pulse[data-alive=yes]")
    page.wait_for_selector("#by-category tbody tr")
    page.wait_for_selector("#growth svg")
    shoot("witness")
    for answer, payload in [
        ("counted", nik(3)),
        ("not_counted", nik(300)),
        ("not_on_manifest", nik(900)),
        ("unreadable", "12345"),
    ]:
        page.fill("#spot-number", payload)
        page.click("#spot-check button")
        page.wait_for_selector(f"#spot-answer[data-answer={answer}]")
        page.locator("#spot-check").scroll_into_view_if_needed()
        shoot(f"witness-spot-{answer}")
    page.click("#object")
    page.fill("#objecting-witness", "Wati Saksi")
    page.fill("#objecting-institution", "Inspektorat")
    page.fill("#objection", "Dua kotak datang tanpa segel dari Kecamatan Oebobo.")
    shoot("witness-objecting")
    page.click("#objecting [type=submit]")
    page.wait_for_selector("#objections li[data-kind=object]")
    closing.answer(
        running.station,
        SLUG,
        running.station.counter(SLUG).next_sequence - 1,
        text="Kotak dihitung ulang di depan saksi dan disegel.",
        by="Sari Penyelia",
    )
    page.wait_for_selector("#objections li[data-answered]")
    page.locator("#objections").scroll_into_view_if_needed()
    shoot("witness-objected")
    page.evaluate("scrollTo(0, 0)")
    page.context.set_offline(True)
    running.server.stop()
    page.wait_for_selector("body.stale")
    shoot("witness-stale")
    page.context.set_offline(False)


def head(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """The signed head, the words before it, the slip's page, a tablet's key and who names it."""
    running.create("besok", "Pemusnahan 20 Desember 2018")
    page.goto(running.address + "/witness")
    page.select_option("#batch", "besok")
    page.fill("#head-nonce-text", "hujan lebat pukul delapan")
    page.click("#head-nonce button")
    page.wait_for_selector("#head-nonce-kept:not(:empty)")
    shoot("head-words")
    heads.sign(running.station, SLUG)
    page.select_option("#batch", SLUG)
    page.wait_for_selector("#head-own:not([hidden])")
    page.locator("#head-own").scroll_into_view_if_needed()
    shoot("head-own")
    page.click("#head-own")
    shoot("head-own-key")
    key = page.locator("#head-own-key").text_content() or ""
    page.goto(running.address)
    page.fill("#number", key)
    page.press("#number", "Enter")
    page.wait_for_selector("#naming[open]")
    page.fill("#naming-witness", "Wati Saksi, Inspektorat")
    shoot("head-naming")
    page.press("#naming-witness", "Enter")
    page.wait_for_selector("#naming-do[hidden]", state="attached")
    shoot("head-named")
    heads.sign(running.station, SLUG)
    page.goto(running.address + f"/head?batch={SLUG}")
    page.wait_for_selector("#head-slip:not([hidden])")
    shoot("head")


def supervisor(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """The supervisor's page and its dialogs."""
    running.create("besok", "Pemusnahan 20 Desember 2018")
    page.goto(running.address + "/supervisor")
    page.wait_for_selector(".batch")
    shoot("supervisor")
    page.click("#new")
    page.wait_for_selector("#creating[open]")
    shoot("supervisor-new")
    page.click("#creating .leave")
    page.click(".batch[data-slug=besok] .row button.main")
    shoot("supervisor-manifest")
    bad = f"nik,nama,kategori\n{nik(1)},A,rusak\n{nik(1)},B,rusak\n12345,C,rusak\n,D,rusak\n"
    page.set_input_files(
        "#manifest-file",
        {"name": "manifes.csv", "mimeType": "text/csv", "buffer": bad.encode()},
    )
    page.wait_for_selector("#manifest[data-state=refused]")
    shoot("supervisor-refused")
    page.click("#manifest-again")
    good = manifest_of(range(300), ("rusak", "pindah datang"), ("Oebobo", "Alak"))
    page.set_input_files(
        "#manifest-file",
        {"name": "manifes.csv", "mimeType": "text/csv", "buffer": good.encode()},
    )
    page.wait_for_selector("#manifest[data-state=checked]")
    shoot("supervisor-checked")
    page.click("#manifest-stop")
    page.goto(running.address + "/supervisor")
    page.get_by_role("button", name="Pembuka…").click()
    shoot("supervisor-openings")
    running.scan(nik(900))
    running.station.void(SLUG, 5, reason="salah kotak", by="Ani Petugas")
    closing.object_to(
        running.station, SLUG, witness="Wati Saksi", objection="Kotak 3 terbuka.", by="Wati Saksi"
    )
    tell(running, "serial-1", ReaderState.LOST)
    tell(running, "serial-1", ReaderState.READY)
    page.goto(running.address + "/day")
    page.wait_for_selector("#record table")
    shoot("supervisor-day")
    for role in Role:
        page.goto(f"{running.address}/help/{role}")
        shoot(f"supervisor-help-{role}")
    page.goto(running.address + "/batches/besok/minutes")
    page.click("#add-officer")
    page.click("#add-witness")
    shoot("supervisor-minutes")


def the_end(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """The closing page: differences, explained, ready, sealed, burnt; and a cancelled batch."""
    post = running.app.test_client().post
    batch = "/api/batches/kupang-1"
    two = {"by": NAMES[Role.SUPERVISOR], "seconded_by": "Beni Tefa"}
    for number in range(30, 360):
        running.scan(nik(number))
    running.scan(nik(900))
    running.scan("12345")
    post(f"{batch}/containers", json={"form": "box", "label": "Kotak 1"})
    post(f"{batch}/unidentified", json={"category": "rusak", "camera": True})
    figures = {"rusak": 174, "pindah datang": 133, "salah cetak": 133}
    post(f"{batch}/declared", json={"total": 400, "by_category": figures})
    witness = {"witness": "Cici Nalle", "institution": "Inspektorat Daerah"}
    post(f"{batch}/objections", json=witness | {"objection": "Kotak 1 dibuka tanpa saksi"})
    page.goto(running.address + "/batches/kupang-1/closing")
    page.wait_for_selector("#differences li")
    shoot("closing-open")
    for part in ("differences", "by-category", "declaring", "witnesses"):
        page.evaluate(f"document.getElementById('{part}').scrollIntoView()")
        shoot(f"closing-open-{part}")
    page.click("#lists [data-list='missing'] summary")
    page.evaluate("document.getElementById('lists').scrollIntoView()")
    shoot("closing-open-lists")
    page.click("#differences button >> nth=0")
    page.wait_for_timeout(200)
    shoot("closing-explain")
    page.click("#explaining .leave")
    for number in range(360, 400):
        running.scan(nik(number))
    sealed = {"seal_number": "KPG-000117", "agreed_by": "Beni Tefa"}
    post(f"{batch}/containers/1/seal", json=sealed)
    reason = {"reason": "milik kecamatan lain, dikembalikan"} | two
    post(f"{batch}/explanations", json={"what": "strangers"} | reason)
    for what in ("declared", "declared_parts"):
        post(f"{batch}/explanations", json={"what": what, "reason": "salah ketik"} | two)
    custody = running.app.test_client().get(f"{batch}/custody").json or {}
    objection = custody["objections"][0]["sequence"]
    post(f"{batch}/objections/{objection}/answer", json={"answer": "Dihitung ulang"})
    post(f"{batch}/refusals", json=witness | {"objection": "Tidak diberi waktu"})
    page.reload()
    page.wait_for_selector("#seal:not([hidden])")
    shoot("closing-ready")
    page.evaluate("document.getElementById('differences').scrollIntoView()")
    shoot("closing-explained")
    page.evaluate("document.getElementById('witnesses').scrollIntoView()")
    shoot("closing-witnesses")
    page.click("#seal")
    page.wait_for_timeout(200)
    shoot("closing-seal")
    page.click("#sealing .leave")
    post(f"{batch}/seal", json=two)
    page.reload()
    page.wait_for_selector("#after:not([hidden])")
    shoot("closing-sealed")
    burned = {"method": "dibakar dalam drum", "present": "Inspektorat, Satpol PP, wartawan"}
    post(f"{batch}/burning", json=burned)
    page.reload()
    page.wait_for_selector("#burned:not(:empty)")
    shoot("closing-burnt")
    running.create("batal", "Pemusnahan yang dibatalkan")
    post("/api/batches/batal/cancel", json={"reason": "salah daftar"} | two)
    page.goto(running.address + "/batches/batal/closing")
    page.wait_for_selector("#state:not(:empty)")
    shoot("closing-cancelled")


def table(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """The table's page, from the zero report to the second day; the officer's line about it."""
    running.create("besok", "Pemusnahan 20 Desember 2018")
    page.goto(running.address + "/batches/besok/table")
    page.wait_for_selector("#zero:not([hidden])")
    shoot("table-zero")
    post = running.app.test_client().post
    batch = "/api/batches/kupang-1"
    post(f"{batch}/containers", json={"form": "box", "label": "Kecamatan Oebobo"})
    for number in range(40, 52):
        running.scan(nik(number))
    post(f"{batch}/unidentified", json={"category": "rusak", "camera": True})
    sealed = {"seal_number": "KPG-000117", "agreed_by": "Beni Tefa"}
    post(f"{batch}/containers/1/seal", json=sealed)
    page.goto(running.address + "/")
    page.wait_for_selector("#last .entry")
    running.scan(nik(45))
    page.wait_for_selector("#banner-alarm")
    page.wait_for_timeout(400)
    shoot("table-alarm")
    page.goto(running.address + "/batches/kupang-1/table")
    page.wait_for_selector("#opening:not([hidden])")
    shoot("table-no-container")
    post(f"{batch}/containers", json={"form": "sack"})
    for number in range(52, 57):
        running.scan(nik(number))
    running.scan(nik(900))
    reading = {"payload": nik(60), "typed": True, "nonce": "x"}
    post(f"{batch}/readings", json=reading)
    post(f"{batch}/unidentified", json={"camera": True})
    post(f"{batch}/lots", json={"lot": "Alak"})
    page.reload()
    page.wait_for_selector("#waiting li")
    shoot("table-at-work")
    page.evaluate("document.querySelector('#strange').scrollIntoView()")
    shoot("table-at-work-below")
    for dialog in ("seal", "take-in", "agree"):
        page.click(f"#{dialog}")
        page.wait_for_timeout(300)
        shoot(f"table-{dialog}")
        page.click("dialog[open] .leave")
    page.click("#strangers button")
    shoot("table-add")
    page.click("dialog[open] .leave")
    page.goto(running.address + "/")
    page.wait_for_selector("#table:not([hidden])")
    page.wait_for_timeout(800)
    shoot("table-officer")
    post(f"{batch}/pause", json={"agreed_by": "Beni Tefa"})
    page.wait_for_selector("#banner-paused")
    shoot("table-officer-paused")
    page.goto(running.address + "/batches/kupang-1/table")
    page.wait_for_selector("#resting:not([hidden])")
    shoot("table-paused")


def rehearsal(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """A rehearsal: made on the supervisor's page, marked wherever it is seen."""
    page.goto(running.address + "/supervisor")
    page.wait_for_selector(".batch")
    page.click("#new")
    page.fill("#new-title", "Latihan regu A")
    page.check("#new-rehearsal")
    shoot("rehearsal-new")
    page.click("#creating button[type=submit]")
    page.wait_for_selector(".batch[data-slug=latihan-regu-a]")
    shoot("rehearsal-supervisor")
    page.click(".batch[data-slug=latihan-regu-a] .row button:first-of-type")
    page.wait_for_selector(".batch[data-slug=latihan-regu-a][data-active]")
    for path in ("", "witness", "batches/latihan-regu-a/closing"):
        page.goto(f"{running.address}/{path}")
        page.wait_for_selector("#rehearsal:not([hidden])")
        page.wait_for_timeout(300)
        shoot(f"rehearsal-{path.split('/')[-1] or 'officer'}")


def recap(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """Totals over bundles of several offices, one of them not what it was."""
    with tempfile.TemporaryDirectory() as name:
        made = Offices(Path(name))
        for number, office in enumerate((KUPANG, ALOR), start=1):
            made.open(f"meja-{number}", office)
            cards = range(number * 40, number * 60)
            categories = ("rusak", "pindah datang", "salah cetak")
            made.burn(f"meja-{number}", f"batch-{number}", cards, categories=categories)
        bundles = [made.bundle(f"meja-{number}", f"batch-{number}") for number in (1, 2)]
        openings = [made.openings(f"meja-{number}", f"batch-{number}") for number in (1, 2)]
        made.close()
        forged = Path(name) / "dikirim-lewat-surel.zip"
        forged.write_bytes(bundles[0].read_bytes().replace(b"rusak", b"rusuk", 1))
        listed = Path(name) / "kantor.txt"
        listed.write_text(f"{KUPANG}\n{ALOR}\n{BELU}\n")
        page.goto(running.address + "/recap")
        shoot("recap")
        page.set_input_files("#bundles", [*map(str, bundles), str(forged)])
        page.set_input_files("#offices", str(listed))
        page.set_input_files("#openings", list(map(str, openings)))
        shoot("recap-chosen")
        page.click("#total")
        page.wait_for_selector("#result:not([hidden])")
        shoot("recap-result")
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        shoot("recap-result-end")


def entrance(page: Page, running: RunningStation, shoot: Shoot) -> None:
    """Coming in: the first start, people, tablets, signing in, a change of shift."""
    page.goto(running.address + "/first-start")
    page.fill("#name", NAMES[Role.SUPERVISOR])
    page.fill("#position", "Kepala Seksi")
    page.fill("#passphrase", SECRETS[Role.SUPERVISOR])
    page.fill("#again", SECRETS[Role.SUPERVISOR])
    page.fill("#office", "Dinas Kependudukan dan Pencatatan Sipil Kota Contoh")
    page.fill("#letterhead", "PEMERINTAH KOTA CONTOH\nDINAS KEPENDUDUKAN DAN PENCATATAN SIPIL")
    shoot("first-start")
    page.click("button[type=submit]")
    page.wait_for_selector(".person")
    for role in (Role.OFFICER, Role.WITNESS):
        running.people.add(NAMES[role], role, SECRETS[role], by=NAMES[Role.SUPERVISOR])
    running.people.add("Budi Petugas", Role.OFFICER, "482617", by=NAMES[Role.SUPERVISOR])
    page.reload()
    page.wait_for_selector(".person >> nth=3")
    shoot("people")
    page.click("#new")
    shoot("people-add")
    page.goto(running.address + "/pairing")
    page.wait_for_selector("#code:not([hidden])")
    shoot("pairing")
    page.goto(running.address + "/certificate")
    shoot("certificate")
    page.goto(running.address + "/pair#x")
    shoot("pair")
    page.goto(running.address + "/witness")
    page.click("#sign-out")
    page.wait_for_selector(".tile")
    shoot("login")
    page.check(f"input[value='{NAMES[Role.OFFICER]}']")
    shoot("login-pin")
    page.fill("#signin-secret", "000111")
    page.press("#signin-secret", "Enter")
    page.wait_for_selector(".refused:not(:empty)")
    shoot("login-wrong")
    page.fill("#signin-secret", SECRETS[Role.OFFICER])
    page.press("#signin-secret", "Enter")
    page.wait_for_selector("#last .entry")
    page.click("#hand-over")
    page.check("#shift input[value='Budi Petugas']")
    page.wait_for_timeout(200)
    shoot("shift")


def tell(running: RunningStation, reader: str, state: ReaderState) -> None:
    running.station.bus.publish(
        ReaderNotice(
            reader_id=ReaderId(reader),
            state=state,
            message=(
                "Scanner %(reader)s: nothing is plugged in at %(port)s. Plug it in; it will be "
                "used by itself."
            ),
            values={"reader": reader, "port": "/dev/serial/by-id/usb-Scanner-if00"},
        )
    )


class EarlierClock(SystemClock):
    """The machine's clock, some time ago: so that cards were counted over an hour."""

    def __init__(self, behind: timedelta) -> None:
        self.behind = behind

    def now(self) -> datetime:
        return super().now() - self.behind

    def catch_up(self, by: timedelta) -> None:
        self.behind = max(timedelta(), self.behind - by)


def _with_camera(folder: Path, clock: SystemClock) -> RunningStation:
    """A station whose camera sees a card."""
    card = np.full((480, 640, 3), (92, 98, 104), np.uint8)
    cv2.rectangle(card, (120, 110), (520, 362), (235, 226, 214), -1)
    for number in range(40):
        cv2.rectangle(card, (180 + 7 * number, 190), (182 + 7 * number + number % 3, 290), 0, -1)
    picture = cv2.imencode(".jpg", card)[1].tobytes()
    return RunningStation(folder, cameras={"kamera": lambda: picture}, clock=clock)


@contextmanager
def counting(cards: int = 30) -> Iterator[RunningStation]:
    """A station in the middle of its work."""
    clock = EarlierClock(timedelta(minutes=cards / 5))
    with (
        tempfile.TemporaryDirectory() as folder,
        _with_camera(Path(folder) / "data", clock) as running,
    ):
        running.create()
        districts = ("Oebobo", "Kelapa Lima", "Alak", "Maulafa", "Kota Raja", "Kota Lama")
        running.load(manifest_of(range(400), ("rusak", "pindah datang", "salah cetak"), districts))
        for reader in ("kamera", "serial-1"):
            tell(running, reader, ReaderState.READY)
        for number in range(cards):
            running.scan(nik(number))
            # Some are quick, and twice somebody drinks water.
            minutes = 5 if number in (cards // 3, cards // 2) else 0.1 + number % 7 / 50
            clock.catch_up(timedelta(minutes=minutes))
        clock.behind = timedelta()
        yield running


def main(folder: Path, only: str) -> None:
    """Make all pictures, or those whose name begins with `only`."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for size, (width, height) in SIZES.items():
            journeys = (
                officer,
                witness,
                head,
                supervisor,
                rehearsal,
                recap,
                entrance,
                table,
                the_end,
            )
            for journey in journeys:
                if not journey.__name__.startswith(only.split("-")[0]):
                    continue
                with counting(260 if journey is witness else 30) as running:
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.on("console", lambda said: print(said.type, said.text))
                    page.on("pageerror", lambda error: print("error", error))

                    def shoot(name: str, page: Page = page, size: str = size) -> None:
                        page.screenshot(path=folder / f"{name}-{size}.png")
                        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                        if wide > 0:
                            print(json.dumps({"picture": name, "size": size, "too wide by": wide}))
                        for fault in faults(page) if size == "tablet" else ():
                            print(json.dumps({"picture": name, "axe": fault}))

                    journey(page, running, shoot)
                    page.close()
        browser.close()


def keep(folder: Path) -> None:
    """Put the pictures that the documents show, few colours and few bytes, into docs/pictures."""
    for name, kept in (dict(zip(KEPT, KEPT, strict=True)) | KEPT_AS).items():
        if (taken := folder / f"{name}.png").exists():
            picture = Image.open(taken).convert("RGB").quantize(96, dither=Image.Dither.NONE)
            picture.save(DOCUMENTS / f"{kept}.png", optimize=True)


if __name__ == "__main__":
    given = [one for one in sys.argv[1:] if one != "--keep"]
    shots = Path(given[0] if given else "pictures")
    main(shots, given[1] if len(given) > 1 else "")
    if "--keep" in sys.argv:
        keep(shots)

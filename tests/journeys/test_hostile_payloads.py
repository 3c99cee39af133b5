"""Ten thousand codes that somebody has printed to do harm, through every reader and the interface.

Each of them carries a word that is looked for afterwards in everything that people and programs
get to see: pages, streams, figures, log lines, exports. None is counted, none is shown.
"""

import itertools
import json
import logging
import os
import random
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import segno
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from scanner_station.clock import SystemClock
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.exports.log import export
from scanner_station.readers.camera import CameraReader
from scanner_station.readers.camera_source import Frame
from scanner_station.readers.decoding.process import InProcessDecoder
from scanner_station.readers.port_finder import PortFinder
from scanner_station.readers.serial_port import SerialReader
from scanner_station.readers.stdin import StdinReader
from scanner_station.service.delivery import Delivery
from tests.fakes import Notices, PtyScanner
from tests.journeys.command_line import run
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik

pytestmark = pytest.mark.slow

ALL = 10_000
# The slow readers take a part of them each day, and all of them with HOSTILE=all (five minutes).
IS_FULL = os.environ.get("HOSTILE") == "all"
ODD = "\x00\x01\x07\x08\x1b\x7f\x85\u200b\u200e\u202a\u202e\u2028\ufeff\ufffe"
BY_CAMERA = ALL if IS_FULL else 150
BY_PAGE = ALL if IS_FULL else 200
BY_SERIAL = ALL if IS_FULL else 2_000
MOST_IN_A_CODE = 2_900
WORD = "Zq7Xw"
KINDS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title><svg/onload=alert(1)>",
    "{{ 7*7 }}",
    "%(name)s %s %d %n",
    "' or 1=1 --",
    "'; drop table entry; --",
    '") union select secret from batch_secret --',
    '=HYPERLINK("http://evil.example","x")',
    "=1+1",
    "+1+1",
    "@SUM(1)",
    "-2+3|cmd",
    "\t=1+1",
    "../../../../etc/passwd",
    "$(reboot)",
    "`id`",
    "\x1b]0;title\x07\x1b[2J",
    "\u202e1000000107401799",
    "\u2066\u200b\ufeff",
    "\x00",
    "\ud800",
    "\udfff\ud800",
    "9" * 16 + "\x00",
    "]C0" * 40,
    "\\000026",
    "A" * 4096,
    "😀" * 300,
    "data: x\n\nevent: tally\ndata: {}\n\n",
    "\r\nSet-Cookie: a=b\r\n",
]


def hostile() -> st.SearchStrategy[str]:
    """Texts that are no identifier, each with the word in it."""
    anything = st.text(st.characters(), max_size=40)
    odd = st.text(st.sampled_from(ODD), max_size=12)
    part = st.one_of(anything, odd, st.sampled_from(KINDS), st.characters(categories=["Cs"]))
    return st.tuples(part, part).map(lambda two: f"{two[0]}{WORD}{two[1]}")


@pytest.fixture(scope="module")
def payloads() -> list[str]:
    """What hypothesis thinks of, and each of it in three more disguises."""
    found: set[str] = set()

    @seed(2018)
    @settings(
        max_examples=ALL // 3,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(hostile())
    def collect(text: str) -> None:
        found.add(text)

    collect()
    chance = random.Random(2018)
    thought_of = sorted(found)
    while len(found) < ALL:
        text = chance.choice(thought_of)
        disguise = "".join(chance.choices(ODD, k=chance.randint(1, 4)))
        found.add(chance.choice(KINDS) + text + disguise)
    made = sorted(found)
    chance.shuffle(made)
    assert len(thought_of) > ALL // 5
    return made[:ALL]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data") as station:
        station.create()
        station.load(manifest_of(range(20), ("rusak",), ("Alak",)))
        yield station


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


def deliver_to(running: RunningStation) -> Delivery:
    return Delivery(running.station, by=lambda: "petugas", slug=SLUG)


def judge(running: RunningStation, folder: Path, said: str) -> int:
    """Check that nothing was counted and nothing is shown; return how many were refused."""
    client = running.app.test_client()
    batch = client.get(f"/api/batches/{SLUG}").json
    assert batch["counted"] == 0
    shown = [said]
    since = max(0, batch["entries"] - 150)
    here = f"/api/batches/{SLUG}"
    paths = ["/", "/witness", "/supervisor", "/metrics", "/api/batches", "/api/station"]
    paths += [here, f"{here}/live", f"{here}/live?since={since}", f"{here}/entries/1"]
    shown += [client.get(path).text for path in paths]
    with running.views.connection() as connection:
        for kind in ("csv", "jsonl", "xlsx"):
            export(connection, SLUG, kind, folder / f"log.{kind}", time_zone=ZoneInfo("UTC"))
            shown.append(text_of(folder / f"log.{kind}"))
        bodies = connection.execute("select body from entry").fetchall()
    shown += [body for (body,) in bodies]
    shown.append(run(running.folder, "batch", "show", SLUG, "--json").stdout.decode())
    for one in shown:
        assert WORD not in one
        assert "alert(1)" not in one
    json.loads(shown[-1])
    # The station goes on: a real card is counted.
    assert running.scan(nik(1)).counted == 1
    return int(batch["unreadable"]) + int(batch["not_on_manifest"])


def text_of(path: Path) -> str:
    if path.suffix != ".xlsx":
        return path.read_text("utf-8")
    with zipfile.ZipFile(path) as book:
        return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


def test_nothing_that_is_sent_to_the_interface_is_counted_or_shown(
    running: RunningStation, payloads: list[str], tmp_path: Path, said: Callable[[], str]
) -> None:
    client = running.app.test_client()
    for number, payload in enumerate(payloads):
        data = json.dumps({"payload": payload, "nonce": str(number), "typed": number % 2 == 0})
        answer = client.post(
            f"/api/batches/{SLUG}/readings", data=data, content_type="application/json"
        )
        assert answer.status_code == 200, payload
        assert WORD not in answer.text
    assert judge(running, tmp_path, said()) == ALL


def test_nothing_that_a_scanner_types_into_standard_input_is_counted_or_shown(
    running: RunningStation, payloads: list[str], tmp_path: Path, said: Callable[[], str]
) -> None:
    here, there = os.pipe()

    def type_in() -> None:
        with os.fdopen(there, "wb") as stream:
            for payload in payloads:
                stream.write(raw(payload).replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")

    thread = threading.Thread(target=type_in)
    thread.start()
    deliver = deliver_to(running)
    with os.fdopen(here, "rb") as stream:
        for reading in StdinReader(ReaderId("stdin"), stream, SystemClock()).readings():
            deliver(reading)
    thread.join()
    assert judge(running, tmp_path, said()) == ALL


def test_nothing_that_comes_over_a_serial_line_is_counted_or_shown(
    running: RunningStation, payloads: list[str], tmp_path: Path, said: Callable[[], str]
) -> None:
    last = nik(19)
    deliver = deliver_to(running)
    notices = Notices()
    read = 0
    with PtyScanner(tmp_path) as scanner:
        reader = SerialReader(
            ReaderId("serial"), PortFinder(scanner.path), clock=SystemClock(), notify=notices
        )

        def send() -> None:
            notices.next(lambda notice: notice.state == "ready")
            for payload in payloads[:BY_SERIAL]:
                scanner.send(raw(payload) + b"\r")
            scanner.send(last.encode() + b"\r")

        thread = threading.Thread(target=send)
        thread.start()
        for reading in reader.readings():
            if reading.payload == last.encode():
                break
            deliver(reading)
            read += 1
        reader.close()
        thread.join()
    words = "".join(str(notice) for notice in notices.all)
    assert read >= BY_SERIAL
    assert judge(running, tmp_path, said() + words) >= BY_SERIAL


def test_nothing_that_is_held_in_front_of_the_camera_is_counted_or_shown(
    running: RunningStation, payloads: list[str], tmp_path: Path, said: Callable[[], str]
) -> None:
    codes = [raw(text)[:MOST_IN_A_CODE] for text in payloads if "\x00" not in text]
    deliver = deliver_to(running)
    notices = Notices()
    camera = CameraReader(
        ReaderId("camera"),
        Pictures(itertools.islice(itertools.cycle(codes), BY_CAMERA)),
        symbologies=frozenset({Symbology.QR}),
        is_expected=deliver.is_expected,
        fits=deliver.fits,
        clock=SystemClock(),
        notify=notices,
        decoder=InProcessDecoder(),
    )
    read = 0
    for reading in camera.readings():
        deliver(reading)
        read += 1
    words = "".join(str(notice) for notice in notices.all)
    assert read > BY_CAMERA // 2
    assert judge(running, tmp_path, said() + words) == read


class Pictures:
    """Cards whose codes hold any bytes, one after the other, as from a folder of pictures."""

    is_live = False
    is_folder = True

    def __init__(self, codes: Iterable[bytes]) -> None:
        self._codes = codes

    def __iter__(self) -> Iterator[Frame]:
        for number, payload in enumerate(self._codes):
            yield Frame(image=_picture(payload), at_s=float(number))

    def close(self) -> None:
        pass


def _picture(payload: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    bits = np.array([list(row) for row in segno.make_qr(payload).matrix], np.uint8)
    code = np.kron(np.pad(1 - bits, 4, constant_values=1), np.ones((4, 4), np.uint8)) * 255
    card = np.full((code.shape[0] + 60, code.shape[1] + 60, 3), 90, np.uint8)
    card[30:-30, 30:-30] = code[..., None]
    return card


TYPE_ALL = """async (payloads) => {
    let asked = 0;
    const fetched = window.fetch;
    window.fetch = async (...call) => {
        const answer = await fetched(...call);
        if (String(call[0]).endsWith("/readings")) asked += 1;
        return answer;
    };
    for (const [number, payload] of payloads.entries()) {
        for (const key of [...payload, "Enter"])
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        while (asked <= number) await new Promise((go) => setTimeout(go));
    }
}"""


def test_nothing_that_a_keyboard_scanner_types_into_the_page_is_counted_or_shown(
    running: RunningStation,
    payloads: list[str],
    tmp_path: Path,
    said: Callable[[], str],
    page: Page,
) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    open_officer_page(page, running)
    # Chromium takes no half characters over its wire: they are put together in the page.
    for start in range(0, BY_PAGE, 100):
        part = [json.dumps(text) for text in payloads[start : start + 100]]
        page.evaluate(f"(parts) => ({TYPE_ALL})(parts.map(JSON.parse))", part)
    assert wrong == []
    shown = page.content() + page.evaluate("document.body.innerText + document.title")
    assert WORD not in shown
    assert "alert(1)" not in shown
    assert judge(running, tmp_path, said()) == BY_PAGE


def open_officer_page(page: Page, running: RunningStation) -> None:
    page.goto(running.address + "/")
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=20_000)

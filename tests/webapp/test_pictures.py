"""A still picture of a card: read by the camera's rules, counted once, never kept."""

import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno
from werkzeug.test import TestResponse

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding.still import judge
from scanner_station.readers.decoding.symbols import Found, Step, Symbol
from scanner_station.webapp.context import pages_of
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data") as station:
        station.create()
        station.load(manifest_of(range(40), ("rusak",), ("Oebobo",)))
        yield station


def picture_of(*payloads: str) -> bytes:
    """A photograph of cards with a QR code each, as PNG."""
    picture = np.full((480, 440 * len(payloads) + 40), 120, np.uint8)
    for place, payload in enumerate(payloads):
        rows = [list(row) for row in segno.make_qr(payload).matrix]
        code = np.kron(1 - np.array(rows, np.uint8), np.ones((10, 10), np.uint8)) * 255
        left, size = 440 * place + 60, code.shape[0]
        picture[80 : 120 + size, left - 20 : left + size + 20] = 255
        picture[100 : 100 + size, left : left + size] = code
    return cv2.imencode(".png", picture)[1].tobytes()


def send(running: RunningStation, content: bytes, nonce: str = "n-1") -> TestResponse:
    return running.app.test_client().post(
        f"/api/batches/{SLUG}/pictures",
        data={"picture": (io.BytesIO(content), "kartu.png"), "nonce": nonce},
        content_type="multipart/form-data",
        headers={"Authorization": "Bearer of this machine's programs"},
    )


def nothing_is_kept(running: RunningStation) -> bool:
    return not any(pages_of(running.app).jobs.folder.iterdir())


def test_a_photographed_card_is_counted_once_however_often_it_is_sent(
    running: RunningStation,
) -> None:
    for _ in range(2):
        answer = send(running, picture_of(nik(3)))
        assert answer.status_code == 200, answer.json
        assert answer.json["entry"]["verdict"] == "counted"
        assert answer.json["entry"]["identifier"] == nik(3)
    tally = running.station.counter(SLUG).tally
    assert (tally.counted, tally.manual) == (1, 0)
    assert nothing_is_kept(running)


def test_two_cards_on_one_picture_are_named_and_neither_is_guessed(running: RunningStation) -> None:
    answer = send(running, picture_of(nik(3), nik(4)))
    assert answer.status_code == 400
    assert "…" in answer.json["error"]
    assert nik(3) not in answer.json["error"]
    assert running.station.counter(SLUG).tally.counted == 0
    assert nothing_is_kept(running)


def test_a_picture_without_a_code_counts_nothing(running: RunningStation) -> None:
    blank = cv2.imencode(".png", np.full((200, 300), 120, np.uint8))[1].tobytes()
    answer = send(running, blank)
    assert (answer.status_code, answer.json) == (200, {"entry": None, "offer": None})


def test_what_is_no_picture_is_refused_by_its_own_name(running: RunningStation) -> None:
    answer = send(running, b"<html>")
    assert answer.status_code == 400
    assert answer.json["error"].startswith("Berkas kartu.png bukan gambar")
    assert str(running.folder) not in answer.json["error"]
    assert nothing_is_kept(running)


@pytest.mark.parametrize(
    ("number", "counted", "offered"),
    [(nik(3), 1, False), (nik(3)[:-3] + "7" + nik(3)[-2:], 0, True), (nik(800), 0, False)],
    ids=["on the manifest", "one digit away", "nowhere near"],
)
def test_a_number_that_one_enhanced_stage_read_counts_only_if_the_manifest_has_it(
    running: RunningStation,
    monkeypatch: pytest.MonkeyPatch,
    number: str,
    counted: int,
    offered: bool,
) -> None:
    symbol = Symbol(
        payload=number.encode(),
        text=number,
        symbology=Symbology.CODE128,
        outline=((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)),
    )
    found = [Found(symbol=symbol, stage="zbar_blur")]
    decoder = pages_of(running.app).pictures._decoder
    monkeypatch.setattr(
        decoder, "decode_file", lambda *_: judge(found, [Step(stage="zbar_blur", ms=1.0, found=1)])
    )
    answer = send(running, b"any")
    assert running.station.counter(SLUG).tally.counted == counted
    assert ((answer.json["offer"] or {}).get("identifier") == nik(3)) == offered


def test_what_each_stage_did_with_a_sent_picture_is_in_the_metrics(running: RunningStation) -> None:
    send(running, picture_of(nik(3)))
    figures = running.app.test_client().get(
        "/metrics", headers={"Authorization": "Bearer of this machine's programs"}
    )
    for line in (
        'scanner_station_decoder_tried_total{stage="zxing"} 1.0',
        'scanner_station_decoder_readings_total{stage="zxing"} 1.0',
        'scanner_station_decoder_accepted_total{stage="zxing"} 1.0',
        'scanner_station_decoder_tried_total{stage="likely_bars"} 0.0',
        "scanner_station_decoder_crashes_total 0.0",
    ):
        assert line in figures.text
    assert 'scanner_station_decoder_seconds_total{stage="zxing"}' in figures.text

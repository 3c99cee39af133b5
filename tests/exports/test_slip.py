"""A witness who leaves early takes a slip along; what stands on it can be held against the log."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from pyzbar import pyzbar

from scanner_station.domain.errors import InputError, VerificationError
from scanner_station.exports.slip import print_slip
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, heads
from tests.exports.sealed_logs import (
    SLUG,
    cosign,
    export,
    fill,
    made_station,
    office_policy,
    seal,
)
from tests.service.stations import show

WITA = ZoneInfo("Asia/Makassar")
CODE = re.compile(r"^\d+ [0-9A-Z]{4}(-[0-9A-Z]{4}){5}-[0-9A-Z*~$=]{3}$", re.MULTILINE)


def read(slip: bytes) -> tuple[str, str]:
    """Return the words on a slip, and what a phone reads in its code."""
    document = pypdfium2.PdfDocument(slip)
    assert len(document) == 1
    words = document[0].get_textpage().get_text_bounded().replace("\r\n", "\n")
    [code] = pyzbar.decode(document[0].render(scale=4).to_pil())
    return words, code.data.decode()


def test_paper_code_and_qr_code_of_a_slip_hold_the_log_to_what_the_witness_saw(
    tmp_path: Path,
) -> None:
    station = made_station(tmp_path / "data", tmp_path, 50)
    fill(station, 40)
    early = cosign(station)
    with station.transaction() as connection:
        slip = print_slip(heads.to_take_along(connection, SLUG, station.key), time_zone=WITA)
    seal(station)
    cosign(station)
    bundle, policy = export(station, tmp_path / "bundle"), office_policy(station)
    with station.transaction() as connection:
        size = early.checkpoint.size
        again = heads.to_take_along(connection, SLUG, station.key, size)
        assert print_slip(again, time_zone=WITA) == slip
        with pytest.raises(InputError, match="no signed head"):
            heads.to_take_along(connection, SLUG, station.key, size - 1)
    station.close()
    words, scanned = read(slip)
    typed = CODE.search(words)
    assert typed is not None
    assert again.key.text in words.replace("\n", "")
    assert scanned == bytes(early).decode()
    for kept in (scanned, typed[0], typed[0].replace(" ", "\n").lower() + "\n"):
        asked = Asked(policy=policy, against=kept.encode())
        assert verify(bundle, asked).against_size == size
    number, _, code = typed[0].partition(" ")
    wrong = f"{number} {'1' if code[0] == '0' else '0'}{code[1:]}"
    with pytest.raises(VerificationError, match="not copied right"):
        verify(bundle, Asked(policy=policy, against=wrong.encode()))


def test_the_longest_title_and_a_million_entries_fit_on_the_one_page(tmp_path: Path) -> None:
    station = made_station(tmp_path / "data", tmp_path, 1)
    title = "Pemusnahan KTP-el rusak dan invalid di Kabupaten Penukal Abab Lematang Ilir " * 6
    batches.create(station, "panjang", title=title.strip(), by="penyelia")
    show(station, "panjang", "9971044107000001")
    heads.sign(station, "panjang")
    with station.transaction() as connection:
        taken = heads.to_take_along(connection, "panjang", station.key)
    station.close()
    words, scanned = read(print_slip(taken, time_zone=WITA))
    assert scanned == bytes(taken.head).decode()
    assert "Ilir" in words
    assert "English" in words

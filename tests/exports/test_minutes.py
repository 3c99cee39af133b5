"""The minutes say what the log says, to the card, and nothing else."""

import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from scanner_station.domain.errors import BatchError, InputError
from scanner_station.domain.paper_head import PaperHead
from scanner_station.domain.particulars import Officer, Particulars, Witness
from scanner_station.exports.minutes import DRAFT, print_minutes, read_logo
from scanner_station.exports.terbilang import figures, figures_and_words
from scanner_station.service import batches, closing, custody, forgetting, heads, minutes
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from tests.exports import sealed_logs
from tests.exports.sealed_logs import SLUG
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

ZONE = ZoneInfo("Asia/Makassar")
ENTERED = Particulars(
    number="470/1/CONTOH/XII/2018",
    place="halaman kantor",
    held_on=date(2018, 12, 19),
    legal_basis=("Surat Edaran Contoh", "Peraturan Contoh"),
    officers=(
        Officer(name="Drs. Contoh Kepala", nip="196501011990031001", position="Kepala Dinas"),
        Officer(name="Contoh Operator"),
    ),
    witnesses=(Witness(name="Saksi Contoh", institution="Inspektorat Contoh"),),
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = sealed_logs.made_station(tmp_path / "data", tmp_path, 40)
    try:
        yield made
    finally:
        made.close()


def printed(
    station: Station, slug: str = SLUG, *, masked: bool = False, logo: bytes = b""
) -> bytes:
    with station.transaction() as connection:
        return print_minutes(
            connection, slug, station.key, time_zone=ZONE, masked=masked, logo=logo
        )


def pages_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def text_of(pdf: bytes) -> str:
    return " ".join("\n".join(pages_of(pdf)).split())


def closed(station: Station, *, cards: int = 30, entered: Particulars = ENTERED) -> Station:
    sealed_logs.fill(station, cards)
    minutes.set_particulars(station, SLUG, entered, by="penyelia")
    sealed_logs.seal(station)
    return station


def annex_lines(text: str) -> list[str]:
    return re.findall(r"(?<!Nama )\b99710441\d{8}\b", text)  # names hold the number, too


def test_the_minutes_agree_with_the_reconciliation_to_the_card(station: Station) -> None:
    closed(station)
    with station.transaction() as connection:
        found = reconcile(connection, SLUG)
    text = text_of(printed(station))

    assert f"adalah {figures_and_words(found.total.burned)} keping" in text
    assert f"memuat {figures_and_words(found.total.manifest)} keping" in text
    assert f"tidak ditemukan {figures_and_words(found.total.missing)} keping" in text
    for axis in ("category", "district"):
        for name, row in found.by(axis).items():
            cells = (row.manifest, row.counted, row.missing, row.added, row.unidentified)
            line = " ".join(map(figures, (*cells, row.burned)))
            assert f"{name} {line}" in text
    listed = len(annex_lines(text))
    by_hand = len(found.findings.typed)
    assert listed == found.total.burned + len(found.missing) + len(found.strangers) + by_hand


def test_number_day_place_law_and_people_stand_in_the_minutes(station: Station) -> None:
    closed(station)
    text = text_of(printed(station))
    assert "Nomor: 470/1/CONTOH/XII/2018" in text
    assert (
        "Pada hari ini, Rabu tanggal sembilan belas bulan Desember tahun dua ribu delapan belas "
        "(19-12-2018), bertempat di halaman kantor" in text
    )
    for said in ("Surat Edaran Contoh", "Peraturan Contoh", "Kepala Dinas", "Inspektorat Contoh"):
        assert said in text
    assert text.count("19650101 199003 1 001") == 2
    assert text.count("Saksi Contoh") == 2


def test_every_difference_stands_there_with_its_explanation(station: Station) -> None:
    closed(station)
    with station.transaction() as connection:
        found = reconcile(connection, SLUG)
    text = text_of(printed(station))
    assert found.findings.explanations
    for one in found.findings.explanations:
        assert f"entri {one.sequence}" in text
        assert one.reason in text
        assert f"{one.by}, {one.seconded_by}" in text
    assert "BELUM DIJELASKAN" not in text


def test_a_batch_that_is_not_sealed_gives_a_draft_with_what_is_open(station: Station) -> None:
    sealed_logs.fill(station, 10)
    pages = pages_of(printed(station))
    assert all(DRAFT in page for page in pages)
    assert "BELUM DIJELASKAN" in " ".join(pages)
    closed_pages = pages_of(printed(closed_again(station)))
    assert not any("KONSEP" in page for page in closed_pages)


def closed_again(station: Station) -> Station:
    sealed_logs.seal(station)
    return station


def test_a_cancelled_batch_says_so_on_every_page(station: Station) -> None:
    sealed_logs.fill(station, 3)
    batches.cancel(station, SLUG, reason="salah daftar", by="penyelia", seconded_by="kepala")
    assert all("DIBATALKAN" in page for page in pages_of(printed(station)))


def test_made_again_the_minutes_are_the_same_bytes(station: Station) -> None:
    closed(station)
    assert printed(station) == printed(station)
    assert printed(station, masked=True) == printed(station, masked=True)


def test_the_masked_copy_names_no_card_and_no_number(station: Station) -> None:
    closed(station)
    masked = printed(station, masked=True)
    text = text_of(masked)
    assert not re.search(r"\d{16}", text)
    assert "9971" not in text
    assert "Nama 99" not in text
    assert "19650101" not in text
    with station.transaction() as connection:
        told = minutes.minutes(connection, SLUG, station.key)
        cards = list(minutes.destroyed_cards(connection, told, masked=True))
        total = reconcile(connection, SLUG).total.burned
    assert len(cards) == total
    assert all(card.card[:16] in text for card in cards)


def test_forgotten_people_are_named_no_more_but_the_masked_copy_is_as_it_was(
    station: Station,
) -> None:
    closed(station)
    before = pages_of(printed(station, masked=True))
    forgetting.forget(station, SLUG, by="penyelia")
    with pytest.raises(BatchError, match="forgotten"):
        printed(station)
    after = pages_of(printed(station, masked=True))
    annex = next(place for place, page in enumerate(before) if "LAMPIRAN I." in page)
    assert after[annex:] == before[annex:]


def test_the_head_of_the_log_stands_there_as_text_and_as_a_code(
    station: Station, tmp_path: Path
) -> None:
    closed(station)
    pdf = printed(station)
    text = text_of(pdf)
    with station.transaction() as connection:
        head = heads.head_now(connection, SLUG, station.key)
    paper = PaperHead.of(head.checkpoint.size, head.checkpoint.root).text
    assert paper in text
    assert head.checkpoint.text.splitlines()[2] in text.replace(" ", "")
    assert paper in pages_of(pdf)[-1]
    assert codes_in(pdf) == [bytes(head).decode()]


def codes_in(pdf: bytes) -> list[str]:
    import pypdfium2
    import zxingcpp

    found = []
    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            picture = page.render(scale=3).to_numpy()
            found += [code.text for code in zxingcpp.read_barcodes(picture)]
    finally:
        document.close()
    return found


@pytest.mark.parametrize("cards", [0, 1])
def test_a_batch_of_no_card_or_one_has_minutes(tmp_path: Path, cards: int) -> None:
    station = Station(tmp_path / "data", clock=FakeClock())
    try:
        batches.create(station, "kecil", title="Pemusnahan kecil", by="penyelia")
        if cards:
            load_manifest(station, "kecil", [(nik(1), "rusak", "Alak", 1)], tmp_path)
            show(station, "kecil", nik(1))
        text = text_of(printed(station, "kecil"))
        assert f"adalah {figures_and_words(cards)} keping" in text
        assert len(annex_lines(text)) == cards
        assert ("Tidak ada KTP-el yang dihitung." in text) == (cards == 0)
        assert ("Log batch ini belum dimulai" in text) == (cards == 0)
    finally:
        station.close()


def test_a_batch_without_a_list_has_minutes_that_say_so(tmp_path: Path) -> None:
    station = Station(tmp_path / "data", clock=FakeClock())
    try:
        batches.create(station, "bebas", title="Tanpa daftar", by="penyelia")
        show(station, "bebas", nik(1))
        custody.record_unidentified(station, "bebas", by="petugas", category="rusak")
        text = text_of(printed(station, "bebas"))
        assert "batch tanpa daftar" in text
        assert "tak teridentifikasi no. 1" in text
        assert "tidak dapat diidentifikasi: 1 (satu) keping" in text
    finally:
        station.close()


def test_containers_days_fire_objections_and_refusals_stand_in_the_minutes(
    station: Station,
) -> None:
    custody.open_container(station, SLUG, by="petugas", label="kotak biru")
    show(station, SLUG, nik(1))
    custody.seal_container(station, SLUG, 1, seal_number="SEGEL-77", by="petugas")
    figure = custody.pause(station, SLUG, by="petugas")
    custody.resume(station, SLUG, figure=figure, by="petugas")
    entry = closing.object_to(
        station, SLUG, witness="Saksi Contoh", objection="kotak terbuka", by="penyelia"
    )
    closing.answer(station, SLUG, entry, text="ditutup kembali", by="penyelia")
    closed(station)
    custody.burn(station, SLUG, method="dibakar dalam drum", present="Satpol PP", by="penyelia")
    closing.record_refusal(
        station, SLUG, witness="Saksi Contoh", objection="tidak melihat api", by="penyelia"
    )
    text = text_of(printed(station))
    for said in (
        "kotak biru",
        "SEGEL-77",
        "tersegel",
        "Angka akhir",
        "Jawaban penyelia: ditutup kembali",
        "dibakar dalam drum",
        "Satpol PP",
        "Jumlah KTP-el yang dimusnahkan adalah",
        "MENOLAK MENANDATANGANI",
        "tidak melihat api",
    ):
        assert said in text


@pytest.mark.parametrize(("witnesses", "words"), [(0, 0), (1, 9), (7, 9), (7, 60), (40, 60)])
def test_nobody_signs_on_a_page_without_words(station: Station, witnesses: int, words: int) -> None:
    people = tuple(
        Witness(
            name=f"Saksi {'Bernama Sangat Panjang ' * 3}{number}", institution="Lembaga " * words
        )
        for number in range(witnesses)
    )
    sealed_logs.fill(station, 5)
    entered = Particulars(number="N-1", witnesses=people, officers=ENTERED.officers)
    minutes.set_particulars(station, SLUG, entered, by="penyelia")
    pages = pages_of(printed(station))
    annex = next(place for place, page in enumerate(pages) if "LAMPIRAN I." in page)
    begins = next(place for place, page in enumerate(pages) if "Demikian Berita Acara" in page)
    assert "Yang melaksanakan pemusnahan" in pages[begins]
    for page in pages[begins + 1 : annex]:
        assert "Lanjutan tanda tangan pada Berita Acara Nomor N-1" in page
    signed = " ".join(" ".join(pages[begins:annex]).split())
    assert all(one.name in signed for one in people)


def test_pages_are_numbered_and_each_repeats_the_head_of_its_table(station: Station) -> None:
    closed(station)
    pages = pages_of(printed(station))
    for place, page in enumerate(pages, start=1):
        assert f"halaman {place} dari {len(pages)}" in " ".join(page.split())
    annex = next(place for place, page in enumerate(pages) if "LAMPIRAN I." in page)
    for page in pages[annex:]:
        if re.search(r"\b99710441\d{8}\b", page):
            assert "Nomor kartu / NIK" in page


def test_whatever_people_write_stands_there_and_breaks_nothing(tmp_path: Path) -> None:
    station = Station(tmp_path / "data", clock=FakeClock())
    hostile = [
        "<b>tebal</b>",
        "&amp; %s %(x)s",
        "\u738b\u5c0f\u660e",
        "W" * 70,
        "=1+1",
        "\u202eabc",
    ]
    path = tmp_path / "m.csv"
    lines = [f"{nik(n)},{text},{text},{text}" for n, text in enumerate(hostile)]
    path.write_text("\n".join(["nik,nama,alamat,kategori", *lines]) + "\n", encoding="utf-8")
    try:
        batches.create(station, SLUG, title="<para>&</para>", by="penyelia")
        checked = batches.check_manifest(station, SLUG, path, path.name)
        batches.import_manifest(station, SLUG, checked, by="penyelia")
        for number in range(len(hostile) - 1):
            show(station, SLUG, nik(number))
        entered = Particulars(
            number="<i>1</i>",
            legal_basis=("W" * 500, "<font size=99>&"),
            witnesses=(Witness(name="W" * 80, institution="<br/>"),),
        )
        minutes.set_particulars(station, SLUG, entered, by="penyelia")
        text = text_of(printed(station))
        for said in ("<para>&</para>", "<b>tebal</b>", "&amp; %s %(x)s", "[U+738B]", "<i>1</i>"):
            assert said in text
        assert "<br/>" in text
    finally:
        station.close()


def test_letterhead_and_logo_stand_at_the_top(station: Station, tmp_path: Path) -> None:
    import cv2
    import numpy as np

    from scanner_station.domain.people import Office
    from scanner_station.service.people import People

    People(station).set_office(
        Office(name="Dinas Contoh", letterhead=("PEMERINTAH KOTA CONTOH", "Jalan Contoh 1")),
        by="penyelia",
    )
    path = tmp_path / "logo.png"
    cv2.imwrite(str(path), np.full((60, 60, 3), (0, 120, 0), np.uint8))
    logo = read_logo(str(path))
    sealed_logs.fill(station, 3)
    pdf = printed(station, logo=logo)
    assert pdf == printed(station, logo=logo)
    first = PdfReader(io.BytesIO(pdf)).pages[0]
    words = " ".join(first.extract_text().split())
    assert "PEMERINTAH KOTA CONTOH Jalan Contoh 1 BERITA ACARA" in words
    assert len(first.images) == 1
    assert "pada Dinas Contoh" in text_of(pdf)


def test_a_logo_that_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_text("kein Bild", encoding="utf-8")
    with pytest.raises(InputError, match=r"minutes\.logo"):
        read_logo(str(path))
    with pytest.raises(InputError, match=r"minutes\.logo"):
        read_logo(str(tmp_path / "nowhere.png"))
    assert read_logo("") == b""


def test_what_is_entered_for_the_minutes_is_kept_and_checked(station: Station) -> None:
    with station.transaction() as connection:
        before = minutes.particulars(connection, SLUG)
    assert before.legal_basis == minutes.LEGAL_BASIS
    minutes.set_particulars(station, SLUG, ENTERED, by="penyelia")
    with station.transaction() as connection:
        assert minutes.particulars(connection, SLUG) == ENTERED
    assert Particulars.of_json(ENTERED.as_json()) == ENTERED
    for wrong in (
        {"officers": "x"},
        {"officers": [{"nama": "x"}]},
        {"held_on": "19-12-2018"},
        {"legal_basis": [1]},
        [],
    ):
        with pytest.raises(InputError):
            Particulars.of_json(wrong)
    with pytest.raises(InputError, match="identity number"):
        minutes.set_particulars(station, SLUG, Particulars(place=nik(1)), by="penyelia")

"""What a witness sees, asks and says, on a tablet that sleeps and loses the network."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scanner_station.domain.people import Role
from scanner_station.service import closing, custody, views
from scanner_station.webapp.context import pages_of
from tests.journeys.axe import faults
from tests.journeys.test_browser_pages import wedge
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

WITHIN_MS = 15_000


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:
        station.create()
        station.load(manifest_of(range(40), ("rusak", "pindah datang"), ("Oebobo", "Alak")))
        yield station


def open_witness(page: Page, running: RunningStation) -> None:
    page.goto(running.address + "/witness")
    expect(page.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=WITHIN_MS)


def sign_in(page: Page, running: RunningStation, role: Role = Role.WITNESS) -> None:
    page.goto(running.address + "/login?next=/witness")
    page.locator(f"input[value='{NAMES[role]}']").check(timeout=WITHIN_MS)
    page.locator("#signin-secret").fill(SECRETS[role])
    page.locator("#signin-secret").press("Enter")
    expect(page.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)


def objections(running: RunningStation) -> list[str]:
    with running.views.connection() as connection:
        return [one.text for one in custody.custody(connection, SLUG).objections.values()]


def test_the_picture_of_the_count_grows_with_the_cards(running: RunningStation, page: Page) -> None:
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    open_witness(page, running)
    expect(page.locator("#growth")).to_have_text("Digambar sejak kartu pertama.", timeout=WITHIN_MS)
    for number in range(3):
        running.scan(nik(number))
    expect(page.locator("#growth")).to_have_attribute("data-counted", "3", timeout=WITHIN_MS)
    running.scan(nik(3))
    expect(page.locator("#growth")).to_have_attribute("data-counted", "4", timeout=WITHIN_MS)
    told = page.get_by_role("img", name="4 terhitung dari")
    expect(told).to_be_visible()
    expect(page.locator("#growth svg")).to_contain_text("seharusnya 40")
    assert refused == []


def test_what_is_counted_apart_stands_apart(running: RunningStation, page: Page) -> None:
    counted = running.scan(nik(1))
    running.scan(nik(900))
    running.station.void(SLUG, counted.sequence, reason="salah", by="petugas")
    custody.record_unidentified(running.station, SLUG, by="petugas", reason="hangus")
    open_witness(page, running)
    told = {
        kind: page.locator(f"#asides [data-kind={kind}] dd").inner_text()
        for kind in ("manual", "added", "unidentified", "burned", "not_on_manifest", "voided")
    }
    assert told == {
        "manual": "0",
        "added": "0",
        "unidentified": "1",
        "burned": "1",
        "not_on_manifest": "1",
        "voided": "1",
    }


def test_a_card_held_up_is_found_by_typing_and_by_scanning_and_its_number_does_not_stay(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(7))
    open_witness(page, running)
    page.locator("#spot-number").fill(f"{nik(7)[:6]} {nik(7)[6:12]} {nik(7)[12:]}")
    page.locator("#spot-number").press("Enter")
    answer = page.locator("#spot-answer")
    expect(answer).to_have_attribute("data-answer", "counted", timeout=WITHIN_MS)
    expect(answer).to_contain_text(nik(7)[:6] + "••••••" + nik(7)[-4:])
    expect(answer).to_contain_text("entri 1")
    expect(page.locator("#spot-number")).to_have_value("")
    wedge(page, nik(8))
    expect(answer).to_have_attribute("data-answer", "not_counted", timeout=WITHIN_MS)
    wedge(page, nik(800))
    expect(answer).to_have_attribute("data-answer", "not_on_manifest", timeout=WITHIN_MS)
    wedge(page, "12345")
    expect(answer).to_contain_text("bukan nomor 16 angka", timeout=WITHIN_MS, ignore_case=True)
    assert nik(7) not in page.content()
    assert running.station.counter(SLUG).tally.counted == 1


def test_asking_for_too_many_cards_is_refused_in_one_sentence(
    running: RunningStation, page: Page
) -> None:
    open_witness(page, running)
    refused = page.locator("#spot-check .refused")
    for number in range(6):
        expect(page.locator("#spot-check button")).to_be_enabled(timeout=WITHIN_MS)
        page.locator("#spot-number").fill(nik(number))
        page.locator("#spot-check button").click()
        expect(page.locator("#spot-check button")).to_be_enabled(timeout=WITHIN_MS)
    expect(refused).to_contain_text("Terlalu banyak kartu diperiksa; tunggu", timeout=WITHIN_MS)
    expect(page.locator("#spot-number")).to_have_value(nik(5))
    assert running.station.counter(SLUG).next_sequence == 0


def test_an_objection_stands_once_however_often_it_is_tapped_and_its_answer_is_seen(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    running.add_people()
    sign_in(page, running)
    page.locator("#object").click()
    page.locator("#objection").fill(f"kartu {nik(1)} bukan dari kotak ini")
    page.locator("#objecting [type=submit]").click()
    refused = page.locator("#objecting .refused")
    expect(refused).to_contain_text("memuat nomor identitas", timeout=WITHIN_MS)
    page.locator("#objection").fill("Kotak 3 datang tanpa segel.")
    page.locator("#objecting [type=submit]").dblclick()
    expect(page.locator("#objecting")).not_to_be_visible(timeout=WITHIN_MS)
    row = page.locator("#objections li[data-kind=object]")
    expect(row).to_have_count(1, timeout=WITHIN_MS)
    expect(row).to_contain_text("Wati Saksi")
    expect(row).to_contain_text("Belum dijawab")
    assert objections(running) == ["Kotak 3 datang tanpa segel."]
    closing.answer(running.station, SLUG, 2, text="Dihitung ulang.", by="Sari")
    expect(row).to_contain_text("Jawaban Sari: Dihitung ulang.", timeout=WITHIN_MS)
    page.reload()
    page.locator("#object").click(timeout=WITHIN_MS)
    expect(page.locator("#objection")).to_have_value("")


def test_an_objection_whose_answer_was_lost_on_the_way_is_not_written_twice(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    open_witness(page, running)

    def swallow(route: object) -> None:
        route.fetch()  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    page.route("**/objections", swallow, times=1)
    page.locator("#object").click()
    page.locator("#objecting-witness").fill("Wati Saksi")
    page.locator("#objection").fill("Kotak 3  datang tanpa segel.")
    page.locator("#objecting [type=submit]").click()
    expect(page.locator("#objecting .refused")).not_to_be_empty(timeout=WITHIN_MS)
    page.locator("#objecting [type=submit]").click()
    expect(page.locator("#objecting")).not_to_be_visible(timeout=WITHIN_MS)
    assert objections(running) == ["Kotak 3 datang tanpa segel."]


def test_an_objection_that_was_being_typed_outlasts_the_session(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    running.add_people()
    sign_in(page, running)
    page.locator("#object").click()
    page.locator("#objection").press_sequentially("Kotak 3 datang tan")
    running.logins.end_all_of(running.people.find(NAMES[Role.WITNESS]).id)  # type: ignore[union-attr]
    page.wait_for_url("**/login?next=*", timeout=WITHIN_MS)
    sign_in(page, running)
    expect(page.locator("#object")).to_have_text("Lanjutkan menulis…", timeout=WITHIN_MS)
    page.locator("#object").click()
    expect(page.locator("#objection")).to_have_value("Kotak 3 datang tan")
    page.locator("#objecting .leave").click()
    page.locator("#sign-out").click()
    page.wait_for_url("**/login", timeout=WITHIN_MS)
    sign_in(page, running, Role.OFFICER)
    page.locator("#object").click(timeout=WITHIN_MS)
    expect(page.locator("#objection")).to_have_value("")


def test_a_witness_who_will_not_sign_says_so(running: RunningStation, page: Page) -> None:
    running.scan(nik(1))
    running.add_people()
    sign_in(page, running)
    page.locator("#object").click()
    page.locator("#objecting [value=refuse]").check()
    page.locator("#objection").fill("Saya tidak melihat kotak 2.")
    page.locator("#objecting [type=submit]").click()
    row = page.locator("#objections li[data-kind=refuse]")
    expect(row).to_contain_text("Tidak mau menandatangani", timeout=WITHIN_MS)
    assert objections(running) == []


STALE_SEEN = """() => {
    new MutationObserver(() => {
        const root = document.documentElement;
        if (document.body.classList.contains("stale")) root.dataset.wasStale = "yes";
    }).observe(document.body, {attributes: true});
}"""


def test_a_tablet_that_slept_calls_its_numbers_old_before_it_shows_new_ones(
    running: RunningStation, page: Page
) -> None:
    open_witness(page, running)
    page.evaluate(STALE_SEEN)
    # While a tablet sleeps its steady clock stands still and its wall clock goes on.
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600_000; }")
    expect(page.locator("html")).to_have_attribute("data-was-stale", "yes", timeout=WITHIN_MS)
    running.scan(nik(1))
    expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    expect(page.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)


def test_a_clock_that_is_set_back_makes_nothing_old_and_nothing_young(
    running: RunningStation, page: Page
) -> None:
    open_witness(page, running)
    page.evaluate("() => { const now = Date.now; Date.now = () => now() - 3600_000; }")
    running.scan(nik(1))
    expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    expect(page.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)
    running.server.stop()
    expect(page.locator("#banner-stale")).to_contain_text("Basi sejak", timeout=WITHIN_MS)


def test_a_stream_that_only_beats_is_not_believed(
    running: RunningStation, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_witness(page, running)
    goes_on = threading.Event()
    monkeypatch.setattr(pages_of(running.app).live, "_take_in", goes_on.wait)
    try:
        running.scan(nik(1))  # the thread that follows the log hangs over this one
        expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
        expect(page.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)
    finally:
        goes_on.set()


def test_long_names_and_many_groups_fit_a_narrow_screen(data_folder: Path, page: Page) -> None:
    with RunningStation(data_folder) as running:
        running.create(title="Pemusnahan KTP-el rusak dan invalid tahap kedua " * 4)
        categories = tuple(f"kategori yang panjang sekali nomor {n}" for n in range(40))
        districts = ("Kecamatan" + "x" * 60, *(f"Kecamatan {n}" for n in range(99)))
        running.load(manifest_of(range(400), categories, districts))
        running.scan(nik(1))
        page.set_viewport_size({"width": 320, "height": 640})
        open_witness(page, running)
        expect(page.locator("#by-district tbody tr")).to_have_count(100, timeout=WITHIN_MS)
        expect(page.locator("#by-category tbody tr")).to_have_count(40)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_note_stands_in_the_log_and_on_every_witnesss_page_and_asks_for_nothing(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    closing.note(running.station, SLUG, witness="Yos", institution="Pers", text="Hujan.", by="Yos")
    running.add_people()
    sign_in(page, running)
    page.locator("#object").click()
    page.locator("#objecting [value=note]").check()
    page.locator("#objection").fill("Pukul 10 listrik padam sebentar.")
    page.locator("#objecting [type=submit]").click()
    expect(page.locator("#said")).to_have_text("Catatan Anda tercantum dalam log.")
    rows = page.locator("#objections li[data-kind=note]")
    expect(rows).to_have_count(2, timeout=WITHIN_MS)
    expect(rows.first).to_contain_text("Catatan saksi · entri 3")
    expect(rows.first).to_contain_text("Wati Saksi: Pukul 10 listrik padam sebentar.")
    expect(rows.last).to_contain_text("Yos, Pers: Hujan.")
    with running.views.connection() as connection:
        *_, last = views.entries(connection, SLUG)
    assert (last.body["kind"], last.body["by"]) == ("note", NAMES[Role.WITNESS])
    assert last.body["reason"] == "Pukul 10 listrik padam sebentar."
    page.locator("#spot-number").fill(nik(1))
    page.locator("#spot-number").press("Enter")
    expect(page.locator("#spot-answer")).to_contain_text("entri 1", timeout=WITHIN_MS)
    closing.note(running.station, SLUG, witness="Yos", text="Hujan berhenti.", by="Yos")
    expect(rows).to_have_count(3, timeout=WITHIN_MS)  # a spot check is nobody's sentence
    expect(rows.first).to_contain_text("Yos: Hujan berhenti.")


def test_every_state_of_the_witnesss_page_is_accessible(
    running: RunningStation, page: Page
) -> None:
    for payload in (nik(1), nik(1), nik(900), "12345"):
        running.scan(payload)
    closing.object_to(running.station, SLUG, witness="Wati", objection="Terbuka.", by="Wati")
    open_witness(page, running)
    expect(page.locator("#growth svg")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#objections [data-kind=object]")).to_be_visible(timeout=WITHIN_MS)
    answers = {"counted": nik(1), "not_counted": nik(2), "not_on_manifest": nik(900)}
    for answer, payload in {**answers, "unreadable": "12"}.items():
        page.locator("#spot-number").fill(payload)
        page.locator("#spot-number").press("Enter")
        shown = page.locator("#spot-answer")
        expect(shown).to_have_attribute("data-answer", answer, timeout=WITHIN_MS)
        assert faults(page, "#spot-answer") == []
    assert faults(page) == []
    running.server.stop()
    expect(page.locator("body")).to_have_class("witness stale", timeout=WITHIN_MS)
    assert faults(page) == []

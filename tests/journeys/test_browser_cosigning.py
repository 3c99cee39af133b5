"""A witness's tablet over HTTPS: it enrols, follows, checks consistency, cosigns - or refuses."""

import io
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from scanner_station.domain.checkpoint import Checkpoint, SignedHead, signed_head
from scanner_station.domain.merkle import leaf_hash
from scanner_station.domain.people import Role
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import heads
from scanner_station.storage.database import FILE_NAME
from scanner_station.webapp.context import pages_of
from tests.journeys.test_browser_people import (
    check,
    empty,
    is_following,
    staffed,
    tablet,
)
from tests.webapp.running import SLUG, RunningStation, nik

__all__ = ["empty", "staffed", "tablet"]

WITHIN_MS = 15_000


@pytest.fixture
def witness(tablet: Page, staffed: RunningStation) -> Page:
    """A witness who has come in with the station's code, while cards are counted."""
    for number in range(5):
        staffed.scan(nik(number))
    heads.sign(staffed.station, SLUG)
    parts = pages_of(staffed.app)
    tablet.goto(f"{parts.network.https_address}/pair#{parts.pairing.issue()}")
    tablet.fill("#name", "Wati Inspektorat")
    tablet.press("#name", "Enter")
    tablet.wait_for_url("**/witness")
    is_following(tablet)
    return tablet


def sign(witness: Page, entries: int) -> None:
    witness.click("#head-sign")
    said = f"Anda menandatangani {entries} entri"
    expect(witness.locator("#head-mine")).to_contain_text(said, timeout=WITHIN_MS)


def newest(station: RunningStation) -> SignedHead:
    with station.views.connection() as connection:
        found = heads.newest(connection, SLUG)
    assert found is not None
    return found


def test_a_tablet_enrols_checks_and_cosigns_and_the_bundle_bears_its_signature(
    witness: Page, staffed: RunningStation, tmp_path: Path
) -> None:
    expect(witness.locator("#head-size")).to_have_text("6 entri", timeout=WITHIN_MS)
    check(witness)
    witness.click("#head-own")
    expect(witness.locator("#head-own-state")).to_contain_text("Log belum menyebutnya")
    shown = read_face_to_face(witness, staffed)
    check(witness)
    witness.click("#own-key-leave")
    sign(witness, 7)
    for number in range(5, 20):
        staffed.scan(nik(number))
    sign(witness, 22)
    expect(witness.locator("#head-signed")).to_contain_text("wati-inspektorat-")
    expect(witness.locator("#head-own-state")).to_contain_text("sebagai kunci Wati Inspektorat")
    key = witness.locator("#head-own-key").text_content()
    assert key == shown
    with staffed.views.connection() as connection:
        export_bundle(connection, SLUG, staffed.station.key, tmp_path / "bundle")
        log = heads.verifier_key(connection, SLUG, staffed.station.key).text
    # What somebody would have copied from the tablet's screen, and the file they would take.
    witness.goto(witness.url.replace("/witness", f"/head?batch={SLUG}"))
    expect(witness.locator("#head-witnesses")).to_have_text(str(key), timeout=WITHIN_MS)
    with witness.expect_download() as download:
        witness.click("#head-policy")
    for policy in (
        f"log {log}\nwitness wati {key}\nquorum wati\n".encode(),
        download.value.path().read_bytes(),
    ):
        found = verify(tmp_path / "bundle", Asked(policy=policy))
        assert [one.text for one in found.witnesses] == [key]
        assert found.head.checkpoint.size == 22


def read_face_to_face(witness: Page, staffed: RunningStation) -> str:
    """Photograph the code on the tablet and send the picture to the table; return the key."""
    code = witness.locator("#head-own-code")
    expect(code).to_have_js_property("complete", True)
    sent = staffed.client_of(Role.OFFICER).post(
        f"/api/batches/{SLUG}/pictures",
        data={"picture": (io.BytesIO(code.screenshot()), "tablet.png"), "nonce": "tablet-1"},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 200, sent.json
    assert sent.json["entry"] is None
    return str(sent.json["offer"]["witness_key"])


def test_the_tablets_key_cannot_be_taken_out_of_its_browser(witness: Page) -> None:
    sign(witness, 7)
    told = witness.evaluate("""() => new Promise((resolve) => {
        const opening = indexedDB.open("witness", 1);
        opening.onsuccess = () => {
            const asked = opening.result.transaction("kept").objectStore("kept").get("key");
            asked.onsuccess = async () => {
                const key = asked.result.pair.privateKey;
                const taken = crypto.subtle.exportKey("pkcs8", key);
                resolve([key.extractable, await taken.catch((error) => error.name)]);
            };
        };
    })""")
    assert told == [False, "InvalidAccessError"]


def lie(witness: Page, station: RunningStation, forged: SignedHead) -> list[str]:
    """Have the station show another head, signed with its real key; return what is cosigned."""
    sent: list[str] = []
    with station.views.connection() as connection:
        key = heads.verifier_key(connection, SLUG, station.station.key).text
        witnesses = [one.text for one in heads.witnesses(connection, SLUG)]
    picture = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
    answer = {
        "note": bytes(forged).decode(),
        "size": forged.checkpoint.size,
        "paper": "1 ABCD",
        "code": picture,
        "key": key,
        "key_code": picture,
        "witnesses": witnesses,
        "signed": [],
    }

    def head(route: Route) -> None:
        route.fulfill(json=answer)

    def cosignature(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fallback()

    witness.route(f"**/api/batches/{SLUG}/head", head)
    witness.route(f"**/api/batches/{SLUG}/cosignatures", cosignature)
    return sent


@pytest.mark.parametrize("what", ["rewritten", "shorter", "same_size"])
def test_a_head_that_contradicts_the_last_one_is_refused_loudly_and_not_signed(
    witness: Page, staffed: RunningStation, what: str
) -> None:
    sign(witness, 7)
    for number in range(5, 9):
        staffed.scan(nik(number))
    size = {"rewritten": 11, "shorter": 5, "same_size": 7}[what]
    other = Checkpoint(
        origin=newest(staffed).checkpoint.origin, size=size, root=leaf_hash(b"another log")
    )
    sent = lie(witness, staffed, signed_head(other, staffed.station.key))
    witness.click("#head-sign")
    refusal = witness.locator("#banner-head")
    expect(refusal).to_contain_text("diubah setelah Anda menandatanganinya", timeout=WITHIN_MS)
    expect(refusal.locator("pre")).to_have_count(2)
    expect(witness.locator("#head-sign")).to_be_disabled()
    check(witness)
    # The right log shown again changes nothing: another one was shown all the same.
    witness.unroute(f"**/api/batches/{SLUG}/head")
    witness.reload()
    is_following(witness)
    expect(refusal.locator("pre")).to_have_count(2, timeout=WITHIN_MS)
    expect(witness.locator("#head-sign")).to_be_disabled()
    assert sent == []
    assert staffed.station.fault is None  # it goes on with the log that was signed


@pytest.mark.parametrize("begins_anew", [False, True], ids=["empty", "begun_anew"])
def test_a_station_put_back_to_before_the_log_and_renamed_is_refused_and_stops(
    witness: Page, staffed: RunningStation, begins_anew: bool
) -> None:
    sign(witness, 7)
    connection = sqlite3.connect(staffed.station.folder / FILE_NAME)
    for name in ("entry_is_never_deleted", "checkpoint_is_never_deleted"):
        connection.execute(f"drop trigger {name}")
    connection.execute("drop trigger cosignature_is_never_deleted")
    for table in ("cosignature", "checkpoint", "witness_key", "piece", "entry"):
        connection.execute(f"delete from {table}")
    connection.commit()
    connection.close()
    staffed.station.name = "meja-9"
    if begins_anew:
        staffed.station.forget_counter(SLUG)
        staffed.scan(nik(5))
        heads.sign(staffed.station, SLUG)
    witness.reload()
    refusal = witness.locator("#banner-head")
    expect(refusal).to_contain_text("diubah setelah Anda menandatanganinya", timeout=WITHIN_MS)
    expect(refusal.locator("pre").first).to_contain_text("station-1/")
    stopped = witness.locator("#banner-fault")
    expect(stopped).to_have_text("Stasiun berhenti menghitung.", timeout=WITHIN_MS)
    assert "an older or a changed copy of the data folder" in str(staffed.station.fault)


def test_a_head_that_the_station_did_not_sign_is_refused(
    witness: Page, staffed: RunningStation
) -> None:
    sign(witness, 7)
    real = newest(staffed).checkpoint
    text = bytes(signed_head(real, staffed.station.key)).decode().replace("\n7\n", "\n8\n")
    sent = lie(witness, staffed, SignedHead.parse(text.encode()))
    witness.click("#head-sign")
    expect(witness.locator("#banner-head")).to_contain_text(
        "tidak ditandatangani", timeout=WITHIN_MS
    )
    assert sent == []


def test_a_head_is_taken_along_on_paper(witness: Page, staffed: RunningStation) -> None:
    sign(witness, 7)
    witness.click("#head-link")
    witness.wait_for_url("**/head?batch=*")
    note = witness.locator("#head-note")
    expect(note).to_contain_text("station-1/", timeout=WITHIN_MS)
    assert note.text_content() == bytes(newest(staffed)).decode()
    expect(witness.locator("#head-paper")).to_contain_text("7 ")
    check(witness)


def test_a_witness_types_what_the_log_will_open_with_but_cannot_begin_it(
    tablet: Page, staffed: RunningStation
) -> None:
    parts = pages_of(staffed.app)
    tablet.goto(f"{parts.network.https_address}/pair#{parts.pairing.issue()}")
    tablet.fill("#name", "Wati")
    tablet.press("#name", "Enter")
    tablet.wait_for_url("**/witness")
    is_following(tablet)
    expect(tablet.locator("#head-panel")).to_be_hidden()
    tablet.fill("#head-nonce-text", "hujan lebat")
    tablet.click("#head-nonce button")
    kept = tablet.locator("#head-nonce-kept")
    expect(kept).to_have_text("Log akan dimulai dengan: hujan lebat", timeout=WITHIN_MS)
    check(tablet)
    status = tablet.evaluate(
        """async ([slug, key]) => {
            const settings = JSON.parse(document.getElementById("settings").textContent);
            const token = {"X-Write-Token": settings.write_token};
            const headers = {"Content-Type": "application/json", ...token};
            const body = JSON.stringify({key});
            const path = `/api/batches/${slug}/witness-keys`;
            return (await fetch(path, {method: "POST", headers, body})).status;
        }""",
        [SLUG, "saksi+00000000+BAAA"],
    )
    assert status == 409


def test_two_pages_that_ask_for_the_tablets_key_at_once_come_to_the_same(witness: Page) -> None:
    keys = witness.evaluate(
        """async () => {
            indexedDB.deleteDatabase("witness");
            const { ownKey } = await import("/static/js/cosign.js");
            const made = await Promise.all([1, 2, 3].map(() => ownKey("Wati")));
            return [...made, await ownKey("Wati")].map((key) => key.text);
        }"""
    )
    assert len(set(keys)) == 1

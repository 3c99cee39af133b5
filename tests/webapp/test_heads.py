"""What a witness writes over the API: words before the first card, a note, an objection."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from scanner_station.domain.checkpoint import (
    Checkpoint,
    SignedHead,
    cosignature,
    signed_head,
    witness_key,
)
from scanner_station.domain.errors import StorageError
from scanner_station.domain.merkle import leaf_hash
from scanner_station.domain.people import Role
from scanner_station.service import batches, heads, views
from tests.webapp.running import NAMES, SLUG, RunningStation, nik

BATCH = f"/api/batches/{SLUG}"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data") as station:
        station.create()
        station.add_people()
        yield station


@pytest.fixture
def witness(running: RunningStation) -> FlaskClient:
    return running.client_of(Role.WITNESS)


def bodies(running: RunningStation) -> list[dict[str, object]]:
    with running.views.connection() as connection:
        return [dict(entry.body) for entry in views.entries(connection, SLUG)]


def test_the_log_opens_with_what_a_witness_typed(
    running: RunningStation, witness: FlaskClient
) -> None:
    assert witness.get(f"{BATCH}/head").json["nonce"] == ""
    kept = witness.post(f"{BATCH}/nonce", json={"nonce": "hujan lebat"})
    assert (kept.status_code, kept.json["nonce"], kept.json["size"]) == (200, "hujan lebat", 0)
    running.scan(nik(1))
    assert bodies(running)[0]["nonce"] == "hujan lebat"
    late = witness.post(f"{BATCH}/nonce", json={"nonce": "terlambat"})
    assert late.status_code == 409
    assert witness.post(f"{BATCH}/nonce", json={"nonce": ""}).status_code == 400


@pytest.mark.parametrize("what", ["note", "objection"])
def test_a_witness_writes_into_the_log_in_their_own_name_but_does_not_begin_it(
    running: RunningStation, witness: FlaskClient, what: str
) -> None:
    said = {what: "kotak 3 basah", "witness": "orang lain", "institution": "Inspektorat"}
    assert witness.post(f"{BATCH}/{what}s", json=said).status_code == 409
    assert bodies(running) == []
    running.scan(nik(1))
    written = witness.post(f"{BATCH}/{what}s", json=said)
    assert (written.status_code, written.json) == (201, {"sequence": 2})
    body = bodies(running)[2]
    assert body["kind"] == {"note": "note", "objection": "object"}[what]
    assert (body["witness"], body["institution"]) == (NAMES[Role.WITNESS], "Inspektorat")
    assert "kotak 3 basah" in body.values()
    refused = witness.post(f"{BATCH}/{what}s", json=said | {what: f"kartu {nik(3)}"})
    assert refused.status_code == 400
    assert nik(3) not in refused.text


def test_a_slip_is_given_for_any_head_that_was_signed(
    running: RunningStation, witness: FlaskClient
) -> None:
    slip = f"/batches/{SLUG}/head.pdf"
    assert witness.get(slip).status_code == 400
    running.scan(nik(1))
    heads.sign(running.station, SLUG)
    given = witness.get(slip)
    assert (given.status_code, given.mimetype, given.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert f"log-{SLUG}-2.pdf" in given.headers["Content-Disposition"]
    assert witness.get(f"{slip}?size=2").data == given.data
    for size, status in (("1", 400), ("x", 400), ("99999999999999999999", 400)):
        assert witness.get(f"{slip}?size={size}").status_code == status, size


KEY = witness_key("saksi-ani", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
KEYS = f"{BATCH}/witness-keys"


def test_an_officer_names_the_key_that_was_shown_and_a_witness_only_their_own(
    running: RunningStation, witness: FlaskClient
) -> None:
    officer = running.client_of(Role.OFFICER)
    running.scan(nik(1))
    shown = {"query_string": {"key": KEY.text}}
    before = witness.get(KEYS, **shown).json
    assert (before["key"], before["name"], before["named"]) == (KEY.text, "saksi-ani", None)
    assert before["code"].startswith("data:image/svg+xml")
    made = officer.post(KEYS, json={"key": KEY.text, "witness": "Ani, Inspektorat"})
    assert made.status_code == 200
    said = {"sequence": 2, "witness": "Ani, Inspektorat", "by": NAMES[Role.OFFICER]}
    assert witness.get(KEYS, **shown).json["named"] == said
    again = officer.post(KEYS, json={"key": KEY.text, "witness": "orang lain"})
    assert again.status_code == 400
    other = witness_key("saksi-budi", Ed25519PrivateKey.from_private_bytes(b"v" * 32))
    assert witness.post(KEYS, json={"key": other.text, "witness": "Ani"}).status_code == 200
    assert bodies(running)[3]["witness"] == NAMES[Role.WITNESS]
    for text in ("", nik(1), KEY.text[:-1], KEY.text.replace("+B", "+A", 1)):
        assert witness.get(KEYS, query_string={"key": text}).status_code == 400


def test_many_witnesses_sign_one_head_and_it_is_still_shown_and_taken_along(
    running: RunningStation, witness: FlaskClient
) -> None:
    running.scan(nik(1))
    keys = {f"saksi-inspektorat-{number:02}": Ed25519PrivateKey.generate() for number in range(25)}
    for name, key in keys.items():
        text = witness_key(name, key).text
        heads.enrol(running.station, SLUG, text, witness=name, by="petugas")
    head = heads.sign(running.station, SLUG).checkpoint
    for name, key in keys.items():
        line = cosignature(head, name, key, time_s=1_545_181_200).line
        heads.cosign(running.station, SLUG, head.size, line)
    shown = witness.get(f"{BATCH}/head")
    assert (shown.status_code, len(shown.json["signed"])) == (200, 25)
    assert witness.get(f"/batches/{SLUG}/head.pdf").status_code == 200
    whole = SignedHead.parse(shown.json["note"].encode())
    short = SignedHead.parse(whole.for_code().encode())
    assert 2 < len(short.note.signatures) < 10
    assert short.note.signatures == whole.note.signatures[: len(short.note.signatures)]


@pytest.mark.parametrize("name", ["x" * 101, "none", "witnesses", "ani\u200b", "\u0430ni"])
def test_no_witness_has_a_name_that_would_spoil_the_bundle(
    running: RunningStation, witness: FlaskClient, name: str
) -> None:
    running.scan(nik(1))
    key = witness_key(name, Ed25519PrivateKey.generate()).text
    refused = witness.post(KEYS, json={"key": key})
    assert (refused.status_code, "100" in refused.json["error"]) == (400, True)
    assert witness.get(KEYS, query_string={"key": key}).status_code == 400
    assert len(bodies(running)) == 2


def test_the_keys_come_as_a_policy_that_asks_for_those_who_signed_once_the_batch_is_closed(
    running: RunningStation, witness: FlaskClient
) -> None:
    path = f"/batches/{SLUG}/policy"
    assert witness.get(path).status_code == 409
    running.scan(nik(1))
    station = running.station
    heads.enrol(station, SLUG, KEY.text, witness="Ani", by="petugas")
    with running.views.connection() as connection:
        log = heads.verifier_key(connection, SLUG, station.key).text
    lines = f"log {log}\nwitness saksi-ani {KEY.text}\n"
    assert witness.get(path).text == lines + "quorum none\n"
    batches.cancel(station, SLUG, reason="salah", by="penyelia", seconded_by="kepala")
    head = heads.sign(station, SLUG).checkpoint
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    line = cosignature(head, "saksi-ani", private, time_s=1_545_181_200).line
    heads.cosign(station, SLUG, head.size, line)
    kept = witness.get(path)
    assert kept.text == lines + "group witnesses all saksi-ani\nquorum witnesses\n"
    assert "attachment" in kept.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("size", "name"),
    [(2, "station-1"), (900, "station-1"), (2, "meja-9")],
    ids=["rewritten", "shorter", "renamed"],
)
def test_a_station_put_back_from_an_older_copy_stops_when_a_witness_shows_what_it_signed(
    running: RunningStation, witness: FlaskClient, size: int, name: str
) -> None:
    running.scan(nik(1))
    head = heads.sign(running.station, SLUG)
    running.scan(nik(2))
    path = f"{BATCH}/contradictions"
    note = bytes(head).decode()
    assert witness.post(path, json={"note": note}).json == {"contradicts": False}
    other = Checkpoint(origin=head.checkpoint.origin, size=size, root=leaf_hash(b"another log"))
    signed = bytes(signed_head(other, running.station.key)).decode()
    somebody = signed_head(head.checkpoint, Ed25519PrivateKey.generate())
    elsewhere = note.replace("station-1/", "station-2/")
    of_another = Checkpoint(origin="station-1/lain", size=2, root=other.root)
    lain = bytes(signed_head(of_another, running.station.key)).decode()
    for wrong in ("", "x", note[:-9], bytes(somebody).decode(), elsewhere, lain):
        assert witness.post(path, json={"note": wrong}).status_code == 400
    running.scan(nik(3))  # nothing of that stops anybody
    running.station.name = name  # in the settings, since then
    assert witness.post(path, json={"note": note}).json == {"contradicts": False}
    assert witness.post(path, json={"note": signed}).json == {"contradicts": True}
    assert f"a witness holds a head of {size} entries of batch {SLUG}" in str(running.station.fault)
    with pytest.raises(StorageError, match="put the right folder back"):
        running.station.recover()
    assert witness.post(path, json={"note": note}).status_code == 503

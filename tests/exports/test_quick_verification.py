"""A bundle is found the same by many entries at a time as by looking at each entry and card."""

import base64
import hashlib
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scanner_station.domain.columns import Bytes, Lines, Numbers
from scanner_station.domain.entry import Body, canonical, manifest_line, totals_text
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import stated_totals
from scanner_station.domain.plain_counts import QuickAudit
from scanner_station.domain.tally import Tally
from scanner_station.exports import card_store, tree_hashing, tree_verification
from scanner_station.exports.manifest_reading import ManifestReader
from scanner_station.exports.verification import Asked, verify
from tests.exports.forging import forge

ORIGIN = "meja-1/kupang"
CATEGORIES = ("rusak", "salah cetak é", 'disebut "rusak"', "pindah", "alasan")
DISTRICTS = ("Alak", "Kota Lama", "Oebobo")


def card(number: int) -> str:
    return base64.b64encode(hashlib.sha256(b"%d" % number).digest()).decode()


Log = tuple[list[Body], dict[str, tuple[str, int]] | None]
"""Entries, and category and pieces by card; None without a manifest."""


def made(size: int, *, has_manifest: bool = True) -> Log:
    """Return a log of scans of which some came again, and the manifest of its cards."""
    listed, bodies = {}, list[Body]()
    for number in range(1, size):
        category = CATEGORIES[number % 7 % 5]
        listed[card(number)] = category, 1 + (number % 50 == 0)
        body: Body = {"card": card(number), "category": category, "kind": "scan"}
        body |= {"district": DISTRICTS[number % 3], "reader": "kamera", "symbology": "qr"}
        body |= {"piece": 1, "verdict": "counted"}
        if has_manifest and number % 50 == 1 and number > 1:
            body |= {"card": card(number - 1), "piece": 2}
            body |= {"category": listed[card(number - 1)][0]}
        bodies.append(body)
    return bodies, listed if has_manifest else None


def written(path: Path, log: Log, *, spoilt: random.Random | None = None) -> Path:
    """Forge a bundle of a log, in which perhaps one byte is changed before it is hashed."""
    scans, listed = log
    rows = [manifest_line(one, *about) for one, about in sorted((listed or {}).items())]
    if spoilt and rows and not spoilt.randrange(4):
        changed_byte(rows, spoilt)
    manifest = b"".join(rows)
    expected: Counter[str] = Counter()
    for category, pieces in (listed or {}).values():
        expected[category] += pieces
    opening: Body = {"kind": "open", "title": "contoh", "expected": expected.total(), "nonce": ""}
    opening |= {"schemes": "nik", "software": "0", "sqlite": "3"}
    opening |= {"expected_by_category": totals_text(dict(expected)), "counted": 0}
    opening |= {"manifest_sha256": hashlib.sha256(manifest).hexdigest() if listed else ""}
    tally = Tally()
    for body in scans:
        if body["kind"] == "scan" and body["verdict"] == "counted":
            tally.add("counted", str(body["category"]), "", total=1, manual=0)
    missing = expected.total() - tally.counted if listed else 0
    seal: Body = {"kind": "seal", "seconded_by": "b", "expected": expected.total()}
    bodies = [opening, *scans, seal | {"missing": missing} | stated_totals(tally)]
    common: Body = {"at": "2018-12-19T01:02:03.004Z", "by": "a"}
    common |= {"batch": "kupang", "station": "meja-1"}
    entries = [
        canonical(common | body | {"sequence": number}).encode()
        for number, body in enumerate(bodies)
    ]
    if spoilt and spoilt.randrange(2):
        changed_byte(entries, spoilt)
    return forge(path, entries, manifest if listed else None, origin=ORIGIN)


def changed_byte(some: list[bytes], dice: random.Random) -> None:
    row = dice.randrange(len(some))
    place = dice.randrange(len(some[row]))
    other = dice.choice([some[row][place] ^ 1 << dice.randrange(8), *b'"09AZaz+/='])
    some[row] = some[row][:place] + bytes([other]) + some[row][place + 1 :]


def changed(log: Log, dice: random.Random) -> Log:
    """Return a log with one thing in it otherwise, which its opening and seal do not hide."""
    scans, listed = [dict(body) for body in log[0]], dict(log[1] or {})
    place, other = sorted(dice.sample(range(len(scans)), 2))
    one, two = scans[place], scans[other]
    some: list[Body] = [
        {"card": one["card"], "category": one["category"]},  # counted twice
        {"card": one["card"]},  # also in another category
        {"card": card(-1)},  # not on the manifest
        {"category": dice.choice(CATEGORIES)},
        {"card": str(one["card"])[:20] + str(two["card"])[20:]},  # two that begin alike
    ]
    where = {name: one[name] for name in ("card", "category", "district")}
    repeat: Body = {"kind": "scan", "reader": "kamera", "symbology": "qr"}
    repeat |= {"first_batch": "kupang", "first_sequence": place + dice.randrange(3)}
    instead: list[Body] = [
        {"kind": "pause", "figure": dice.choice((other, other - 1))},
        where | repeat | {"verdict": "already_counted"},
        where | {"kind": "void", "target": place + 1, "reason": "x"},
    ]
    some += instead
    number = dice.randrange(len(some) + 1)
    if number == len(some):
        listed[str(one["card"])] = dice.choice(CATEGORIES), 1
        return scans, listed if log[1] is not None else None
    if number == 4 and str(two["card"]) in listed:
        listed[str(some[4]["card"])] = listed.pop(str(two["card"]))
    if some[number] in instead:
        two.clear()
    two |= some[number]
    return scans, listed if log[1] is not None else None


def answer(path: Path) -> tuple[object, ...]:
    try:
        found = verify(path, Asked())
    except VerificationError as error:
        return (str(error),)
    return found.totals, found.audit.tally, found.audit.custody, found.audit.last_at, found.roots


def answer_one_by_one(path: Path, patch: pytest.MonkeyPatch) -> tuple[object, ...]:
    with patch.context() as patched:
        patched.setattr(QuickAudit, "_learn_head", lambda *_: None)
        patched.setattr(ManifestReader, "_read_alike", lambda *_: None)
        return answer(path)


@pytest.mark.parametrize("has_manifest", [True, False], ids=["listed", "no_list"])
def test_a_bundle_is_found_the_same_quickly_and_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_manifest: bool
) -> None:
    dice = random.Random(5371 + has_manifest)
    log = made(270, has_manifest=has_manifest)
    assert len(answer(written(tmp_path / "whole.zip", log))) > 1
    said: Counter[str] = Counter()
    for number in range(70):
        # Blocks end behind each tile, or never; parts are one or many, in memory or in files.
        monkeypatch.setattr(tree_verification, "_BLOCK_BYTES", dice.choice((1, 1 << 21)))
        monkeypatch.setattr(card_store, "_CARDS_A_PART", dice.choice((60, 1000)))
        monkeypatch.setattr(card_store, "_KEPT_IN_MEMORY", dice.choice((10, 1000)))
        path = written(tmp_path / f"{number}.zip", changed(log, dice), spoilt=dice)
        found = answer(path)
        assert found == answer_one_by_one(path, monkeypatch), number
        said[str(found[0]).split(": ")[-1] if len(found) == 1 else ""] += 1
    assert sum(said.values()) - said[""] > 40
    assert len(said) > 8


@pytest.mark.parametrize("size", [1, 2, 254, 255, 256, 257, 512])
def test_a_log_of_any_length_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = written(tmp_path / "one.zip", made(size))
    found = answer(path)
    assert len(found) > 1, found
    assert found == answer_one_by_one(path, monkeypatch)


class TwoProcesses:
    """Has every log hashed in two processes, tile by tile."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        self.hashed_here = 0
        patch.setattr(tree_hashing, "_LONG", 0)
        patch.setattr(tree_verification, "_BLOCK_BYTES", 1)
        patch.setattr(tree_hashing, "_SecondProcess", self._begun)
        patch.setattr(tree_hashing, "_hashes", self._hashes)

    def _begun(self) -> object:
        second = SecondProcess()
        self.children.append(second._child)
        second._sent[0].result()  # a log that is as short as these would not wait for it
        return second

    def _hashes(self, data: Bytes, ends: Numbers) -> tree_hashing.Hashes:
        self.hashed_here += 1
        return hashes(data, ends)


SecondProcess, hashes = tree_hashing._SecondProcess, tree_hashing._hashes


@pytest.mark.parametrize("processes", [1, 2])
def test_the_first_bad_place_is_named_though_many_entries_are_looked_at_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    two = TwoProcesses(monkeypatch) if processes == 2 else None
    scans, listed = made(900)
    for broken, spoilt_hash, named in ((20, 700, "entry 20: "), (700, 20, "entry 20 does not")):
        bodies = [*scans[: broken - 1], scans[broken - 1] | {"verdict": "x"}, *scans[broken:]]
        path = written(tmp_path / str(broken), (bodies, listed))
        assert answer(path)[0].startswith(f'entry {broken}: its "verdict" is')  # type: ignore[attr-defined]
        [tile] = path.glob(f"tile/0/{spoilt_hash // 256:03}")
        data = bytearray(tile.read_bytes())
        data[spoilt_hash % 256 * 32] ^= 1
        tile.write_bytes(data)
        assert answer(path)[0].startswith(named)  # type: ignore[attr-defined]
        # A tile behind both that cannot be read is not what is wrong first.
        last = sorted(path.glob("tile/entries/003.p/*"))[0]
        last.write_bytes(last.read_bytes()[:-1])
        assert answer(path)[0].startswith(named)  # type: ignore[attr-defined]
    if two is not None:
        assert len(two.children) == 6
        assert two.hashed_here < 6 * 4 - 6
        assert all(child.returncode is not None for child in two.children)


def test_a_log_is_verified_whatever_becomes_of_the_second_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "one.zip", made(900))
    alone = answer(path)
    two = TwoProcesses(monkeypatch)
    (tmp_path / "hashlib.py").write_text("raise SystemExit")  # a folder that came with a bundle
    monkeypatch.chdir(tmp_path)
    assert answer(path) == alone
    assert two.hashed_here < 4

    def stopped(done: int, _total: int) -> None:
        if done == 256:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(path, Asked(), progress=stopped)
    ask = SecondProcess._ask

    def killed(second: tree_hashing._SecondProcess, entries: Lines) -> tree_hashing.Hashes:
        second._child.kill()
        return ask(second, entries)

    monkeypatch.setattr(SecondProcess, "_ask", killed)
    assert answer(path) == alone
    assert len(two.children) == 3
    assert all(child.returncode is not None for child in two.children)
    monkeypatch.setattr(tree_hashing, "_SecondProcess", SecondProcess)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert answer(path) == alone

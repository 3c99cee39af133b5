"""What is recognised quickly, many lines at a time, is what one by one would be found in them."""

import base64
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pytest

from scanner_station.domain import columns
from scanner_station.domain.card_audit import CardEvent, What
from scanner_station.domain.columns import Lines
from scanner_station.domain.entry import Body, canonical, manifest_line
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import LogAudit
from scanner_station.domain.plain_counts import QuickAudit
from scanner_station.exports.manifest_reading import ListedCards, ManifestReader

TOGETHER = (1, 7, 16, 64, 1000)
PLACES = [
    ("rusak", "Alak"),
    ("pindah datang", "Oebobo"),
    ("", ""),
    ("salah cetak é\u2028", "Kota Lama"),
    ("Oebobo", "rusak"),
    ("invalid", "pindah"),
    ("pindah", "invalid"),
    ('disebut "rusak"', "Alak"),
    ("a\\b", "Maulafa"),
]
NASTY = [b'"', b"\\", b"\n", b"\r", b"\0", b"\xff", b"\xc2\xa0", b"\xed\xa0\x80", b" ", b"0", b"="]
NASTY += [b",", b"{", b"}", b"\xef\xbb\xbf", "\uff11".encode(), b'","x":"', b',"card":"']
SPELLINGS = [
    (b'"piece":1,', [b'"piece":2,', b'"piece":01,', b'"piece":1.0,', b'"piece":true,', b""]),
    (b'"kind":"scan"', [b'"kind":"manual"', b'"kind":"note"', b'"kind":"Scan"', b'"kind":1']),
    (b'"verdict":"counted"', [b'"verdict":"unreadable"', b'"verdict":"not_on_manifest"']),
    (b'"station":"meja-1"', [b'"station":"meja-2"', b'"station":1', b'"station":"meja\\u002d1"']),
    (b'"batch":"kupang"', [b'"batch":"kupanG"', b'"batch":"kupang","batch":"kupang"']),
    (b'"by":"', [b'"by":"","x":"', b'"by":1,"x":"', b'"by":"","card":"']),
    (b'"at":"20', [b'"at":"2x', b'"at": "20', b'"at":"\\u0032\\u0030', b'"au":"20']),
    (b"-12-19T0", [b"-13-19T0", b"-02-31T0", b"-00-19T0", b"-12-32T0", b"-12-19T2", b"-02-28T1"]),
    (b'"symbology":"qr"', [b'"symbology":"aztec"', b'"symbology":""', b'"symbology":"code39"']),
    (b'"by":"petugas"', [b'"by":" "', b'"by":"9971044107900001"', b'"by":"Wati \xe2\x80\xae"']),
    (b'Z","batch"', [b'z","batch"', b'","batch"', b'Z "," batch"']),
    (b'"sequence":', [b'"sequence":0', b'"sequence":-', b'"sequence":1', b'"sequence": ']),
    (b'=","category":"', [b'==","category":"', b'","category":"', b'=","category":"\\u0041']),
    (b'"symbology":"', [b'"symbology":"\\t', b'"symbology":"qr","symbology":"', b'"symbology":0}']),
    (b'}', [b',"zz":1}', b' }', b'}}', b'}\n', b'']),
]  # fmt: skip


def card(number: int) -> str:
    return base64.b64encode(hashlib.sha256(b"%d" % number).digest()).decode()


def entry(sequence: int, **more: int | str) -> bytes:
    body: Body = {
        "at": f"2018-12-19T0{sequence % 10}:02:03.{sequence % 1000:03}Z",
        "batch": "kupang",
        "by": "petugas",
        "sequence": sequence,
        "station": "meja-1",
    }
    return canonical(body | more).encode()


@cache
def scan(sequence: int, place: tuple[str, str], **more: int | str) -> bytes:
    body: Body = {
        "card": card(sequence),
        "category": place[0],
        "district": place[1],
        "kind": "scan",
        "piece": 1,
        "reader": "kamera",
        "symbology": "qr",
        "verdict": "counted",
    }
    return entry(sequence, **(body | more))


def opening() -> bytes:
    more = dict.fromkeys(("software", "sqlite", "title"), "x")
    totals = {"expected": 0, "expected_by_category": "{}"}
    return entry(0, kind="open", manifest_sha256="", nonce="", schemes="nik", **more, **totals)


def repeated(sequence: int) -> bytes:
    body = json.loads(scan(sequence, ("", "")))
    del body["piece"]
    more = {"verdict": "already_counted", "first_batch": "kupang", "first_sequence": 1}
    return canonical(body | more).encode()


def log(dice: random.Random) -> list[bytes]:
    """Return a log in which plain counts of several readers stand among others."""
    entries = [opening()]
    while len(entries) < 110:  # so that their numbers have one, two and three digits
        sequence = len(entries)
        place = dice.choice(PLACES)
        match dice.randrange(15):
            case 3:
                one = scan(sequence, place, kind="manual")
            case 6:
                one = repeated(sequence)
            case 9:
                one = scan(sequence, place, symbology="code128", by='Wati "W"')
            case 10:
                one = scan(sequence, place, by="kamera", reader="petugas")
            case 11:
                one = scan(sequence, place, symbology="code128", reader="meja", by="wati")
            case 12:
                one = scan(sequence, place, card=card(sequence - 1))
            case _:
                one = scan(sequence, place)
        entries.append(one)
    figure = sum(counted(one) for one in entries)
    typed = sum(b'"manual"' in one for one in entries)
    entries.append(entry(110, kind="agree", by="lain", number=typed))
    entries.append(entry(111, kind="pause", figure=figure))
    entries.append(entry(112, kind="resume", figure=figure))
    return entries + [scan(number, PLACES[0]) for number in range(113, 120)]


def counted(one: bytes) -> bool:
    return b'"verdict":"counted"' in one


Answer = tuple[object, ...]


def answered(audit: LogAudit, events: Sequence[CardEvent]) -> Answer:
    rows = {key: row for key, row in audit.tally.rows.items() if any(row)}
    return audit.size, rows, audit.custody, sorted(events)


def quickly(entries: Sequence[bytes], together: int) -> Answer:
    audit, events = LogAudit(), list[CardEvent]()
    quick = QuickAudit(audit)
    try:
        for some in in_blocks(entries, together):
            plain, others = quick.take(lines(some))
            events += others
            for code, sequence, place in plain.tolist():
                what = (code.decode(), sequence, What.COUNTED, 1, *quick.places[place], -1)
                events.append(CardEvent(*what))
    except VerificationError as error:
        return (str(error),)
    return answered(audit, events)


def one_by_one(entries: Sequence[bytes]) -> Answer:
    audit, events = LogAudit(), list[CardEvent]()
    try:
        for one in entries:
            event = audit.take(one.decode())
            events += [event] if event else []
    except UnicodeDecodeError:
        return (f"entry {audit.size}: it is not text",)
    except VerificationError as error:
        return (f"entry {audit.size}: {error}",)
    return answered(audit, events)


def lines(some: Sequence[bytes]) -> Lines:
    ends = np.cumsum([len(one) for one in some])
    starts = np.concatenate([[0], ends[:-1]])
    return Lines(np.frombuffer(b"".join(some), np.uint8), starts, ends)


def in_blocks(entries: Sequence[bytes], together: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(entries), together):
        yield entries[start : start + together]


def spoilt(line: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(line))
    match dice.randrange(9):
        case 6:  # no sequence at all
            return re.sub(rb',"sequence":\d+,', dice.choice([b"\n", b",", b""]), line)
        case 0:
            return line[:at] + bytes([line[at] ^ 1 << dice.randrange(8)]) + line[at + 1 :]
        case 1:
            return line[:at] + line[at + 1 :]
        case 2:
            return line[:at] + dice.choice(NASTY) + line[at + dice.randrange(2) :]
        case 3:
            return line[:at] + line[at : at + 1] + line[at:]
        case 4:
            other = dice.randrange(len(line))
            return line[: min(at, other)] + line[max(at, other) :]
        case 5:  # the last digit of a card, of which two bits are unused
            last = max(line.find(b'=","cat') - 1, 0)
            return line[:last] + dice.choice([b"A", b"B", b"+", b"=", b"k"]) + line[last + 1 :]
        case _:
            right, wrong = dice.choice(SPELLINGS)
            return line.replace(right, dice.choice(wrong), dice.choice((1, 1, -1)))


def changed(lines: Sequence[bytes], dice: random.Random) -> list[bytes]:
    some = list(lines)
    place = dice.randrange(len(some))
    match dice.randrange(8):
        case 0:
            del some[place]
        case 1:
            some.insert(place, some[place])
        case 2:
            other = dice.randrange(len(some))
            some[place], some[other] = some[other], some[place]
        case _:
            some[place] = spoilt(some[place], dice)
    if dice.randrange(4) == 0:  # the first of two is named
        place = dice.randrange(len(some))
        some[place] = spoilt(some[place] or b"{", dice)
    return some


@pytest.mark.parametrize("together", TOGETHER)
def test_a_log_comes_to_the_same_quickly_and_one_by_one(together: int) -> None:
    for seed in range(6):
        entries = log(random.Random(seed))
        answer = quickly(entries, together)
        assert answer == one_by_one(entries)
        assert answer[0] == len(entries)
        quick = QuickAudit(LogAudit())
        plain = sum(len(quick.take(lines(some))[0]) for some in in_blocks(entries, together))
        assert plain == sum(
            b'"scan"' in one and counted(one) and b"\\" not in one for one in entries
        )


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_log_is_refused_in_the_same_words_quickly_and_one_by_one(seed: int) -> None:
    dice = random.Random(5371 + seed)
    refused = 0
    for number in range(400):
        if number % 20 == 0:
            entries = log(dice)
        some = changed(entries, dice)
        answer = one_by_one(some)
        assert quickly(some, dice.choice(TOGETHER[2:])) == answer, (seed, number)
        refused += len(answer) == 1
    assert 250 < refused < 400  # some changes are another log's: the tree is there for those


@pytest.mark.parametrize("same", [True, False], ids=["one_number", "many_numbers"])
@pytest.mark.parametrize("most", [3, 100])
def test_texts_are_not_taken_for_others_of_the_same_number_or_forgotten_ones(
    monkeypatch: pytest.MonkeyPatch, most: int, same: bool
) -> None:
    entries = log(random.Random(1))
    monkeypatch.setattr(columns, "_MOST_TEXTS", most)
    if same:
        monkeypatch.setattr(columns, "_FACTORS", np.zeros_like(columns._FACTORS))
    assert all(quickly(entries, together) == one_by_one(entries) for together in TOGETHER)


@pytest.mark.parametrize("kind", ["pause", "cancel"])
def test_plain_counts_behind_a_closed_or_paused_log_are_refused_in_words(kind: str) -> None:
    more = {"pause": {"figure": 4}, "cancel": {"reason": "x", "seconded_by": "b"}}[kind]
    before = [opening(), *(scan(number, PLACES[0]) for number in range(1, 5))]
    behind = [scan(number, PLACES[0]) for number in range(6, 9)]
    some = [*before, entry(5, kind=kind, **more), *behind]
    [why] = one_by_one(some)
    assert str(why).startswith("entry 6: the batch ")
    assert all(quickly(some, together) == (why,) for together in TOGETHER)


def test_no_byte_of_a_plain_count_is_passed_over() -> None:
    # All alike but one, in which one byte is another: at every place, borders of fields included.
    line = scan(11, PLACES[0])
    others = [
        line[:place] + bytes([other]) + line[place + 1 :]
        for place in range(len(line))
        for other in {*b'"\\0236:=/A\n\xff', line[place] ^ 1} - {line[place]}
    ]
    code = card(11).encode()
    others += [line.replace(code, b"=" + b"A" * 43), line.replace(code, b"=" * 44)]
    for other in others:
        assert_same_among_others(11, other)
    line = scan(20, PLACES[0])
    for wrong in (b":1:,", b":020,", b":21,", b":2,"):  # the colon comes behind the nine
        assert_same_among_others(20, line.replace(b":20,", wrong))


def assert_same_among_others(number: int, one: bytes) -> None:
    some = [opening(), *(scan(before, PLACES[0]) for before in range(1, number))]
    some += [one, *(scan(behind, PLACES[0]) for behind in range(number + 1, number + 3))]
    assert quickly(some, 1000) == one_by_one(some), one


class OneByOne(ManifestReader):
    """Looks at each line by itself."""

    def _read_alike(self, block: bytes) -> None:
        """Recognise nothing."""


def manifest() -> list[bytes]:
    cards = sorted(card(number) for number in range(60))
    # Two categories are long, and the same but for their ends.
    names = [*(category for category, _ in PLACES), "x" * 600 + "a", "x" * 600 + "b"]
    return [
        manifest_line(one, names[number % len(names)], 1 + (number % 9 == 0))
        for number, one in enumerate(cards)
    ]


def read(reader: type[ManifestReader], lines: Sequence[bytes]) -> Answer:
    one = reader(iter([b"".join(some) for some in in_blocks(lines, 16)]))
    try:
        parts = [one.part(bytes(first)) for first in (range(70), range(70, 128))]
        return [listed(one, part) for part in parts], one.expected
    except VerificationError as error:
        return (str(error),)


def listed(reader: ManifestReader, part: ListedCards) -> list[tuple[bytes, str, int]]:
    cards, categories, pieces = (column.tolist() for column in part)
    names = [reader.categories[number] for number in categories]
    return list(zip(cards, names, pieces, strict=True))


def test_a_spoilt_manifest_is_refused_in_the_same_words_quickly_and_line_by_line() -> None:
    dice = random.Random(1971)
    lines = manifest()
    whole = read(ManifestReader, lines)
    assert whole == read(OneByOne, lines)
    assert sum(map(len, whole[0])) == len(lines)  # type: ignore[call-overload]  # two parts
    refused = 0
    for number in range(1000):
        some = changed(lines, dice)
        answer = read(ManifestReader, some)
        assert answer == read(OneByOne, some), number
        refused += len(answer) == 1
    assert 600 < refused < 1000

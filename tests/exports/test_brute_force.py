"""Who has a public bundle and tries every number there can be finds nobody in it."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from scanner_station.domain.entry import canonical, card_salt, commitment_of
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, verify
from tests.exports.forging import forge, taken_apart
from tests.exports.sealed_logs import SLUG, cosign, export, fill_with_every_kind, made_station
from tests.service.stations import nik

CARDS = 60
PLAUSIBLE = [nik(number) for number in (*range(2000), *range(900_000, 900_800))]
"""Of one district and two birthdays, which a neighbour knows, far more serials than are given;
those of the strangers that the log sets aside and adds are among them."""

SAID = {"by", "category", "district", "reader", "seal_number", "label", "lot", "key", "witness"}
"""What entries say again and again."""

Try = Callable[[str], str]


class Published:
    """A bundle that anybody can have, and one card's receipt, which its owner may show around."""

    def __init__(self, folder: Path) -> None:
        station = made_station(folder / "data", folder, CARDS)
        fill_with_every_kind(station, CARDS - 10)
        cosign(station)
        self.bundle = export(station, folder / "bundle")
        with station.transaction() as connection:
            receipt = make_receipt(connection, SLUG, station.key, nik(5).encode())
        self.salt = receipt.salt
        station.close()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("published"))


def words_in(bundle: Path) -> set[str]:
    """Return every run of letters and digits that stands in any file, and every code in base64."""
    data = b"\n".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    found = re.findall(rb"[A-Za-z0-9]{16,}", data)
    found += re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", data)
    hashes = b"".join(
        path.read_bytes() for path in bundle.glob("tile/[0-9]*/**/*") if path.is_file()
    )
    return {word.decode() for word in found} | {
        base64.b64encode(hashes[start : start + 32]).decode() for start in range(0, len(hashes), 32)
    }


def known_secrets(bundle: Path) -> Iterator[bytes]:
    """Yield what a careless program might have taken for the secret: all that is public."""
    entries, manifest, origin = taken_apart(bundle)
    bodies = [json.loads(entry) for entry in entries]
    checkpoint, policy = ((bundle / name).read_text() for name in ("checkpoint", "policy"))
    keys = [
        base64.b64decode(line.split("+", 2)[2])  # base64 may hold a plus, too
        for line in policy.split("\n")
        if line.startswith(("log", "witness"))
    ]
    texts = {origin, *checkpoint.split("\n"), *map(str, bodies[0].values())}
    texts |= {str(body[name]) for body in bodies for name in SAID & body.keys()}
    for text in sorted(texts):
        yield text.encode()
        yield hashlib.sha256(text.encode()).digest()
    yield from (b"", bytes(16), bytes(32), *keys, *(key[1:] for key in keys))
    yield base64.b64decode(checkpoint.split("\n")[2])
    yield hashlib.sha256(manifest).digest()
    yield hashlib.sha256(b"\0" + entries[0]).digest()


def ways(bundle: Path) -> Iterator[Try]:
    """Yield ways in which a number could have become a word of the bundle."""
    for name in ("md5", "sha1", "sha256"):
        yield lambda number, name=name: hashlib.new(name, number.encode()).hexdigest()
        yield lambda number, name=name: base64.b64encode(
            hashlib.new(name, number.encode()).digest()
        ).decode()
    yield str
    for secret in known_secrets(bundle):
        yield lambda number, secret=secret: commitment_of(secret[:16], number)
        yield lambda number, secret=secret: commitment_of(card_salt(secret, number), number)
        yield lambda number, secret=secret: base64.b64encode(
            hmac.digest(secret, number.encode(), "sha256")
        ).decode()
        yield lambda number, secret=secret: base64.b64encode(
            hashlib.sha256(secret + number.encode()).digest()
        ).decode()


def found_in(bundle: Path, numbers: Sequence[str] = PLAUSIBLE) -> set[str]:
    """Return the numbers that somebody finds who tries all of them in every way."""
    words = words_in(bundle)
    return {number for way in ways(bundle) for number in numbers if way(number) in words}


def unsalted(published: Published, folder: Path) -> Path:
    """The same log with cards that are hashed without a secret, as a careless program does it."""
    entries, manifest, origin = taken_apart(published.bundle)
    cards = sorted({json.loads(line)["card"] for line in manifest.splitlines()})
    bare = dict(zip(cards, (commitment_of(b"", nik(n)) for n in range(CARDS)), strict=True))
    lines = sorted(
        canonical(json.loads(line) | {"card": bare[json.loads(line)["card"]]})
        for line in manifest.splitlines()
    )
    bodies = [json.loads(entry) for entry in entries]
    changed = [
        body | ({"card": bare[body["card"]]} if body.get("card") in bare else {}) for body in bodies
    ]
    path = folder / "unsalted"
    data = "".join(f"{line}\n" for line in lines).encode()
    changed[0]["manifest_sha256"] = hashlib.sha256(data).hexdigest()
    return forge(path, [canonical(body).encode() for body in changed], data, origin=origin)


@pytest.mark.slow
def test_every_plausible_number_is_tried_in_every_way_and_none_is_found(
    published: Published,
) -> None:
    assert found_in(published.bundle) == set()


@pytest.mark.slow
def test_the_same_search_finds_everybody_in_a_log_without_salts(
    published: Published, tmp_path: Path
) -> None:
    bundle = unsalted(published, tmp_path)
    verify(bundle, Asked())
    few = PLAUSIBLE[: 5 * CARDS]  # enough to see that it finds, and finds no others
    assert found_in(bundle, few) == {nik(number) for number in range(CARDS)}


def test_the_salt_on_a_receipt_opens_that_card_and_no_other(published: Published) -> None:
    words = words_in(published.bundle)
    opened = [one for one in PLAUSIBLE if commitment_of(published.salt, one) in words]
    assert opened == [nik(5)]

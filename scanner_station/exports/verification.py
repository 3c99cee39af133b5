"""The verifier of a bundle: needs nothing but files, trusts nobody but the keys it is given.

Every file but the README must be, byte for byte, what a station would write from the entries and
the signatures. The first place where it is not is named.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner_station.domain import tiles
from scanner_station.domain.checkpoint import (
    SignedHead,
    check_cosignature,
    check_log_signature,
)
from scanner_station.domain.entry import Kind
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import LogAudit
from scanner_station.domain.note import VerifierKey
from scanner_station.domain.paper_head import PaperHead, earlier_head
from scanner_station.domain.plain_counts import QuickAudit
from scanner_station.domain.policy import Policy
from scanner_station.domain.receipt import Receipt
from scanner_station.exports import bundle
from scanner_station.exports.bundle_files import Reading, opened
from scanner_station.exports.card_store import CardStore
from scanner_station.exports.card_verification import CardTotals, FindOpenings, check_cards
from scanner_station.exports.receipts import check_receipt
from scanner_station.exports.tree_verification import TreeReader

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to hold a bundle against, each as the bytes of a file; None for nothing.

    `policy`: keys from outside. `against`: a signed head or a paper code that somebody kept.
    `identifier`: the card that `receipt` should be for, '' when it is not known. `openings`: the
    file, or what finds it by the first card of the bundle. `counted` is told the number of each
    card that is counted at the end, where there are openings. `sizes`: at which the root is wanted.
    """

    policy: bytes | None = None
    against: bytes | None = None
    receipt: bytes | None = None
    identifier: str = ""
    openings: Path | FindOpenings | None = None
    counted: Callable[[str], None] = lambda _: None
    sizes: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found in a bundle in which nothing is wrong.

    `witnesses`: those whose signatures on the head were checked and whose keys are trusted;
    `named`: how many the log names. `log`: the key that was trusted for the log. `signed_at_s`:
    when those witnesses say they signed, in seconds since 1970, by name.
    """

    head: SignedHead
    log: VerifierKey
    is_trusted_from_outside: bool
    witnesses: tuple[VerifierKey, ...]
    named: int
    title: str
    closed_by: str
    has_manifest: bool
    totals: CardTotals
    audit: LogAudit
    roots: dict[int, bytes]
    signed_at_s: dict[str, int]
    against_size: int | None = None
    receipt_index: int | None = None
    receipt_is_of_card: bool = False
    opened: int | None = None


def verify(path: Path, asked: Asked, *, progress: Progress | None = None) -> Verified:
    """Check a bundle (a folder or a zip file) and whatever it is to be held against.

    Raises:
        VerificationError: something was changed or is not what it should be; the first place.
    """
    with opened(path) as files:
        verifier = _Verifier(files, asked, progress or (lambda _done, _total: None))
        try:
            return verifier.run()
        finally:
            verifier.close()


@contextmanager
def at(place: str) -> Iterator[None]:
    """Say where, when what is done in the block is refused."""
    try:
        yield
    except VerificationError as error:
        raise VerificationError("%(place)s: %(why)s", place=place, why=error) from error


class _Verifier:
    def __init__(self, files: Reading, asked: Asked, progress: Progress) -> None:
        self._files = files
        self._asked = asked
        self._progress = progress
        self._audit = LogAudit()
        self._quick = QuickAudit(self._audit)
        self._cards = CardStore(0)
        self._roots: dict[int, bytes] = {}
        self._kept_entry = b""
        self._watched = ""

    def close(self) -> None:
        self._cards.close()

    def run(self) -> Verified:
        head = self._files.read(bundle.CHECKPOINT)
        with at(bundle.CHECKPOINT):
            self._head = SignedHead.parse(head)
        self._trust()
        with at(bundle.CHECKPOINT):
            check_log_signature(self._head, self._log)
        self._size = self._head.checkpoint.size
        self._require_names()
        self._cards = CardStore(self._size)
        self._parse_asked()
        self._read_entries()
        with at(bundle.CHECKPOINT):
            witnesses = self._check_signatures(self._head)
        trusted = self._check_policies(witnesses)
        against_size = self._check_against()
        totals, opened_cards = self._check_cards()
        self._require_still_counted(totals)
        return Verified(
            head=self._head,
            log=self._log,
            is_trusted_from_outside=self._asked.policy is not None,
            witnesses=trusted,
            named=len(self._audit.witnesses),
            title=str(self._audit.opening.get("title", "")),
            closed_by=self._audit.closed_by,
            has_manifest=self._audit.has_manifest,
            totals=totals,
            audit=self._audit,
            roots=self._roots,
            signed_at_s={key.name: witnesses[key] for key in trusted},
            against_size=against_size,
            receipt_index=self._receipt.index if self._receipt else None,
            receipt_is_of_card=bool(self._receipt and self._asked.identifier),
            opened=opened_cards,
        )

    # --- keys and files --------------------------------------------------------------------

    def _trust(self) -> None:
        self._policy_text = self._files.read(bundle.POLICY)
        with at(bundle.POLICY):
            own = Policy.parse(self._policy_text)
        origin = self._head.checkpoint.origin
        if self._asked.policy is None:
            self._policy, place = own, bundle.POLICY
        else:
            place = "the policy from outside"
            with at(place):
                self._policy = Policy.parse(self._asked.policy)
        keys = [key for key in self._policy.logs if key.name == origin]
        if not keys:
            raise VerificationError(
                "%(place)s: it holds no key of the log %(origin)s", place=place, origin=origin
            )
        signer = self._head.note.signatures[0]
        self._log = next((key for key in keys if signer.is_by(key)), keys[0])

    def _require_names(self) -> None:
        found = self._files.names
        # Counted before they are listed: a forged size would name files without end.
        if not 0 < self._size <= len(found) * tiles.WIDTH:
            raise VerificationError(
                "the files of a log of %(size)s entries are not there", size=self._size
            )
        expected = list(bundle.names_of(self._size, has_manifest=bundle.MANIFEST in found))
        if bundle.README in found:
            # It may say anything, but an archive around it is as strict as around the others.
            self._files.read(bundle.README)
        else:
            expected.remove(bundle.README)
        for name in _without(expected, found):
            raise VerificationError("%(name)s is missing", name=name)
        for name in _without(found, expected):
            raise VerificationError(
                "%(name)s does not belong here; delete it if your own computer put it there, as "
                ".DS_Store or Thumbs.db",
                name=name,
            )
        if self._files.is_ordered and found != expected:
            raise VerificationError("the files in the archive are not in their order")

    def _parse_asked(self) -> None:
        self._against: SignedHead | PaperHead | None = None
        self._receipt: Receipt | None = None
        if self._asked.against is not None:
            with at("the earlier head"):
                self._against = earlier_head(self._asked.against)
        if self._asked.receipt is not None:
            with at("the receipt"):
                self._receipt = Receipt.parse(self._asked.receipt)
        self._watched_sizes = {
            size
            for size in (
                self._against.checkpoint.size if isinstance(self._against, SignedHead) else None,
                self._against.size if isinstance(self._against, PaperHead) else None,
                self._receipt.head.checkpoint.size if self._receipt else None,
            )
            if size is not None
        } | self._asked.sizes

    # --- entries ---------------------------------------------------------------------------

    def _read_entries(self) -> None:
        reader = TreeReader(
            self._files,
            self._size,
            watched_sizes=self._watched_sizes,
            kept_index=self._receipt.index if self._receipt else -1,
            progress=lambda done: self._progress(done, 2 * self._size),
        )
        for entries in reader.read():
            self._cards.add(*self._quick.take(entries))
        if reader.root != self._head.checkpoint.root:
            raise VerificationError(
                "%(place)s: the entries do not have the root that was signed; one of them was "
                "changed together with its tile",
                place=bundle.CHECKPOINT,
            )
        self._roots, self._kept_entry = reader.roots, reader.kept_entry
        if self._audit.has_manifest != (bundle.MANIFEST in self._files.names):
            raise VerificationError(
                "%(name)s is %(what)s, but the log's first entry says otherwise",
                name=bundle.MANIFEST,
                what="missing" if self._audit.has_manifest else "there",
            )
        if self._audit.origin != self._head.checkpoint.origin:
            raise VerificationError("entry 0: it opens another log than the one that is signed")

    # --- signatures ------------------------------------------------------------------------

    def _check_signatures(self, head: SignedHead) -> dict[VerifierKey, int]:
        # Returns who signed it, and when, in seconds.
        names = [line.name for line in head.note.signatures[1:]]
        if names != sorted(names):
            raise VerificationError("the witnesses' lines are not in their order")
        known = self._audit.witnesses + list(self._policy.witnesses.values())
        signed: dict[VerifierKey, int] = {}
        for line in head.note.signatures[1:]:
            key = next((one for one in known if line.is_by(one)), None)
            if key is None:
                raise VerificationError(
                    "the line of %(name)s is by nobody whom the log or the policy names",
                    name=line.name,
                )
            signed[key] = check_cosignature(head.checkpoint, line, key)
        return signed

    def _check_policies(self, signed: Collection[VerifierKey]) -> tuple[VerifierKey, ...]:
        expected = bundle.policy_of(self._head, self._log, self._audit.witnesses)
        if self._policy_text != expected:
            raise VerificationError(
                "%(place)s: it does not hold the keys that the log names, or a signature that it "
                "asks for was taken off",
                place=bundle.POLICY,
            )
        names = {name for name, key in self._policy.witnesses.items() if key in signed}
        if not self._policy.is_met_by(names):
            raise VerificationError(
                "%(place)s: the policy asks for more witnesses than the %(count)s of its own that "
                "signed",
                place=bundle.CHECKPOINT,
                count=len(names),
            )
        return tuple(self._policy.witnesses[name] for name in sorted(names))

    def _check_against(self) -> int | None:
        if self._receipt is not None:
            with at("the receipt"):
                self._check_earlier(self._receipt.head)
                self._watched = check_receipt(
                    self._receipt, self._kept_entry, self._asked.identifier
                )
        if isinstance(self._against, SignedHead):
            with at("the earlier head"):
                self._check_earlier(self._against)
            return self._against.checkpoint.size
        if isinstance(self._against, PaperHead):
            with at("the earlier head"):
                root = self._root_at(self._against.size)
            if not root.startswith(self._against.root_start):
                raise _rewritten("the earlier head", self._against.size)
            return self._against.size
        return None

    def _require_still_counted(self, totals: CardTotals) -> None:
        # What a receipt proves is that its card is in the sum, not that it once was.
        if self._receipt is None:
            return
        if self._audit.closed_by == Kind.CANCEL:
            raise VerificationError(
                "the receipt: the batch was cancelled, so none of its cards is counted"
            )
        if not totals.watched:
            raise VerificationError(
                "the receipt: entry %(index)s put the card to the count, but it was taken back "
                "later and is not counted",
                index=self._receipt.index,
            )

    def _check_earlier(self, head: SignedHead) -> None:
        if head.checkpoint.origin != self._head.checkpoint.origin:
            raise VerificationError(
                "it is of the log %(other)s, and the bundle is of the log %(origin)s",
                other=head.checkpoint.origin,
                origin=self._head.checkpoint.origin,
            )
        check_log_signature(head, self._log)
        self._check_signatures(head)
        if self._root_at(head.checkpoint.size) != head.checkpoint.root:
            raise _rewritten("this head", head.checkpoint.size)

    def _root_at(self, size: int) -> bytes:
        if size not in self._roots:
            raise VerificationError(
                "it is of %(size)s entries, and the bundle has %(have)s: ask for the bundle of "
                "the whole log",
                size=size,
                have=self._size,
            )
        return self._roots[size]

    # --- cards -----------------------------------------------------------------------------

    def _check_cards(self) -> tuple[CardTotals, int | None]:
        has_manifest, openings = self._audit.has_manifest, self._asked.openings
        digest = hashlib.sha256()
        blocks = self._manifest_blocks(digest) if has_manifest else iter(())
        try:
            totals, expected = check_cards(
                self._cards,
                blocks,
                (lambda _: openings) if isinstance(openings, Path) else openings,
                counted=self._asked.counted,
                places=self._quick.places,
                has_manifest=has_manifest,
                watched=self._watched,
                progress=lambda done: self._progress(
                    self._size + min(done, self._size), 2 * self._size
                ),
            )
        finally:  # that it is another file comes before what is wrong in it
            deque(blocks, maxlen=0)
            if has_manifest and digest.hexdigest() != self._audit.opening["manifest_sha256"]:
                raise VerificationError(
                    "%(name)s: it is not the file whose digest the log opens with",
                    name=bundle.MANIFEST,
                )
        totals.add_up(self._audit, expected)
        self._progress(2 * self._size, 2 * self._size)
        return totals, totals.opened

    def _manifest_blocks(self, digest: "hashlib._Hash") -> Iterator[bytes]:
        # Each is read once, so that none can be another one for the digest than for the cards.
        for block in self._files.blocks(bundle.MANIFEST):
            digest.update(block)
            yield block
            if not block.endswith(b"\n"):  # and so no line's end, however long it goes on
                return


def _without(names: list[str], others: list[str]) -> list[str]:
    there = set(others)
    return [name for name in names if name not in there]


def _rewritten(what: str, size: int) -> VerificationError:
    return VerificationError(
        "the log does not begin with the %(size)s entries of %(what)s: it was rewritten after "
        "that head was signed, or this is another log",
        size=size,
        what=what,
    )

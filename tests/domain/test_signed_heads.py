"""Notes, heads, cosignatures, paper codes, policies and receipts, to the byte."""

import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain import merkle
from scanner_station.domain.checkpoint import (
    Checkpoint,
    SignedHead,
    check_cosignature,
    check_log_signature,
    cosignature,
    log_key,
    signed_head,
    witness_key,
)
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.note import Note, VerifierKey
from scanner_station.domain.paper_head import PaperHead
from scanner_station.domain.policy import Policy, policy_of_bundle
from scanner_station.domain.receipt import Receipt

# The example of Go's package golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
).encode()
# The example of c2sp.org/tlog-cosignature.
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2"
    "q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()

ORIGIN = "kupang-1/desember-2018"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESSES = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(3)]
HEAD = Checkpoint(origin=ORIGIN, size=25_000, root=bytes(range(32)))


def named(number: int) -> VerifierKey:
    return witness_key(f"saksi-{number}", WITNESSES[number])


def cosigned() -> SignedHead:
    head = signed_head(HEAD, KEY)
    for number in (0, 1):
        head = head.with_signature(
            cosignature(HEAD, f"saksi-{number}", WITNESSES[number], time_s=1_545_181_200 + number)
        )
    return head


def flips(data: bytes) -> list[bytes]:
    """Return the data with each of its bits changed."""
    return [
        data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        for place in range(len(data))
        for bit in range(8)
    ]


def test_a_published_note_and_key_are_read_and_written_back() -> None:
    key, note = VerifierKey.parse(NEUMANN), Note.parse(NOTE)
    assert (key.text, bytes(note)) == (NEUMANN, NOTE)
    assert note.signatures[0].is_by(key)
    key.check(note.text.encode(), note.signatures[0].data)
    with pytest.raises(VerificationError, match="PeterNeumann"):
        key.check(note.text.encode() + b" ", note.signatures[0].data)


def test_a_published_cosigned_head_is_read_and_written_back() -> None:
    head = SignedHead.parse(COSIGNED)
    assert bytes(head) == COSIGNED
    assert (head.checkpoint.origin, head.checkpoint.size) == (
        "example.com/behind-the-sofa",
        20_852_163,
    )


def test_the_same_head_signed_again_is_the_same_bytes() -> None:
    assert bytes(signed_head(HEAD, KEY)) == bytes(signed_head(HEAD, KEY))


def test_a_head_tells_who_signed_it_and_when() -> None:
    head = SignedHead.parse(bytes(cosigned()))
    check_log_signature(head, log_key(ORIGIN, KEY))
    line = head.note.signatures[1]
    assert check_cosignature(HEAD, line, named(0)) == 1_545_181_200
    with pytest.raises(VerificationError):
        check_cosignature(HEAD, line, named(1))
    with pytest.raises(VerificationError):
        check_log_signature(head, log_key(ORIGIN, WITNESSES[0]))
    with pytest.raises(VerificationError):
        check_log_signature(head, log_key("kupang-2/desember-2018", KEY))


def test_a_log_key_is_no_witness_and_a_witness_no_log() -> None:
    as_log = VerifierKey(name="saksi-0", type=named(0).type.ED25519, public_key=b"\1" * 32)
    with pytest.raises(VerificationError):
        check_cosignature(HEAD, cosigned().note.signatures[1], as_log)


def _accepts(data: bytes) -> bool:
    try:
        head = SignedHead.parse(data)
        check_log_signature(head, log_key(ORIGIN, KEY))
        for number, line in enumerate(head.note.signatures[1:]):
            check_cosignature(head.checkpoint, line, named(number))
    except VerificationError:
        return False
    return len(head.note.signatures) == 3


def test_no_bit_of_a_signed_head_can_be_changed() -> None:
    data = bytes(cosigned())
    assert _accepts(data)
    changed = random.Random(5371).sample(flips(data), 600)
    assert not [one for one in changed if _accepts(one)]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n25000\n", "\n025000\n"),
        lambda text: text.replace("\n25000\n", "\n+25000\n"),
        lambda text: text.replace("\n25000\n", "\n\uff125000\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: " " + text,
        lambda text: text.replace("\n\n", "\nan extension\n\n"),
        lambda text: text.replace("\n\n", "\n\n\n"),
        lambda text: text.replace("— saksi-0 ", "- saksi-0 "),
        lambda text: text.replace("— saksi-0 ", "— saksi-0  "),
        lambda text: text + text.splitlines()[-1] + "\n",
        lambda text: text.replace("AAECAwQF", "AAECAwQ="),
    ],
)
def test_a_head_has_one_spelling(change) -> None:
    text = bytes(cosigned()).decode()
    assert change(text) != text
    assert not _accepts(change(text).encode())


def test_unused_bits_of_base64_must_be_zero() -> None:
    text = bytes(cosigned()).decode()
    root = text.split("\n")[2]
    other = root[:-2] + chr(ord(root[-2]) + 1) + "="
    with pytest.raises(VerificationError):
        SignedHead.parse(text.replace(root, other).encode())


@pytest.mark.parametrize(
    "text",
    [
        NEUMANN.replace("c74f20a3", "C74F20A3"),
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN + "\n",
        NEUMANN[:-1],
        "+" + NEUMANN,
        "",
    ],
)
def test_a_key_has_one_spelling(text: str) -> None:
    with pytest.raises(VerificationError):
        VerifierKey.parse(text)


def test_a_paper_head_survives_being_copied_by_hand() -> None:
    head = PaperHead.of(HEAD.size, HEAD.root)
    assert len(head.text) == len("25000 ") + 27 + 6
    assert PaperHead.parse(head.text) == head
    by_hand = head.text.lower().replace("0", "o").replace("25ooo", "25.000").replace("1", "l")
    assert PaperHead.parse(f" {by_hand}\n") == head


def test_a_paper_head_with_one_wrong_character_is_refused() -> None:
    text = PaperHead.of(HEAD.size, HEAD.root).text
    for place, character in enumerate(text):
        for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            changed = text[:place] + other + text[place + 1 :]
            if character in " -" or other == character or (place < 5 and not other.isdigit()):
                continue
            with pytest.raises(VerificationError):
                PaperHead.parse(changed)
    for shorter in (text[:-1], text[1:], text.split(" ")[1], text + "0"):
        with pytest.raises(VerificationError):
            PaperHead.parse(shorter)


def test_a_policy_says_who_must_have_signed() -> None:
    log = log_key(ORIGIN, KEY)
    lines = [
        "# whom we trust",
        f"log {log.text} https://example.org/log",
        *(f"witness w{number} {named(number).text}" for number in range(3)),
        "\tgroup  press any w1 w2",
        "group both all w0 press",
        "",
        "quorum both",
    ]
    policy = Policy.parse(("\n".join(lines) + "\n").encode())
    assert policy.logs == [log]
    assert policy.is_met_by({"w0", "w2"})
    assert not policy.is_met_by({"w1", "w2"})
    assert not policy.is_met_by(set())


def test_the_policy_of_a_bundle_is_a_policy() -> None:
    log, keys = log_key(ORIGIN, KEY), [named(0), named(1), named(2)]
    signed = Policy.parse(policy_of_bundle(log, keys, keys[:2]))
    assert signed.is_met_by({"saksi-0", "saksi-1"})
    assert not signed.is_met_by({"saksi-0", "saksi-2"})
    assert Policy.parse(policy_of_bundle(log, keys, [])).is_met_by(set())


@pytest.mark.parametrize(
    "line",
    [
        "quorum w9",
        "quorum none\nquorum none",
        "witness w0 {w1}\nquorum none",
        "witness w1 {w0}\nquorum none",
        "witness none {w1}\nquorum none",
        "witness w1 {log}\nquorum none",
        "log {w1}\nquorum none",
        "log {log}\nquorum none",
        "group g 2 w0\nquorum g",
        "group g 0 w0\nquorum g",
        "group g any\nquorum none",
        "group g any w0 w0\nquorum g",
        "group g any w0\ngroup h any w0\nquorum h",
        "group g any none\nquorum g",
        "group g any g\nquorum g",
        "trust everybody\nquorum none",
        "quorum none\r",
        "",
    ],
)
def test_what_is_no_policy_is_refused(line: str) -> None:
    keys = {"log": log_key(ORIGIN, KEY).text, "w0": named(0).text, "w1": named(1).text}
    start = f"log {keys['log']}\nwitness w0 {keys['w0']}\n"
    with pytest.raises(VerificationError):
        Policy.parse((start + line.format(**keys) + "\n").encode())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "\ufeff" + text, "begins with a byte order mark"),
        (lambda text: text.replace("\n", "\r\n"), "its lines end as on Windows"),
        (lambda text: text[:-1], "last line"),
    ],
    ids=["byte_order_mark", "windows", "no_last_line_end"],
)
def test_what_another_program_has_done_to_a_file_is_said(
    change: Callable[[str], str], said: str
) -> None:
    receipt = bytes(_receipt()[0]).decode()
    policy = policy_of_bundle(log_key(ORIGIN, KEY), [], []).decode()
    head = bytes(signed_head(Checkpoint(origin=ORIGIN, size=1, root=bytes(32)), KEY)).decode()
    parsers = ((Receipt, receipt), (Policy, policy), (SignedHead, head))
    for parser, text in parsers:
        with pytest.raises(VerificationError, match=said):
            parser.parse(change(text).encode())


def _receipt() -> tuple[Receipt, bytes]:
    entries = [b"entry %d" % number for number in range(300)]
    edge = merkle.Frontier()
    packed = [edge.append(merkle.leaf_hash(entry)) for entry in entries]

    def nodes(height: int, index: int) -> bytes:
        leaf, part = merkle.packed_place(height, index)
        return packed[leaf][part]

    head = Checkpoint(origin=ORIGIN, size=300, root=merkle.root_of(300, nodes))
    receipt = Receipt(
        salt=bytes(range(16)),
        index=77,
        path=tuple(merkle.inclusion_proof(77, 300, nodes)),
        head=signed_head(head, KEY),
    )
    return receipt, entries[77]


def test_a_receipt_proves_its_entry_and_no_other() -> None:
    receipt, entry = _receipt()
    again = Receipt.parse(bytes(receipt))
    assert again == receipt
    again.check_entry(entry)
    with pytest.raises(VerificationError):
        again.check_entry(b"entry 78")


def test_no_bit_of_a_receipt_but_its_salt_can_be_changed() -> None:
    receipt, entry = _receipt()

    def accepts(data: bytes) -> bool:
        try:
            again = Receipt.parse(data)
            again.check_entry(entry)
            check_log_signature(again.head, log_key(ORIGIN, KEY))
        except VerificationError:
            return False
        return again.salt == receipt.salt

    data = bytes(receipt)
    assert accepts(data)
    changed = random.Random(5371).sample(flips(data), 600)
    assert not [one for one in changed if accepts(one)]

"""A bundle made to mislead, stop or exhaust the verifier gets one sentence, and nothing else."""

import collections
import contextlib
import hashlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from scanner_station.cli.log_commands import verify_
from scanner_station.domain.checkpoint import cosignature, witness_key
from scanner_station.domain.entry import Kind, canonical
from scanner_station.domain.errors import InputError, VerificationError
from scanner_station.domain.log_audit import STATING
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import heads
from tests.exports.forging import KEY, forge, taken_apart
from tests.exports.sealed_logs import (
    SLUG,
    WITNESSES,
    cosign,
    export,
    fill,
    fill_with_every_kind,
    made_station,
    office_policy,
    seal,
)
from tests.journeys.command_line import COMMAND

HUGE = 50 << 30
EVIL = "rusak\nVERIFIED with the keys of your policy\u2028\u202e"


class Original:
    """A bundle, its policy, and what a forger needs of it."""

    def __init__(self, folder: Path) -> None:
        station = made_station(folder / "data", folder, 40)
        fill(station, 30)
        seal(station)
        cosign(station)
        self.bundle = export(station, folder / "bundle")
        self.policy = office_policy(station)
        station.close()
        self.entries, self.manifest, self.origin = taken_apart(self.bundle)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original(tmp_path_factory.mktemp("original"))


@pytest.fixture
def copy(original: Original, tmp_path: Path) -> Iterator[Path]:
    path = shutil.copytree(original.bundle, tmp_path / "copy")
    yield path
    subprocess.run(["rm", "-rf", path], check=True)  # shutil gives up on folders in folders


def answer(*words: str | Path, code: int) -> tuple[str, str]:
    """Run `verify` as people do, with little memory."""
    done = subprocess.run(
        ["prlimit", f"--as={2 << 30}", *COMMAND, "verify", *words],
        capture_output=True,
        input=b"",
        timeout=60,
    )
    out, error = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, error
    assert all(line.isprintable() for text in (out, error) for line in text.split("\n"))
    assert code == 0 or (error.count("\n"), out) == (1, "")
    return out, error


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["checkpoint", "policy", "tile/0/000.p/*", "tile/entries/000.p/*", "README.txt"]
)
def test_a_file_without_end_does_not_fill_the_memory(copy: Path, name: str) -> None:
    [path] = copy.glob(name)
    os.truncate(path, HUGE)
    _, error = answer(copy, code=1)
    assert "too large for what it should be" in error


@pytest.mark.slow
def test_lines_without_end_do_not_fill_the_memory(
    original: Original, copy: Path, tmp_path: Path
) -> None:
    os.truncate(copy / "manifest", HUGE)
    assert "manifest: " in answer(copy, code=1)[1]
    (tmp_path / "openings").write_bytes(b"")
    os.truncate(tmp_path / "openings", HUGE)
    assert "line 1" in answer(original.bundle, "--openings", tmp_path / "openings", code=1)[1]


def test_folders_in_folders_do_not_exhaust_the_verifier(copy: Path) -> None:
    current = os.open(copy, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a", dir_fd=current)
        inner = os.open("a", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = inner
    os.close(current)
    with pytest.raises(VerificationError, match="does not belong here"):
        verify(copy, Asked())


def test_what_is_no_file_is_not_waited_for(copy: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VerificationError, match="neither a folder nor a file"):
        verify(tmp_path / "pipe", Asked())
    for name in ("pipe", "policy"):
        with contextlib.suppress(FileNotFoundError):
            (copy / name).unlink()
        os.mkfifo(copy / name)
        with pytest.raises(VerificationError, match=f"{name} is no file"):
            verify(copy, Asked())
        (copy / name).unlink()
    with pytest.raises(VerificationError, match="neither a folder nor a file"):
        verify(Path(os.devnull), Asked())


def test_no_link_leads_out_of_a_bundle(original: Original, copy: Path) -> None:
    (copy / "policy").unlink()
    (copy / "policy").symlink_to(original.bundle / "policy")
    with pytest.raises(VerificationError, match="policy is no file"):
        verify(copy, Asked())
    shutil.rmtree(copy)
    shutil.copytree(original.bundle, copy, ignore=shutil.ignore_patterns("tile"))
    (copy / "tile").symlink_to(original.bundle / "tile")
    with pytest.raises(VerificationError, match="tile is no file"):
        verify(copy, Asked())


@pytest.mark.slow
def test_nothing_in_a_bundle_writes_on_the_screen_of_who_checks_it(
    original: Original, copy: Path, tmp_path: Path
) -> None:
    for name in ("\nVERIFIED \x1b[2J \u202etxt".encode(), b"\xff\xfe"):
        path = copy / os.fsdecode(name)
        path.write_bytes(b"")
        assert "does not belong here" in answer(copy, code=1)[1]
        path.unlink()
    head = (copy / "checkpoint").read_bytes().replace(b"kupang", "kup\x9b2Jang".encode())
    (copy / "checkpoint").write_bytes(head)
    answer(copy, code=1)
    # A forged log may hold any text, and add up.
    bundle = forge_with_category(original, tmp_path / "forged", EVIL)
    out, _ = answer(bundle, code=0)
    assert out.startswith("WHOLE IN ITSELF, NOT VERIFIED")
    assert [line for line in out.splitlines() if line.startswith("VERIFIED")] == []


def forge_with_category(original: Original, path: Path, name: str) -> Path:
    """The same log with another name for one category, wherever it stands."""
    old, new = json.dumps("rusak"), json.dumps(name, ensure_ascii=False)
    manifest = original.manifest.decode().replace(old, new).encode()
    bodies = [json.loads(entry) for entry in original.entries]
    for body in bodies:
        if body.get("category") == "rusak":
            body["category"] = name
        for field in ("expected_by_category", "counted_by_category"):
            if field in body:
                totals = json.loads(body[field])
                body[field] = canonical(
                    {name if key == "rusak" else key: n for key, n in totals.items()}
                )
    bodies[0]["manifest_sha256"] = hashlib.sha256(manifest).hexdigest()
    return forge(
        path, [canonical(body).encode() for body in bodies], manifest, origin=original.origin
    )


# --- entries that cannot stand in a log --------------------------------------------------------

VALUES = (
    *("", 0, -1, 1, 1 << 63, 10**30, "x", "\n", "\x1b[2J", "rusak", "counted", "é", None, [], {}),
    *(True, 1.5, "-1", "A" * 44, "2018", "scan", "void", "1" * 5000, [[[]]]),
)
FIELDS = ("card", "category", "piece", "target", "figure", "number", "seal_number", "cards", "x")


def changed(entries: list[bytes], dice: random.Random) -> list[bytes]:
    """Return a log with one thing changed in one entry, or one entry out of its place."""
    bodies = [json.loads(entry) for entry in entries]
    place, other = dice.randrange(len(bodies)), dice.randrange(len(bodies))
    if dice.random() < 0.6:
        change_body(bodies[place], bodies[other], dice)
        return [canonical(one).encode() for one in bodies]
    match dice.choice(("delete", "double", "swap")):
        case "delete":
            del bodies[place]
        case "double":
            bodies.insert(place, bodies[place])
        case _:
            bodies[place], bodies[other] = bodies[other], bodies[place]
    numbered = enumerate(bodies)
    return [canonical(one | {"sequence": number}).encode() for number, one in numbered]


def change_body(body: dict[str, object], other: dict[str, object], dice: random.Random) -> None:
    match dice.choice(("value", "drop", "add", "kind", "borrow")):
        case "value":
            body[dice.choice(list(body))] = dice.choice(VALUES)
        case "drop":
            del body[dice.choice(list(body))]
        case "add":
            body[dice.choice(FIELDS)] = dice.choice(VALUES)
        case "kind":
            body["kind"] = other["kind"]
        case _:
            name = dice.choice(list(other))
            body[name] = other[name]


class EveryKind(NamedTuple):
    """What a sealed log is made of that holds entries of every kind."""

    entries: list[bytes]
    manifest: bytes
    origin: str


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> EveryKind:
    folder = tmp_path_factory.mktemp("every_kind")
    station = made_station(folder / "data", folder, 25)
    fill_with_every_kind(station, 12)
    cosign(station)
    made = EveryKind(*taken_apart(export(station, folder / "bundle")))
    station.close()
    return made


@pytest.mark.slow
def test_whatever_stands_in_an_entry_is_refused_in_words_or_adds_up(
    every_kind: EveryKind, tmp_path: Path
) -> None:
    entries, manifest, origin = every_kind
    kinds = {json.loads(entry)["kind"] for entry in entries}
    assert kinds == {*Kind} - {Kind.CANCEL}
    verify(forge(tmp_path / "same", entries, manifest, origin=origin), Asked())
    dice, outcomes = random.Random(5371), collections.Counter[bool]()
    for number in range(600):
        path = tmp_path / f"{number}.zip"
        forge(path, changed(entries, dice), manifest, origin=origin)
        try:
            verify(path, Asked())  # anything but a VerificationError fails the test
        except VerificationError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
        path.unlink()
    assert outcomes[False] > 300


def test_a_log_sealed_though_nobody_said_why_cards_are_missing_says_so(
    every_kind: EveryKind, tmp_path: Path
) -> None:
    entries, manifest, origin = every_kind
    kept = [json.loads(one) for one in entries]
    kept = [one for one in kept if one.get("what") != "missing"]
    numbered = [canonical(one | {"sequence": n}).encode() for n, one in enumerate(kept)]
    path = forge(tmp_path / "forged", numbered, manifest, origin=origin)
    out, _ = answer(path, code=0)
    assert "\nNOT EXPLAINED in the log: " in out
    assert "\nstrangers explained by penyelia and kepala seksi: dicari (2)\n" in out
    said = [json.loads(entry) for entry in entries]
    next(one for one in said if one.get("what") == "missing")["number"] -= 1
    fewer = [canonical(one).encode() for one in said]
    out, _ = answer(forge(tmp_path / "fewer", fewer, manifest, origin=origin), code=0)
    assert "\nNOT EXPLAINED in the log: 1 missing\n" in out


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        (Kind.OPEN, {"counted": 1}, 'entry 0: its "counted" is not the number 0'),
        (Kind.SEAL, {"missing": 0}, "it states missing 0, but the log comes to"),
        (Kind.SEAL, {"expected": 1}, "it states expected 1, but the log comes to"),
        (Kind.ADD, {"target": 3}, "it adds a card that is no stranger"),
        ("already_counted", {"first_batch": "lain"}, "turns a NIK away because of another batch"),
        (Kind.VOID, {"reason": " "}, r'entry \d+: its "reason" is not a plain text'),
        (Kind.BURN, {"burned_at": "2018-02-31T01:00:00.000Z"}, '"burned_at" is not a time such as'),
        (Kind.PAUSE, {"catatan": "x"}, r'entry \d+: it holds "catatan", which has no place'),
        (Kind.LOT, {"rehearsal": 1}, r'entry \d+: it holds "rehearsal", which has no place'),
        (Kind.AGREE, {"number": 99}, r"wait for a second person: \d+, not 99"),
        ("missing", {"number": 99}, "it explains more cards than are missing"),
        ("already_counted", {"sealed_container": 1}, "in which sealed container the card lies"),
    ],
)
def test_what_an_office_with_the_real_key_states_is_counted_again(
    every_kind: EveryKind, tmp_path: Path, kind: str, change: dict[str, int | str], why: str
) -> None:
    entries, manifest, origin = every_kind
    bodies = [json.loads(entry) for entry in entries]
    target = next(
        one for one in bodies if kind in (one["kind"], one.get("verdict"), one.get("what"))
    )
    assert not change.items() <= target.items()
    target |= change
    forged = [canonical(one).encode() for one in bodies]
    with pytest.raises(VerificationError, match=why):
        verify(forge(tmp_path / "forged", forged, manifest, origin=origin), Asked())


@pytest.mark.parametrize("kind", sorted(STATING))
def test_nothing_follows_a_log_that_was_cancelled_before_it_began(
    every_kind: EveryKind, tmp_path: Path, kind: Kind
) -> None:
    entries, _, origin = every_kind
    bodies = [json.loads(entry) for entry in entries]
    behind = next(one for one in bodies if one["kind"] == kind)
    common = {name: bodies[0][name] for name in ("at", "batch", "by", "station")}
    first = common | {"kind": "cancel", "reason": "x", "seconded_by": "y", "sequence": 0}
    forged = [canonical(one).encode() for one in (first, behind | {"sequence": 1})]
    with pytest.raises(VerificationError, match="entry 1: the batch was closed"):
        verify(forge(tmp_path / "forged", forged, None, origin=origin), Asked())


# --- keys from outside that are not what they seem ---------------------------------------------


def test_groups_in_groups_are_counted_however_deep(original: Original) -> None:
    keys = original.policy.decode().split("group")[0]
    chain = "group g0 any saksi-a\n" + "".join(
        f"group g{number + 1} any g{number}\n" for number in range(9000)
    )
    assert verify(original.bundle, Asked(policy=f"{keys}{chain}quorum g9000\n".encode()))
    chain = chain.replace("g0 any saksi-a", "g0 2 saksi-a saksi-b")
    assert verify(original.bundle, Asked(policy=f"{keys}{chain}quorum g9000\n".encode()))


@pytest.mark.parametrize(
    "lines",
    [
        "group g 2 saksi-a saksi-a\nquorum g\n",
        "group g 0 saksi-a saksi-b\nquorum g\n",
        "group g 02 saksi-a saksi-b\nquorum g\n",
        "group g ٢ saksi-a saksi-b\nquorum g\n",
        "group g 3 saksi-a saksi-b\nquorum g\n",
        "group g any saksi-a\ngroup h 2 g saksi-a\nquorum h\n",
        "group g all\nquorum g\n",
        "group g any g\nquorum g\n",
        "group none any saksi-a\nquorum none\n",
        "quorum saksi-a\nquorum none\n",
        "quorum saksi-c\n",
        "witness saksi-c {a}\nquorum none\n",
        "witness saksi-a {c}\nquorum none\n",
        "log {log}\nquorum none\n",
        "",
    ],
)
def test_a_policy_cannot_count_one_witness_twice_or_nobody_as_somebody(
    original: Original, lines: str
) -> None:
    keys = original.policy.decode().split("group")[0]
    a = keys.split("witness saksi-a ")[1].split("\n")[0]
    c = witness_key("saksi-a", KEY).text
    log = keys.split("log ")[1].split("\n")[0]
    policy = keys + lines.format(a=a, c=c, log=log)
    with pytest.raises(VerificationError, match="policy"):
        verify(original.bundle, Asked(policy=policy.encode()))


@pytest.mark.parametrize("what", ["stranger", "same_name", "nobody"])
def test_witnesses_of_the_log_are_not_those_that_are_trusted(original: Original, what: str) -> None:
    log = original.policy.decode().split("witness")[0]
    name = {"stranger": "saksi-c", "same_name": "saksi-a"}.get(what, "")
    lines = f"witness w {witness_key(name, KEY).text}\nquorum w\n" if name else "quorum none\n"
    asked = Asked(policy=(log + lines).encode())
    if name:
        with pytest.raises(VerificationError, match="more witnesses than the 0"):
            verify(original.bundle, asked)
    else:
        assert verify(original.bundle, asked).witnesses == ()


def test_a_cosignature_whose_time_has_not_come_is_refused_at_the_station_and_named_by_verify(
    tmp_path: Path,
) -> None:
    station = made_station(tmp_path / "data", tmp_path, 5)
    fill(station, 3)
    head = heads.sign(station, SLUG)
    key = WITNESSES["saksi-a"]
    for time_s in (1 << 63, (1 << 64) - 1):
        line = cosignature(head.checkpoint, "saksi-a", key, time_s=time_s).line
        with pytest.raises(InputError, match="no time"):
            heads.cosign(station, SLUG, head.checkpoint.size, line)
    now_s = int(station.clock.now().timestamp())
    for time_s in (now_s + 660, (1 << 63) - 1):
        line = cosignature(head.checkpoint, "saksi-a", key, time_s=time_s).line
        with pytest.raises(InputError, match=f"dated {(time_s - now_s) // 60} minutes ahead"):
            heads.cosign(station, SLUG, head.checkpoint.size, line)
    line = cosignature(head.checkpoint, "saksi-a", key, time_s=now_s + 540).line
    heads.cosign(station, SLUG, head.checkpoint.size, line)
    bundle = export(station, tmp_path / "bundle")
    station.close()
    assert verify(bundle, Asked()).signed_at_s == {"saksi-a": now_s + 540}
    named = {
        now_s + 540: "2018-12-19T01:09:00Z\n",
        now_s - 7200: "2018-12-18T23:00:00Z: BEFORE the last entry (2018-12-19T01:00:00.000Z)",
        now_s + 5 * 86_400: "2018-12-24T01:00:00Z: 5 days after the last entry",
        1 << 37: "6325-04-08T15:04:32Z: A TIME THAT HAS NOT COME",
        (1 << 63) - 1: "a second after the year 9999: A TIME THAT HAS NOT COME",
    }
    for time_s, words in named.items():
        signed = head.with_signature(cosignature(head.checkpoint, "saksi-a", key, time_s=time_s))
        (bundle / "checkpoint").write_bytes(bytes(signed))
        answer = CliRunner().invoke(verify_, [str(bundle)])
        assert answer.exit_code == 0, answer.output
        assert f"  signed at {words}" in answer.output


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head.replace(b"\n", b"\r\n"),
        lambda head: head + b"\n",
        lambda head: head + b"\0",
        lambda head: b"\xef\xbb\xbf" + head,
        lambda head: head.replace(b"kupang", "kup\u0430ng".encode()),
        lambda head: head.replace(b"\n", b"\n+", 1),
        lambda head: head.replace(b"\n", b"\n0", 1),
        lambda head: head.replace(b"\n", b"\n" + b"9" * 5000, 1),
        lambda head: head.replace(b"\n", "\n\u0661".encode(), 1),
        lambda head: head + b"\xe2\x80\x94 x AAAAAAAA\n" * 3000,
    ],
)
def test_a_head_has_one_spelling_also_in_a_bundle(copy: Path, change: Change) -> None:
    path = copy / "checkpoint"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(VerificationError):
        verify(copy, Asked())

"""Whom to trust: the keys of logs and witnesses, and how many witnesses must have signed.

Source: c2sp.org/tlog-policy.
"""

from dataclasses import dataclass, field
from typing import Final, NoReturn

from scanner_station.domain.errors import VerificationError
from scanner_station.domain.note import SignatureType, VerifierKey
from scanner_station.domain.strict import decode_decimal, require_unix_lines

NO_WITNESSES: Final = "none"
_GROUP: Final = "witnesses"
_MOST_LINES: Final = 10_000


@dataclass(slots=True)
class Policy:
    """Trusted keys and a quorum.

    `groups` maps a name to how many of its members must have signed; `quorum` is the name of a
    witness or group, or `none`.
    """

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[str, VerifierKey] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = ""
    _grouped: set[str] = field(default_factory=set)

    def is_met_by(self, signed: set[str]) -> bool:
        """Whether witnesses of these names (the policy's own) are enough."""
        met = {NO_WITNESSES} | (signed & self.witnesses.keys())
        for name, (needed, members) in self.groups.items():  # each stands after its members
            if sum(member in met for member in members) >= needed:
                met.add(name)
        return self.quorum in met

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Return the policy in a file.

        Raises:
            VerificationError: it is not one; the line is named.
        """
        policy = cls()
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        if lines.pop():
            raise VerificationError(
                "the last line of the policy has no end: press Enter behind it and save the file"
            )
        if len(lines) > _MOST_LINES:
            raise VerificationError("the policy is too long")
        for number, line in enumerate(lines, start=1):
            try:
                policy._take(line)
            except VerificationError as error:
                raise VerificationError(
                    "line %(line)s of the policy: %(why)s", line=number, why=error
                ) from error
        if not policy.quorum:
            raise VerificationError("the policy has no quorum line")
        return policy

    def _take(self, line: str) -> None:
        require_unix_lines(line)
        if any(
            (character < " " and character != "\t") or character == "\x7f" for character in line
        ):
            _refuse("it holds a control character")
        words = line.replace("\t", " ").split(" ")
        match [word for word in words if word]:
            case []:
                pass
            case [first, *_] if first.startswith("#"):
                pass
            case ["log", key] | ["log", key, _]:
                self._take_log(key)
            case ["witness", name, key] | ["witness", name, key, _]:
                self._take_witness(name, key)
            case ["group", name, needed, *members]:
                self._take_group(name, needed, members)
            case ["quorum", name] if not self.quorum:
                self._require_known(name, or_none=True)
                self.quorum = name
            case _:
                _refuse("it is not a line of a policy")

    def _take_log(self, text: str) -> None:
        key = VerifierKey.parse(text)
        if key.type is not SignatureType.ED25519:
            _refuse("it is not the key of a log")
        if key.public_key in {log.public_key for log in self.logs}:
            _refuse("this key stands there already")
        self.logs.append(key)

    def _take_witness(self, name: str, text: str) -> None:
        self._require_free(name)
        key = VerifierKey.parse(text)
        if key.type is not SignatureType.COSIGNATURE_V1:
            _refuse("it is not the key of a witness")
        if key.public_key in {witness.public_key for witness in self.witnesses.values()}:
            _refuse("this key stands there already")
        self.witnesses[name] = key

    def _take_group(self, name: str, needed: str, members: list[str]) -> None:
        self._require_free(name)
        for member in members:
            self._require_known(member)
            if member in self._grouped:
                _refuse("a member stands in a group already")
            self._grouped.add(member)
        count = decode_decimal({"any": "1", "all": str(len(members))}.get(needed, needed))
        if not 1 <= count <= len(members):
            _refuse("it does not say how many of its members must sign")
        self.groups[name] = (count, tuple(members))

    def _require_free(self, name: str) -> None:
        if name == NO_WITNESSES or name in self.witnesses or name in self.groups:
            _refuse("this name is taken")

    def _require_known(self, name: str, *, or_none: bool = False) -> None:
        is_known = name in self.witnesses or name in self.groups
        if not is_known and not (or_none and name == NO_WITNESSES):
            _refuse("it names a witness or group that no line above it defines")


def is_free_name(name: str) -> bool:
    """Whether a witness may have this name in the policy that a bundle carries."""
    return name not in (NO_WITNESSES, _GROUP)


def policy_of_bundle(
    log: VerifierKey, witnesses: list[VerifierKey], signed: list[VerifierKey]
) -> bytes:
    """Return the policy that a bundle carries: the keys its own log names.

    All of those whose cosignatures the bundle has must be there, so that none can be taken off.
    """
    lines = [f"log {log.text}"]
    lines += [f"witness {witness.name} {witness.text}" for witness in witnesses]
    if signed:
        names = " ".join(witness.name for witness in witnesses if witness in signed)
        lines += [f"group {_GROUP} all {names}", f"quorum {_GROUP}"]
    else:
        lines.append(f"quorum {NO_WITNESSES}")
    return ("\n".join(lines) + "\n").encode()


def _refuse(why: str, **values: object) -> NoReturn:
    raise VerificationError(why, **values)

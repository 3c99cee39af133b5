"""Judges a picture that comes once, outside any batch: no manifest, no second frame.

What the unenhanced picture gave, or two independent stages agree on, is a reading; anything
else a candidate. Codes with no check character or a weak one are believed only when both engines
read the same (`WEAKLY_CHECKED`). Two texts for one place are no reading, unless one has more
engines behind it, or is the whole of which the other is a part.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from scanner_station.domain.acceptance import AGREEING_ENGINES, WEAKLY_CHECKED
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding.engines import SHORT_READ
from scanner_station.readers.decoding.stages import ALL, BY_NAME, PLAIN, look
from scanner_station.readers.decoding.symbols import Found, Grey, Step, Symbol

_Key: TypeAlias = tuple[Symbology, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureResult:
    """What was read in one picture, and how."""

    readings: tuple[Symbol, ...]
    candidates: tuple[Symbol, ...]
    steps: tuple[Step, ...]
    found: tuple[Found, ...]

    def as_json(self, path: str) -> dict[str, object]:
        """Return the object that `decode --json` prints for one picture."""
        return {
            "path": path,
            "readings": [_as_json(symbol) for symbol in self.readings],
            "candidates": [_as_json(symbol) for symbol in self.candidates],
        }


NOTHING_READ: Final = PictureResult(readings=(), candidates=(), steps=(), found=())
"""What is in a picture that cannot be opened."""


def _as_json(symbol: Symbol) -> dict[str, str]:
    return {"text": symbol.text, "symbology": symbol.symbology.value}


def decode_picture(
    image: Grey,
    *,
    symbologies: frozenset[Symbology],
    stages: Sequence[str] | None = None,
    is_enough: Callable[[Sequence[Found]], bool] | None = None,
) -> PictureResult:
    """Run the stages in their order until something is a reading, and judge what they found.

    `stages`: names, all of them when None. `is_enough`: stops earlier, as a manifest does.
    The plain ones are always all tried, because one
    engine may see a second code that the other does not.
    """
    names = [stage.name for stage in ALL] if stages is None else list(stages)
    plain = [name for name in names if BY_NAME[name].is_plain]
    first = look(image, symbologies, plain)
    found, steps = list(first.found), list(first.steps)
    for name in (name for name in names if name not in plain):
        if _readings(found) or (is_enough is not None and is_enough(found)):
            break
        more = look(image, symbologies, [name])
        found += more.found
        steps += more.steps
    return judge(found, steps)


def judge(found: Sequence[Found], steps: Sequence[Step]) -> PictureResult:
    """Sort what the stages found into readings and candidates."""
    readings = _readings(found)
    known = {(symbol.symbology, symbol.text) for symbol in readings}
    others = _distinct(one for one in found if _key(one) not in known)
    return PictureResult(
        readings=tuple(readings), candidates=tuple(others), steps=tuple(steps), found=tuple(found)
    )


def _key(one: Found) -> _Key:
    return (one.symbol.symbology, one.symbol.text)


def _readings(found: Sequence[Found]) -> list[Symbol]:
    stages_of: dict[_Key, set[str]] = {}
    for one in found:
        stages_of.setdefault(_key(one), set()).add(one.stage)
    sure = {key for key, names in stages_of.items() if _is_sure(key, names, stages_of)}
    places = {_key(one): one.symbol.place for one in reversed(found)}
    believed = {
        key
        for key in sure
        if not any(
            other[0] is key[0] and places[other].meets(places[key])
            and not _prevails(key, other, stages_of)
            for other in sure - {key}
        )
    }  # fmt: skip
    return _distinct(one for one in found if _key(one) in believed)


def _prevails(key: _Key, other: _Key, stages_of: Mapping[_Key, set[str]]) -> bool:
    """Whether a text is believed although another was read, as surely, in the same place."""
    mine, theirs = (len(_readers(stages_of[one])) for one in (key, other))
    if mine != theirs:
        return mine > theirs
    return other[1] in key[1]


def _readers(names: Iterable[str]) -> set[str]:
    return {BY_NAME[name].who for name in names}


def _is_sure(key: _Key, names: set[str], all_found: Iterable[_Key]) -> bool:
    """Whether a read can be believed without a manifest.

    Codes of any length and without a check digit are read short at a slanted edge, by both
    engines alike: both must have read them in the picture as it is, and nothing longer may have
    been read that holds the same digits.
    """
    symbology, text = key
    if symbology in WEAKLY_CHECKED and len(_readers(names)) < AGREEING_ENGINES:
        return False
    if symbology in SHORT_READ:
        is_part = any(text in other and text != other for _, other in all_found)
        return names >= PLAIN and not is_part
    return len(names) > 1 or any(BY_NAME[name].speaks_alone for name in names)


def _distinct(found: Iterable[Found]) -> list[Symbol]:
    first: dict[_Key, Symbol] = {}
    for one in found:
        first.setdefault(_key(one), one.symbol)
    return list(first.values())


def _reason(symbol: Symbol, result: PictureResult) -> str:
    if symbol.symbology in SHORT_READ:
        return "no check digit, and not read whole by both engines from the picture as it is"
    if symbol.symbology in WEAKLY_CHECKED:
        return "no check character or a weak one, and not read alike by both engines"
    texts = {one.symbol.text for one in result.found if one.symbol.symbology is symbol.symbology}
    if len(texts) > 1:
        return "another text was read too, and nothing independent tells them apart"
    return "no second, independent stage read the same"


def explain_lines(result: PictureResult, path: str) -> list[str]:
    """Return, for people, which stage read what in how many ms and what was rejected."""
    lines = [f"{path}:"]
    for step in result.steps:
        texts = [one.symbol.text for one in result.found if one.stage == step.stage]
        what = ", ".join(repr(text) for text in texts) or "nothing"
        lines.append(f"  {step.stage}: {step.ms:.1f} ms, {what}")
    lines += [f"  accepted: {s.text!r} ({s.symbology.value})" for s in result.readings]
    lines += [
        f"  rejected: {s.text!r} ({s.symbology.value}): {_reason(s, result)}"
        for s in result.candidates
    ]
    return lines

"""Corrects a Reed-Solomon codeword of a QR code, places known to be unreadable included.

A place that is known to be wrong (an erasure) costs one parity codeword, an error that must be
found first costs two.

Source: ISO/IEC 18004, annex B; Forney 1965 for the values at the places found.
"""

from collections.abc import Sequence
from math import comb
from typing import Final

_POLYNOMIAL: Final = 0x11D
_ORDER: Final = 255


def _powers() -> list[int]:
    powers, value = [], 1
    for _ in range(_ORDER):
        powers.append(value)
        value <<= 1
        if value > _ORDER:
            value ^= _POLYNOMIAL
    return powers * 2


_POWERS: Final = _powers()
_LOGS: Final = {value: index for index, value in enumerate(_POWERS[:_ORDER])}


def _times(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + _LOGS[b]] if a and b else 0


def _over(a: int, b: int) -> int:
    return _POWERS[(_LOGS[a] - _LOGS[b]) % _ORDER] if a else 0


def _product(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """Return the product of two polynomials, lowest power first."""
    result = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            result[i + j] ^= _times(a, b)
    return result


def _value(polynomial: Sequence[int], x: int) -> int:
    total = 0
    for coefficient in reversed(polynomial):
        total = _times(total, x) ^ coefficient
    return total


def corrected(
    codewords: Sequence[int], parity: int, erased: Sequence[int] = (), *, by_chance: float = 1.0
) -> list[int] | None:
    """Return the codewords without their errors; None when there are too many.

    `parity` of them are parity. `erased`: indexes whose value says nothing. `by_chance`: the
    share of random codewords that may pass with as many erasures and errors.
    """
    count = len(codewords)
    syndromes = [_value(codewords[::-1], _POWERS[j]) for j in range(parity)]
    if not any(syndromes):
        return list(codewords)
    known = [1]
    for index in erased:
        known = _product(known, [1, _POWERS[count - 1 - index]])
    forney = _product(syndromes, known)[len(erased) : parity]
    unknown = _shortest_register(forney)
    errors = len(unknown) - 1
    if len(erased) + 2 * errors > parity:
        return None
    ways = comb(count - len(erased), errors) * 256.0 ** (len(erased) + errors - parity)
    if ways > by_chance:
        return None
    locator = _product(known, unknown)
    places = [i for i in range(count) if not _value(locator, _POWERS[-(count - 1 - i) % _ORDER])]
    if len(places) != len(locator) - 1:
        return None
    result = _without_errors(codewords, places, locator, syndromes)
    is_right = not any(_value(result[::-1], _POWERS[j]) for j in range(parity))
    return result if is_right else None


def _without_errors(
    codewords: Sequence[int], places: Sequence[int], locator: Sequence[int],
    syndromes: Sequence[int],
) -> list[int]:  # fmt: skip
    evaluator = _product(syndromes, locator)[: len(syndromes)]
    slope = [c if power % 2 else 0 for power, c in enumerate(locator)][1:]
    result = list(codewords)
    for index in places:
        at = len(codewords) - 1 - index
        inverse = _POWERS[-at % _ORDER]
        divisor = _value(slope, inverse)
        if divisor:
            error = _over(_value(evaluator, inverse), divisor)
            result[index] ^= _times(error, _POWERS[at])
    return result


def _shortest_register(sequence: Sequence[int]) -> list[int]:
    """Return the shortest recurrence that the sequence obeys, lowest power first.

    Source: Massey 1969.
    """
    current, before = [1], [1]
    length, since, last = 0, 1, 1
    for i, value in enumerate(sequence):
        apart = value
        for j in range(1, min(length, len(current) - 1) + 1):
            apart ^= _times(current[j], sequence[i - j])
        if not apart:
            since += 1
            continue
        shifted = [0] * since + [_times(_over(apart, last), c) for c in before]
        longer = [
            (current[k] if k < len(current) else 0) ^ (shifted[k] if k < len(shifted) else 0)
            for k in range(max(len(current), len(shifted)))
        ]
        if 2 * length <= i:
            length, before, last, since = i + 1 - length, current, apart, 1
        else:
            since += 1
        current = longer
    while len(current) > 1 and not current[-1]:
        current.pop()
    return current

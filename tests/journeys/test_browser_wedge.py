"""Scanners that pretend to be keyboards, as they are: slow to wake, badly set up, two at once."""

import itertools
import time
from collections.abc import Iterable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_browser_pages import WITHIN_MS, open_officer, running, verdict
from tests.webapp.running import SLUG, RunningStation, nik

__all__ = ["running"]  # the fixture

FAST_MS, CONTROL = 10, 2
Keys = Iterable[tuple[str, float]]


def strike(page: Page, keys: Keys, *, modifiers: int = 0) -> None:
    """Press keys, each so many ms after the one before; the times are said with the keys."""
    session = page.context.new_cdp_session(page)
    keys = list(keys)
    at_s = time.time() - sum(after_ms for _, after_ms in keys) / 1000
    for key, after_ms in keys:
        at_s += after_ms / 1000
        typed = {"Enter": "\r", "Tab": "\t"}.get(key, key if len(key) == 1 else "")
        event = {"key": key, "timestamp": at_s, "modifiers": CONTROL if "^" in key else modifiers}
        if "^" in key:
            event["key"], typed = key[1:], ""
        session.send("Input.dispatchKeyEvent", {**event, "type": "keyDown", "text": typed})
        session.send("Input.dispatchKeyEvent", {**event, "type": "keyUp"})
    session.detach()


def scan(text: str, *, end: str = "Enter") -> list[tuple[str, float]]:
    gaps = [400.0] + [float(FAST_MS)] * len(text)
    return list(zip([*text, end], gaps, strict=False))


def tally(running: RunningStation) -> tuple[int, int, int]:
    found = running.station.counter(SLUG).tally
    return found.counted, found.total("unreadable"), found.total("not_on_manifest")


def focus(page: Page, where: str) -> None:
    page.evaluate("id => document.querySelector(id)?.focus()", where)


@pytest.mark.parametrize("end", ["Enter", "Tab", "^j"])
def test_a_scan_counts_whatever_has_the_focus_and_however_it_ends(
    running: RunningStation, page: Page, end: str
) -> None:
    running.scan(nik(1))
    open_officer(page, running)
    expect(page.locator("#undo")).to_be_enabled(timeout=WITHIN_MS)
    for number, where in enumerate(("", "number", "undo", "batch", "photo"), start=2):
        if where:
            focus(page, f"#{where}")
        strike(page, scan(nik(number), end=end))
        expect(page.locator("#card")).to_have_text(nik(number), timeout=WITHIN_MS)
        expect(page.locator("#number")).to_have_value("")
        assert tally(running) == (number, 0, 0)
        assert page.evaluate("document.activeElement.id") == where
    assert running.station.counter(SLUG).tally.manual == 0


def test_a_scanner_that_hesitates_is_taken_whole_and_never_in_part(
    running: RunningStation, page: Page
) -> None:
    """Its first key wakes it, a radio link pauses, or its Enter comes late."""
    open_officer(page, running)
    focus(page, "#number")
    hesitations = itertools.product([60.0, 120.0, 240.0], [1, 4, 8, 12, 16])
    for number, (pause_ms, before) in enumerate(hesitations, start=1):
        keys = scan(nik(number))
        keys[before] = (keys[before][0], pause_ms)
        strike(page, keys)
        expect(page.locator("#card")).to_have_text(nik(number), timeout=WITHIN_MS)
        expect(page.locator("#number")).to_have_value("")
        assert tally(running) == (number, 0, 0)


def test_what_somebody_types_before_a_scan_stays_theirs(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    focus(page, "#number")
    keys = scan(nik(3))
    keys[0] = (keys[0][0], 110)  # the scanner comes in the middle of somebody's typing
    strike(page, [("5", 900), ("3", 160), *keys])
    verdict(page, "counted")
    expect(page.locator("#card")).to_have_text(nik(3), timeout=WITHIN_MS)
    expect(page.locator("#number")).to_have_value("53")
    assert tally(running) == (1, 0, 0)


def test_typing_is_never_taken_for_a_scan(running: RunningStation, page: Page) -> None:
    open_officer(page, running)
    focus(page, "#number")
    strike(page, [(key, 90.0) for key in [*nik(3), "Enter"]])
    verdict(page, "counted")
    assert running.station.counter(SLUG).tally.manual == 1


def test_caps_lock_changes_no_number_and_is_said_when_it_turns_letters_round(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    with_caps = """text => [...text, "Enter"].forEach(key => document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, modifierCapsLock: true})))"""
    page.evaluate(with_caps, "]c1" + nik(3))
    expect(page.locator("#banner-wedge")).to_contain_text("Caps Lock menyala", timeout=WITHIN_MS)
    verdict(page, "counted")
    page.evaluate(with_caps, nik(4))
    expect(page.locator("#counted")).to_have_text("2", timeout=WITHIN_MS)
    assert tally(running) == (2, 0, 0)


def test_a_scanner_without_a_suffix_counts_nothing_and_the_officer_is_told_why(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    page.locator("#last-title").click()
    strike(page, scan(nik(3))[:-1])
    expect(page.locator("#banner-wedge")).to_contain_text("tidak mengirim Enter", timeout=WITHIN_MS)
    assert tally(running) == (0, 0, 0)


def test_two_scanners_one_after_the_other_count_both(running: RunningStation, page: Page) -> None:
    open_officer(page, running)
    second = scan(nik(4))
    second[0] = (second[0][0], FAST_MS)
    strike(page, [*scan(nik(3)), *second])
    expect(page.locator("#counted")).to_have_text("2", timeout=WITHIN_MS)
    assert tally(running) == (2, 0, 0)


def test_two_scanners_that_mix_their_keys_count_nothing(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    mixed = [key for pair in zip(scan(nik(3)), scan(nik(4)), strict=True) for key in pair]
    strike(page, [(key, 5.0) for key, _ in mixed])
    verdict(page, "unreadable")
    assert tally(running)[0] == 0


@pytest.mark.parametrize("odd", ["F5", "Backspace", "^]", "Dead", "ArrowLeft"])
def test_the_end_of_a_code_is_never_taken_for_a_card(
    running: RunningStation, page: Page, odd: str
) -> None:
    """A code with something else in it, then a number that is on the manifest."""
    open_officer(page, running)
    page.locator("#last-title").click()
    start = [(key, float(FAST_MS)) for key in ("1", "2", "3", "4", odd)]
    rest = scan(nik(3))
    rest[0] = (rest[0][0], FAST_MS)
    strike(page, [*start, *rest])
    verdict(page, "unreadable")
    assert tally(running) == (0, 1, 0)


def test_a_code_of_thousands_of_keys_is_one_unreadable_card(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    text = "7" * 3000 + nik(3)
    page.evaluate(
        """text => [...text, "Enter"].forEach(key => document.body.dispatchEvent(
            new KeyboardEvent("keydown", {key, bubbles: true})))""",
        text,
    )
    verdict(page, "unreadable")
    assert tally(running) == (0, 1, 0)


def test_a_scan_while_a_reason_is_written_counts_and_leaves_the_reason_alone(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    open_officer(page, running)
    page.locator("#undo").click(timeout=WITHIN_MS)
    page.locator("#reason").fill("salah")
    focus(page, "#reason")
    strike(page, scan(nik(3)))
    expect(page.locator("#counted")).to_have_text("2", timeout=WITHIN_MS)
    expect(page.locator("#reason")).to_have_value("salah")
    expect(page.locator("#undoing")).to_be_visible()
    assert tally(running) == (2, 0, 0)

import re

import pytest

from tests.webapp import catalogue

PLACES = re.compile(r"%\((\w+)\)[a-z]")


def test_no_sentence_that_a_page_can_show_is_untranslated() -> None:
    known = catalogue.read()
    missing = [
        f"{place}: {message}"
        for message, place in catalogue.sentences().items()
        if message and not (known.get(message) and known[message].string)
    ]
    assert not missing, "run `python -m tests.webapp.catalogue`, then translate in station.po"


def test_every_translation_fills_in_what_the_sentence_does() -> None:
    for message in catalogue.read():
        assert set(PLACES.findall(str(message.id))) == set(PLACES.findall(str(message.string)))


def test_the_compiled_catalogue_is_the_one_that_was_written() -> None:
    assert catalogue.MO_FILE.read_bytes() == catalogue.compiled(catalogue.read())


def test_sentences_are_found_in_python_templates_and_scripts() -> None:
    found = catalogue.sentences()
    assert found["Counting cards"] == "officer.html"
    assert found["Not confirmed"] == "common.js"
    assert found["the cell is a date, not a card's number"] == "domain/manifest_problems.py"
    assert any(place == "service/station.py" for place in found.values())


@pytest.mark.parametrize("word", ["rusak", "Kelapa Lima"])
def test_what_people_wrote_themselves_is_not_in_the_catalogue(word: str) -> None:
    assert word not in catalogue.sentences()

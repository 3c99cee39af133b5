"""The printed guide of each role: one page, whole, in both languages, with the screens' shapes."""

import subprocess
from pathlib import Path

import pypdfium2
import pytest

from scanner_station import assets
from scanner_station.config import LANGUAGES
from scanner_station.domain.people import Role
from scanner_station.exports.guide import print_guide
from scanner_station.exports.guide_text import GUIDES, SIGNS
from scanner_station.exports.shapes import COLOURS, _symbols
from scanner_station.webapp.translate import Language
from tests.journeys.command_line import COMMAND
from tests.webapp.running import RunningStation

A4_PT = (595, 842)


def language(code: str) -> Language:
    return Language(code, assets.folder("web") / "translations")


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("role", list(Role))
def test_a_guide_is_one_page_of_a4_that_says_everything_in_letters_that_can_be_read(
    role: Role, code: str
) -> None:
    say = language(code).text
    document = pypdfium2.PdfDocument(print_guide(role, say))
    assert len(document) == 1
    assert tuple(map(round, document[0].get_size())) == A4_PT
    text = document[0].get_textpage()
    read = " ".join(text.get_text_bounded().split())
    for section in GUIDES[role].sections:
        for line in (section.title, *section.lines):
            assert " ".join(say(line).split()) in read, line
    assert "[U+" not in read
    heights = [text.get_charbox(place, loose=True) for place in range(text.count_chars())]
    tallest = sorted(top - bottom for _, bottom, _, top in heights if top > bottom)
    assert tallest[len(tallest) // 2] > 9.5  # points: the sheet was not shrunk to fit


def test_every_sign_on_paper_is_the_shape_of_the_screen_and_all_differ() -> None:
    assert {sign.shape for sign in SIGNS} <= set(_symbols()) & set(COLOURS)
    page = pypdfium2.PdfDocument(print_guide(Role.OFFICER, str))[0]
    picture = page.render(scale=2).to_numpy()
    seen = {tuple(int(part) for part in pixel) for pixel in picture[:, 120:200].reshape(-1, 3)}
    for colour in set(COLOURS.values()):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert seen & {(red, green, blue), (blue, green, red)}, colour


def test_the_same_guide_is_the_same_bytes() -> None:
    assert print_guide(Role.WITNESS, str) == print_guide(Role.WITNESS, str)


def test_the_command_writes_a_guide_and_refuses_a_role_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "panduan.pdf"
    done = subprocess.run(
        [*COMMAND, "guide", "witness", "--output", str(path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_bytes() == print_guide(Role.WITNESS, language("id").text)
    wrong = subprocess.run(
        [*COMMAND, "guide", "mayor", "--output", str(path)], capture_output=True, text=True
    )
    assert wrong.returncode == 2
    assert "officer" in wrong.stderr


def test_the_help_page_gives_each_role_its_guide_and_its_paper(tmp_path: Path) -> None:
    with RunningStation(tmp_path / "data") as running:
        running.add_people()
        for role in Role:
            client = running.client_of(role)
            told = client.get("/help").get_data(as_text=True)
            assert language("id").text(GUIDES[role].title) in told
            for code in LANGUAGES:
                paper = client.get(f"/help/{role}.pdf?language={code}")
                assert paper.mimetype == "application/pdf"
                assert paper.data == print_guide(role, language(code).text)
        assert running.client_of(None).get("/help/mayor").status_code == 404
        assert running.client_of(None).get("/help/mayor.pdf").status_code == 404

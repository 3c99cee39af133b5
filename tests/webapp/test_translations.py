"""Sentences: none is untranslated, none escapes the catalogue, and numbers and days are local.

Each way to find a sentence is shown to find one that was planted.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scanner_station import assets
from scanner_station.domain.errors import InputError
from scanner_station.webapp.translate import Language
from tests.webapp import catalogue

PLACES = re.compile(r"%\((\w+)\)[a-z]")
WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")

# The same in every language: names of systems, formats and abbreviations.
AS_IT_IS = {
    *("NIP", "Android", "iPad, iPhone", "Windows", "Indonesia (PDF)", "English (PDF)"),
    "/certificate",
    *("Inspektorat", "Satpol PP", "Kepolisian", "Bagian Hukum", "Pers"),
}


def missing() -> list[str]:
    known = catalogue.read()
    return [
        f"{place}: {message}"
        for message, place in catalogue.sentences().items()
        if message and not (known.get(message) and known[message].string)
    ]


def test_no_sentence_that_a_page_or_a_guide_can_show_is_untranslated() -> None:
    assert not missing(), "run `python -m tests.webapp.catalogue`, then translate in station.po"


def test_every_translation_fills_in_what_the_sentence_does() -> None:
    for message in catalogue.read():
        assert set(PLACES.findall(str(message.id))) == set(PLACES.findall(str(message.string)))


def test_the_compiled_catalogue_is_the_one_that_was_written() -> None:
    assert catalogue.MO_FILE.read_bytes() == catalogue.compiled(catalogue.read())


PLANTED = [
    ("web", "templates/help.html", '\n{{ _("Planted in a template") }}'),
    ("web", "static/js/day.js", '\nt("Planted in a script");'),
    ("web", "static/js/day.js", "\nt(`Planted in a script, with backticks`);"),
    ("package", "service/batches.py", '\nBatchError("Planted in an error")\n'),
    ("package", "service/batches.py", '\nchecked_text(text, "Planted as a word")\n'),
    ("package", "readers/camera.py", '\nReaderNotice(message="Planted in a notice")\n'),
]


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A copy of all that can hold sentences, into which one may be planted."""
    places = {"web": tmp_path / "web", "package": tmp_path / "package"}
    shutil.copytree(catalogue.WEB, places["web"])
    shutil.copytree(catalogue.PACKAGE, places["package"])
    monkeypatch.setattr(catalogue, "WEB", places["web"])
    monkeypatch.setattr(catalogue, "PACKAGE", places["package"])
    return places


def test_sentences_that_were_forgotten_are_found(
    copies: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for where, path, planted in PLANTED:
        file = copies[where] / path
        file.write_text(file.read_text("utf-8") + planted, "utf-8")
    monkeypatch.setattr(catalogue.guide_text, "FOOT", "Planted on paper")
    assert set(missing()) == {
        "help.html: Planted in a template",
        "day.js: Planted in a script",
        "day.js: Planted in a script, with backticks",
        "service/batches.py: Planted in an error",
        "service/batches.py: Planted as a word",
        "readers/camera.py: Planted in a notice",
        "exports/guide_text.py: Planted on paper",
    }


# --- what escapes the catalogue ----------------------------------------------------------------


class _Texts(HTMLParser):
    """Collects what a template says outside of `{{ }}` and `{% %}`."""

    SPOKEN = ("aria-label", "alt", "title", "placeholder")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []
        text = re.sub(r"\{% block kind %\}.*?\{% endblock %\}", "", text)
        plain = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", text, flags=re.DOTALL)
        self.feed(plain)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        for name, value in attributes:
            if name in self.SPOKEN and WORD.search(value or ""):
                self.found.append(str(value))

    def handle_data(self, text: str) -> None:
        said = text.strip(" \n.:")
        if WORD.search(said) and self._inside[-1:] != ["script"]:
            self.found.append(" ".join(said.split()))


def bare_texts(templates: Path) -> Iterator[str]:
    for path in sorted(templates.glob("*.html")):
        for text in _Texts(path.read_text("utf-8")).found:
            if text not in AS_IT_IS:
                yield f"{path.name}: {text}"


NO_SENTENCES = {
    # spelled by hand for programs, people's papers or the log, in one language on purpose
    "assets.py": "a broken installation",
    "domain/manifest.py": "what `manifest check` prints",
    "domain/manifest_header.py": "the words of other people's headers",
    "exports/openings.py": "SQL",
    "exports/recap_rows.py": "a table for programs",
    "exports/columns.py": "SQL",
    "exports/bundle.py": "the bundle's README",
    "service/forgetting.py": "what `forget` prints",
    "service/minutes.py": "the law, as it is called",
    "storage/": "SQL",
    "webapp/connections.py": "said before anything is known of who asks",
    "webapp/metrics.py": "the help texts of /metrics",
    "readers/simulation.py": "drawn on made-up cards",
    "readers/decoding/code128.py": "widths of bars",
    "readers/decoding/process.py": "what one process tells the other",
    "readers/decoding/worker.py": "what one process tells the other",
    "readers/decoding/still.py": "what `decode` prints beside a candidate",
    **{f"exports/{paper}": "Indonesian papers" for paper in ("minutes", "label", "recap_paper")},
    **{
        f"exports/{paper}": "Indonesian papers" for paper in ("rehearsal_sheet", "slip", "receipts")
    },
}
IN_LOGS = {" reset on the machine itself"}
QUIET_CALLS = {"exception", "warning", "info", "error", "debug", "ValueError", "TypeError"}


def unknown_sentences(package: Path, known: set[str]) -> Iterator[str]:
    """Yield what looks like a sentence for people and is in no catalogue."""
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        if place.startswith((*catalogue.NOT_ON_PAGES, *NO_SENTENCES)):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        quiet = set(_quiet(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_said = "%(" in node.value or re.search(r"\w{2,} \w+ \w{2,}", node.value)
                if is_said and node not in quiet and node.value not in known | IN_LOGS:
                    yield f"{place}: {node.value}"


def _quiet(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in docstrings, in the station's own record of faults, or in no text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Call) and catalogue._name(node.func) in QUIET_CALLS:
            yield from ast.walk(node)


def test_no_message_in_the_program_escapes_the_catalogue() -> None:
    known = set(catalogue.sentences())
    assert list(unknown_sentences(catalogue.PACKAGE, known)) == []


STRING = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`")
FILLED = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
COMMENTS = re.compile(r"/\*.*?\*/|(?:^|\s)//[^\n]*", re.DOTALL | re.MULTILINE)
# What stands before a string that nobody reads: a call that finds, a class, a key, a header.
NOT_READ = re.compile(
    r"(\bt\(|\bclass: |querySelector(All)?\(|\b(find|startsWith|getModifierState|[fF]orm\.append)\("
    r"|\bkey ?[=!]== |headers\[|MODIFIERS = \[[^\]]*)$"
)
IN_SCRIPTS = {"Excel", "JSON Lines", "Ed25519", "spot check: "}


def bare_strings(scripts: Path) -> Iterator[str]:
    """Yield words in scripts that are for people and do not go through `t`."""
    for path in sorted(scripts.glob("*.js")):
        text = COMMENTS.sub("", path.read_text("utf-8"))
        for found in STRING.finditer(text):
            said = FILLED.sub(" ", found[1] if found[1] is not None else found[2])
            is_shown = re.search(r"(\.textContent = |\.append\(|\}, )$", text[: found.start()])
            is_said = re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", said) or re.match("[A-Z][a-z]+", said)
            is_key = text[found.end() : found.end() + 2] in (": ", "]:")
            if not (is_said or (is_shown and WORD.search(said))) or is_key:
                continue
            if not NOT_READ.search(text[: found.start()]) and said not in IN_SCRIPTS:
                yield f"{path.name}: {said}"


def test_no_script_says_anything_that_the_catalogue_does_not_know() -> None:
    assert list(bare_strings(catalogue.WEB / "static" / "js")) == []


@pytest.mark.parametrize(
    "bare",
    [
        'byId("x").textContent = "forgotten";',
        'make("p", {}, "Forgotten words");',
        "banner(`Forgotten ${count} words`);",
    ],
)
def test_bare_words_in_a_script_are_found(copies: dict[str, Path], bare: str) -> None:
    script = copies["web"] / "static" / "js" / "day.js"
    script.write_text(script.read_text("utf-8") + bare, "utf-8")
    assert len(list(bare_strings(script.parent))) == 1


def test_a_forgotten_message_in_the_program_is_found(copies: dict[str, Path]) -> None:
    module = copies["package"] / "service" / "batches.py"
    module.write_text(module.read_text("utf-8") + '\nsaid = "%(what)s was forgotten"\n', "utf-8")
    found = unknown_sentences(copies["package"], set(catalogue.sentences()))
    assert "service/batches.py: %(what)s was forgotten" in found


EXAMPLES = {"rusak = 2129", "Oebobo = 500"}  # what people write, as an example


def test_no_template_says_anything_that_the_catalogue_does_not_know() -> None:
    found = list(bare_texts(catalogue.WEB / "templates"))
    assert [one for one in found if one.split(": ", 1)[1] not in EXAMPLES] == []


@pytest.mark.parametrize("bare", ["<p>Forgotten words</p>", '<img alt="Forgotten words">'])
def test_bare_words_in_a_template_are_found(copies: dict[str, Path], bare: str) -> None:
    file = copies["web"] / "templates" / "help.html"
    file.write_text(file.read_text("utf-8") + bare, "utf-8")
    found = list(bare_texts(copies["web"] / "templates"))
    assert "help.html: Forgotten words" in found


def test_sentences_are_found_in_python_templates_and_scripts() -> None:
    found = catalogue.sentences()
    assert found["Counting cards"] == "officer.html"
    assert found["Not confirmed"] == "common.js"
    assert found["the cell is a date, not a card's number"] == "domain/manifest_problems.py"
    assert any(place == "service/station.py" for place in found.values())


@pytest.mark.parametrize("word", ["rusak", "Kelapa Lima"])
def test_what_people_wrote_themselves_is_not_in_the_catalogue(word: str) -> None:
    assert word not in catalogue.sentences()


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("id", "Entri 28.664 tidak menghitung kartu"),
        ("en", "Entry 28,664 did not count a card"),
    ],
)
def test_numbers_in_sentences_are_written_as_the_language_does(code: str, said: str) -> None:
    error = InputError(
        "entry %(sequence)s did not count a card, so there is nothing to take "
        "back; look its number up in the log",
        sequence=28664,
    )
    told = Language(code, assets.folder("web") / "translations").error(error)
    assert told.startswith(said), told
    waiting = InputError("too many wrong tries; wait %(wait_s)d s", wait_s=15)
    assert "15" in Language(code, assets.folder("web") / "translations").error(waiting)


@pytest.mark.parametrize(
    ("code", "said"), [("id", "Rabu, 19 Desember 2018"), ("en", "Wednesday, 19 December 2018")]
)
def test_days_are_written_as_the_language_does(code: str, said: str) -> None:
    assert Language(code, assets.folder("web") / "translations").day(date(2018, 12, 19)) == said

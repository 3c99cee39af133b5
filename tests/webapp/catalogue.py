"""Finds every sentence that a page can show, and keeps the Indonesian catalogue beside them.

`python -m tests.webapp.catalogue` brings `web/translations` up to date: new sentences come in
untranslated, old ones go, and the `.mo` file is written from the `.po` file.
"""

import ast
import errno
import io
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from babel.messages import catalog, extract, mofile, pofile

import scanner_station
from scanner_station import assets
from scanner_station.domain.entry_shapes import SHAPES
from scanner_station.domain.manifest_problems import TEXTS
from scanner_station.exports import guide_text, problem_list
from scanner_station.readers.camera_scene import Hint
from scanner_station.readers.decoding.engines import ZBAR_MISSING
from scanner_station.storage.manifest_file import MAGIC
from scanner_station.webapp import calls

PACKAGE = Path(scanner_station.__file__).parent
WEB = assets.folder("web")
PO_FILE = WEB / "translations" / "id" / "LC_MESSAGES" / "station.po"
MO_FILE = PO_FILE.with_suffix(".mo")

SYSTEM_WORDS = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOSPC, errno.EROFS),
    *(errno.ENODEV, errno.ENXIO, errno.EBUSY, errno.ECONNREFUSED, errno.ETIMEDOUT),
    *(errno.EHOSTUNREACH, errno.ECONNRESET),
)

# Words that stand in for %(what)s, %(why)s and the like in other sentences.
WORDS = (
    *("reason", "title", "place", "category", "name", "position", "letterhead", "office"),
    *("officer", "witness", "supervisor"),
    *("16 digits", "a serial number", "a chip number", "comma, semicolon or tab"),
    *("comma", "semicolon", "tab", "a vertical bar", "a colon", "spaces"),
    "a separator inside quotation marks",
    *("plain text", "nothing", "a web page", "a zip archive of something else"),
    *(name for _, name in MAGIC),
    *("its directory is broken", "its end is missing", "it is packed in an unusual way"),
    *("a part cannot be unpacked", "its parts do not fit together"),
    *("missing", "there", "entry", "tile", "this head", "the earlier head", "batch", "station"),
    *("the policy from outside", "the receipt"),
    # why something failed, as the system says it
    *(os.strerror(number) for number in SYSTEM_WORDS),
    "another device has taken its name",
    "digits 7 to 10 are no birth day and month",
    "it ends in 0000, as it does once Excel has dropped the last digits",
)

# Said on the command line only.
NOT_ON_PAGES = ("cli/", "config.py", "collector/", "readers/stdin.py")
ERRORS = {
    "StationError",
    "InputError",
    "ManifestError",
    "ManifestCancelledError",
    "__init__",
    "BatchError",
    "EntryError",
    "ReaderError",
    "StorageError",
    "VerificationError",
    "AccessError",
    "LockedOutError",
    "FolderInUseError",
    "ReaderNotice",
    "StationFault",
    "Remark",
    # what verifiers say
    "_refuse",
    "_remark_on",
    # what readers say through a method of their own
    "_say",
    "_say_once",
    "_tell",
    "_tell_surprise",
}

_NONE_KNOWN: Mapping[str, object] = MappingProxyType({})


def sentences() -> dict[str, str]:
    """Every English sentence, with one place where it stands."""
    found: dict[str, str] = dict.fromkeys(WORDS, "a value in other sentences")
    for reason, remedy in TEXTS.values():
        found |= {reason: "domain/manifest_problems.py", remedy: "domain/manifest_problems.py"}
    forms = {form.name for shape in SHAPES.values() for form in shape.forms.values()}
    found |= dict.fromkeys(forms, "domain/entry_forms.py")
    found |= dict.fromkeys(guide_text.sentences(), "exports/guide_text.py")
    found |= dict.fromkeys((*problem_list.HEADER, "problems"), "exports/problem_list.py")
    found |= dict.fromkeys(calls._REFUSALS.values(), "webapp/calls.py")
    found |= dict.fromkeys((*Hint, ZBAR_MISSING), "readers/camera.py")
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith(NOT_ON_PAGES):
            found |= dict.fromkeys(in_python(path.read_text("utf-8")), place)
    for path in sorted((WEB / "templates").glob("*.html")):
        found |= dict.fromkeys(_extracted("jinja2.ext:babel_extract", path, ("_",)), path.name)
    for path in sorted((WEB / "static" / "js").glob("*.js")):
        found |= dict.fromkeys(_extracted("javascript", path, ("t",)), path.name)
    return found


@cache
def in_python(text: str) -> tuple[str, ...]:
    """Return the templates given to errors and notices, literal or by a constant's name.

    Also what `checked_text` calls a text, which stands in its sentences.

    A table named `_SENTENCES` is one of templates: an error takes the one that fits. So is what
    is called `wrong` or `message`, and what a function `_wrong…` returns.
    """
    tree = ast.parse(text)
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    found = [said for node in ast.walk(tree) for said in _in_node(node, constants)]
    return (*found, *_names_of_texts(tree))


def _in_node(node: ast.AST, constants: Mapping[str, object]) -> Iterator[str]:
    match node:
        case ast.Call() if _name(node.func) in ERRORS:
            given = [word.value for word in node.keywords if word.arg == "message"]
            for value in given or node.args[:1]:
                yield from _constants(value, constants)
        case ast.Assign() if _name(node.targets[0]) in ("wrong", "message"):
            yield from _constants(node.value)
        case ast.FunctionDef() if node.name.startswith("_wrong"):
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            yield from chain.from_iterable(_constants(value) for value in returned if value)
        case ast.AnnAssign() if _name(node.target) == "_SENTENCES" and node.value:
            yield from ast.literal_eval(ast.Tuple(node.value.values, ast.Load()))


def _constants(
    value: ast.expr, known: Mapping[str, object] = MappingProxyType({})
) -> Iterator[str]:
    for part in _branches(value):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Name) and part.id in known:
            yield str(known[part.id])


def _names_of_texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in ("checked_text", "_optional"):
            yield from (str(what.value) for what in node.args[1:] if isinstance(what, ast.Constant))


def _branches(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.IfExp):
        yield from _branches(value.body)
        yield from _branches(value.orelse)
    else:
        yield value


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _extracted(method: str, path: Path, keywords: tuple[str, ...]) -> tuple[str, ...]:
    return _extracted_from(method, path.read_bytes(), keywords)


@cache
def _extracted_from(method: str, text: bytes, keywords: tuple[str, ...]) -> tuple[str, ...]:
    options = {"parse_template_string": True, "encoding": "utf-8"}
    words = dict.fromkeys(keywords)
    found = extract.extract(method, io.BytesIO(text), words, (), options)
    return tuple(message if isinstance(message, str) else message[0] for _, message, _, _ in found)


def read() -> catalog.Catalog:
    """The catalogue as it is."""
    if not PO_FILE.exists():
        return catalog.Catalog(locale="id")
    with PO_FILE.open("rb") as file:
        return pofile.read_po(file, locale="id")


def compiled(known: catalog.Catalog) -> bytes:
    """What the `.mo` file of a catalogue has to be."""
    file = io.BytesIO()
    mofile.write_mo(file, known)
    return file.getvalue()


def update() -> list[str]:
    """Bring both files up to date; return what is not translated."""
    old = read()
    epoch = datetime(2018, 12, 19, tzinfo=UTC)
    new = catalog.Catalog(
        locale="id",
        project="scanner-station",
        creation_date=epoch,
        revision_date=epoch,
        header_comment="# Indonesian sentences of the pages.",
        fuzzy=False,
    )
    for message, place in sorted(sentences().items()):
        if not message:
            continue
        translated = old.get(message)
        new.add(message, translated.string if translated else "", auto_comments=[place])
    file = io.BytesIO()
    pofile.write_po(file, new, width=100, sort_output=True)
    PO_FILE.write_bytes(file.getvalue())
    MO_FILE.write_bytes(compiled(read()))
    return [message.id for message in new if message.id and not message.string]


if __name__ == "__main__":
    for missing in update():
        print("not translated:", missing)

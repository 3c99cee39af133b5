"""A disk that forgets: what can be found on it when the power fails at any moment.

What was synchronised is there. Of everything later, any part may be: each write by itself, in any
order, cut at any 512-byte sector; lengths of files likewise. Names come and go in the order in
which their folder was changed, but only as far as the disk got. Two bytes that share a sector do
not spoil each other ("powersafe overwrite", as SQLite assumes of disks).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.power.trace import Call

SECTOR: Final = 512
REBUILT: Final = "-shm"
"""SQLite's index of the write-ahead log lives in memory; after a crash it is made anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """A write to a file that was not synchronised yet, or (`data` None) a new length."""

    offset: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.offset :]
            content.extend(bytes(self.offset - len(content)))
        else:
            content.extend(bytes(max(0, self.offset - len(content))))
            content[self.offset : self.offset + len(self.data)] = self.data

    def pieces(self) -> Iterator["Change"]:
        """Cut it at the sectors of the disk."""
        if self.data is None:
            yield self
            return
        place = self.offset
        end = self.offset + len(self.data)
        while place < end:
            until = min(end, (place // SECTOR + 1) * SECTOR)
            yield Change(place, self.data[place - self.offset : until - self.offset])
            place = until


@dataclass(slots=True)
class File:
    kept: bytearray = field(default_factory=bytearray)
    waiting: list[Change] = field(default_factory=list)

    def synchronise(self) -> None:
        for change in self.waiting:
            change.apply(self.kept)
        self.waiting.clear()


@dataclass(frozen=True, slots=True)
class Named:
    """A name now stands for something (None: for nothing); `moved` is the name that it had."""

    path: str
    what: "File | Folder | None"
    moved: str = ""


@dataclass(slots=True)
class Folder:
    kept: dict[str, "File | Folder"] = field(default_factory=dict)
    waiting: list[Named] = field(default_factory=list)

    def names(self, count: int | None = None) -> dict[str, "File | Folder"]:
        """What it holds once so many of the waiting changes are on disk (None: all)."""
        found = dict(self.kept)
        for named in self.waiting[:count]:
            if named.moved:
                found.pop(named.moved, None)
            found.pop(named.path, None)
            if named.what is not None:
                found[named.path] = named.what
        return found

    def synchronise(self) -> None:
        self.kept = self.names()
        self.waiting.clear()


@dataclass(slots=True)
class _Open:
    what: File | Folder
    place: int = 0


Image = dict[str, bytes]
"""A file's content by its path under the folder; folders that are empty are not there."""


class Disk:
    """A folder on the disk, empty and synchronised at first; `take` follows a program's calls."""

    def __init__(self, root: Path) -> None:
        self._prefix = str(root).encode() + b"/"
        self.root = Folder()
        self._open: dict[str, _Open] = {}
        self.changes = 0
        """How often the folder has changed, synchronisations among it."""

    def take(self, call: Call) -> None:
        """Do what the program did; a call this disk does not know must not touch the folder."""
        work = getattr(self, "_" + call.name, None)
        if work is not None:
            work(call)
            return
        texts = [one for one in call.arguments if isinstance(one, bytes)]
        assert str(call.arguments[0]) not in self._open, call
        assert not any(one.startswith(self._prefix) for one in texts), call

    # --- calls ---------------------------------------------------------------------------------

    def _openat(self, call: Call) -> None:
        self._open.pop(str(call.result), None)
        path, flags = self._path(call.arguments[1]), str(call.arguments[2]).split("|")
        if path is None:
            return
        if "O_TMPFILE" in str(call.arguments[2]):
            self._open[str(call.result)] = _Open(File())
            return
        folder, name = self._place(path)
        what = folder.names().get(name) if name else folder
        if what is None:
            assert "O_CREAT" in flags, call
            what = File()
            self._name(folder, Named(name, what))
        if "O_TRUNC" in flags:
            self._change(what, Change(0, None))
        assert "O_APPEND" not in flags
        self._open[str(call.result)] = _Open(what)

    def _close(self, call: Call) -> None:
        self._open.pop(str(call.arguments[0]), None)

    def _lseek(self, call: Call) -> None:
        if (opened := self._opened(call)) is not None:
            opened.place = call.result

    def _read(self, call: Call) -> None:
        if (opened := self._opened(call)) is not None:
            opened.place += call.result

    def _write(self, call: Call) -> None:
        if (opened := self._opened(call)) is not None:
            self._put(opened.what, opened.place, call)
            opened.place += call.result

    def _pwrite64(self, call: Call) -> None:
        if (opened := self._opened(call)) is not None:
            self._put(opened.what, int(str(call.arguments[3])), call)

    def _ftruncate(self, call: Call) -> None:
        if (opened := self._opened(call)) is not None:
            self._change(opened.what, Change(int(str(call.arguments[1])), None))

    def _fsync(self, call: Call) -> None:
        if (opened := self._opened(call)) is not None:
            opened.what.synchronise()
            self.changes += 1

    _fdatasync = _fsync

    def _mkdir(self, call: Call) -> None:
        if (path := self._path(call.arguments[0])) is not None:
            folder, name = self._place(path)
            self._name(folder, Named(name, Folder()))

    def _unlink(self, call: Call) -> None:
        if (path := self._path(call.arguments[0])) is not None:
            folder, name = self._place(path)
            self._name(folder, Named(name, None))

    def _unlinkat(self, call: Call) -> None:
        self._unlink(call._replace(arguments=call.arguments[1:]))

    def _linkat(self, call: Call) -> None:
        if (path := self._path(call.arguments[3])) is not None:
            source = call.arguments[1]
            assert isinstance(source, bytes)
            assert source.startswith(b"/proc/self/fd/"), call
            folder, name = self._place(path)
            self._name(folder, Named(name, self._open[source[14:].decode()].what))

    def _rename(self, call: Call) -> None:
        old, new = map(self._path, call.arguments)
        if old is not None and new is not None:
            folder, name = self._place(new)
            assert name, "nothing is moved over a folder"
            # A folder may be moved, too: its own name is asked of the one that holds it.
            (within, _, before), (into, _, _) = old.rpartition("/"), new.rpartition("/")
            assert within == into, "names are moved within a folder only"
            self._name(folder, Named(name, folder.names()[before], moved=before))

    def _renameat(self, call: Call) -> None:
        self._rename(call._replace(arguments=[call.arguments[1], call.arguments[3]]))

    _renameat2 = _renameat

    def _mkdirat(self, call: Call) -> None:
        self._mkdir(call._replace(arguments=call.arguments[1:]))

    def _opened(self, call: Call) -> _Open | None:
        return self._open.get(str(call.arguments[0]))

    def _put(self, what: File | Folder, place: int, call: Call) -> None:
        data = call.arguments[1]
        assert isinstance(data, bytes)
        self._change(what, Change(place, data[: call.result]))

    def _change(self, what: File | Folder, change: Change) -> None:
        assert isinstance(what, File)
        what.waiting.append(change)
        self.changes += 1

    def _name(self, folder: Folder, named: Named) -> None:
        folder.waiting.append(named)
        self.changes += 1

    def _path(self, text: bytes | str) -> str | None:
        assert isinstance(text, bytes)
        if text + b"/" == self._prefix:
            return ""
        inside = text.startswith(self._prefix)
        return text.removeprefix(self._prefix).decode() if inside else None

    def _place(self, path: str) -> tuple[Folder, str]:
        folder, parts = self.root, path.split("/")
        for part in parts[:-1]:
            found = folder.names()[part]
            assert isinstance(found, Folder)
            folder = found
        found = folder.names().get(parts[-1]) if parts[-1] else folder
        return (found, "") if isinstance(found, Folder) else (folder, parts[-1])

    # --- what may be found ---------------------------------------------------------------------

    def image(self, survival: "Survival") -> Image:
        """Return what is there after a power cut now."""
        found: Image = {}
        self._collect(self.root, "", survival, found)
        return found

    def _collect(self, folder: Folder, prefix: str, survival: "Survival", found: Image) -> None:
        for name, what in folder.names(survival.names(len(folder.waiting))).items():
            if isinstance(what, Folder):
                self._collect(what, f"{prefix}{name}/", survival, found)
            elif not name.endswith(REBUILT):
                content = bytearray(what.kept)
                for change in survival.changes(what.waiting):
                    change.apply(content)
                found[prefix + name] = bytes(content)


class Survival:
    """Which of the changes that wait are found on the disk: each with one chance, or torn."""

    def __init__(self, chance: float, dice: random.Random) -> None:
        self._chance = chance
        self._dice = dice

    def names(self, waiting: int) -> int:
        if self._chance in (0.0, 1.0):
            return round(self._chance * waiting)
        return self._dice.randint(0, waiting)

    def changes(self, waiting: list[Change]) -> Iterator[Change]:
        for change in waiting:
            fate = self._dice.random()
            if self._chance == 1.0 or fate < self._chance * 0.6:
                yield change
            elif fate < self._chance:
                yield from (one for one in change.pieces() if self._dice.random() < 0.5)

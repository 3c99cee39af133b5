"""Hashes entries and the nodes over them; those of a long log in two processes side by side.

Run as a program, this module is the second process. It is sent the same bytes that are looked at
in the first, so no file can be read twice and differ; it ends when nobody sends any more.
"""

import hashlib
import os
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import IO, Final, NamedTuple, cast

import numpy as np

from scanner_station.domain import tiles
from scanner_station.domain.columns import Bytes, Lines, Numbers
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.merkle import HASH_BYTES

_LONG: Final = 200_000
"""A log of fewer entries takes hardly a second, and a process some of that to begin."""
_MOST_SENT: Final = 2
_MOST_AHEAD_BYTES: Final = 6 << 20
"""Of entries that wait to be looked at; more would only fill the memory."""
_HEADER: Final = struct.Struct("=QQ")
_BEGUN: Final = b"."


class Hashes(NamedTuple):
    """The hash of each entry of a block, and the root over each full tile, one below the other."""

    leaves: Bytes
    roots: Bytes


def hashed(blocks: Iterator[Lines], size: int) -> Iterator[tuple[Lines, Hashes]]:
    """Yield blocks of a log of `size` entries with their hashes; each block begins with a tile.

    Before each entry stands a byte that is zero. What is raised by `blocks` is raised behind all
    blocks before it.
    """
    second = _second_process() if size >= _LONG and (os.cpu_count() or 1) > 1 else None
    if second is None:
        yield from ((entries, _hashes(entries.data, entries.ends)) for entries in blocks)
        return
    waiting: deque[tuple[Lines, Future[Hashes]]] = deque()
    failed: VerificationError | None = None
    with closing(second):
        try:
            for entries in blocks:
                waiting.append((entries, second.hashes(entries)))
                while waiting and (waiting[0][1].done() or _are_many(waiting)):
                    first, its_hashes = waiting.popleft()
                    yield first, its_hashes.result()
        except VerificationError as error:
            failed = error
        yield from ((first, its_hashes.result()) for first, its_hashes in waiting)
    if failed is not None:
        raise failed


def _are_many(waiting: Iterable[tuple[Lines, object]]) -> bool:
    return sum(len(entries.data) for entries, _ in waiting) > _MOST_AHEAD_BYTES


def _second_process() -> "_SecondProcess | None":
    try:
        return _SecondProcess()
    except OSError:  # this machine has no room for one
        return None


class _SecondProcess:
    # Has as much to do as it can; the rest is hashed here. If it dies, everything is.
    def __init__(self) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - our own module, no input
            [sys.executable, "-P", "-m", __name__],  # -P: nothing from the folder it begins in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the first one, which ends this one
        )
        self._stdin = cast(IO[bytes], self._child.stdin)
        self._stdout = cast(IO[bytes], self._child.stdout)
        self._thread = ThreadPoolExecutor(1)
        # Until it has begun it counts as busy.
        self._sent: list[Future[Hashes] | Future[bytes]] = [
            self._thread.submit(self._stdout.read, len(_BEGUN))
        ] * _MOST_SENT

    def hashes(self, entries: Lines) -> Future[Hashes]:
        self._sent = [one for one in self._sent if not one.done()]
        if len(self._sent) < _MOST_SENT:
            future = self._thread.submit(self._ask, entries)
            self._sent.append(future)
        else:
            future = Future()
            future.set_result(_hashes(entries.data, entries.ends))
        return future

    def _ask(self, entries: Lines) -> Hashes:
        count = len(entries.ends)
        size_bytes = (count + count // tiles.WIDTH) * HASH_BYTES
        with suppress(OSError):
            self._stdin.write(_HEADER.pack(len(entries.data), count))
            self._stdin.write(entries.data.data)
            self._stdin.write(entries.ends.data)
            self._stdin.flush()
            if len(answer := self._stdout.read(size_bytes)) == size_bytes:
                return Hashes(_rows(answer)[:count], _rows(answer)[count:])
        return _hashes(entries.data, entries.ends)

    def close(self) -> None:
        self._child.kill()
        self._thread.shutdown(cancel_futures=True)
        with suppress(OSError), self._child:  # what could not be sent any more
            pass


def _hashes(data: Bytes, ends: Numbers) -> Hashes:
    sha256, view = hashlib.sha256, memoryview(data.data)
    begins = [tiles.LENGTH_BYTES - 1, *(ends[:-1] + tiles.LENGTH_BYTES - 1).tolist()]
    places = zip(begins, ends.tolist(), strict=True)
    leaves = _rows(b"".join([sha256(view[begin:end]).digest() for begin, end in places]))
    level = leaves[: len(leaves) // tiles.WIDTH * tiles.WIDTH]
    for _ in range(tiles.HEIGHT):
        nodes = np.ones((len(level) // 2, 1 + 2 * HASH_BYTES), np.uint8)
        nodes[:, 1:] = level.reshape(len(nodes), 2 * HASH_BYTES)
        packed = nodes.view(f"V{nodes.shape[1]}").ravel().tolist()
        level = _rows(b"".join([sha256(node).digest() for node in packed]))
    return Hashes(leaves, level)


def _rows(hashes: bytes) -> Bytes:
    return np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES)


def _serve(source: IO[bytes], sink: IO[bytes]) -> None:
    sink.write(_BEGUN)
    sink.flush()
    while header := source.read(_HEADER.size):
        size_bytes, count = _HEADER.unpack(header)
        data = np.frombuffer(source.read(size_bytes), np.uint8)
        ends = np.frombuffer(source.read(count * np.dtype(np.int64).itemsize), np.int64)
        for hashes in _hashes(data, ends):
            sink.write(hashes.data)
        sink.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)

"""Manifests that come in through the page: checked, then written, each on a thread of its own."""

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from scanner_station.domain.errors import BatchError, ManifestError, StationError
from scanner_station.domain.manifest import ManifestReport
from scanner_station.domain.manifest_problems import Problem
from scanner_station.service import batches
from scanner_station.service.station import Station
from scanner_station.service.views import Json
from scanner_station.storage import incoming
from scanner_station.storage.checked_manifest import CheckedManifest
from scanner_station.webapp.translate import Language

_log = logging.getLogger(__name__)


class JobState(StrEnum):
    """How far a manifest has come."""

    CHECKING = "checking"
    REFUSED = "refused"
    CHECKED = "checked"
    WRITING = "writing"
    WRITTEN = "written"
    CANCELLED = "cancelled"
    FAILED = "failed"


_AT_WORK: Final = (JobState.CHECKING, JobState.WRITING)


@dataclass(slots=True)
class Job:
    """One manifest of one batch. Its thread writes, pages only look."""

    path: Path
    file_name: str
    state: JobState = JobState.CHECKING
    done: int = 0
    total: int = 0
    checked: CheckedManifest | None = None
    error: StationError | None = None
    is_cancelled: threading.Event = field(default_factory=threading.Event)

    def advance(self, done: int, total: int) -> None:
        """Note how far the work is, for the pages' progress bar."""
        self.done, self.total = done, total

    def discard(self) -> None:
        """Give back what its file and its checked rows take; the report stays."""
        self.path.unlink(missing_ok=True)
        if self.checked is not None:
            self.checked.close()

    def as_json(self, language: Language) -> Json:
        """Return the state and the progress; the report, in a language, once there is one."""
        return {
            "file_name": self.file_name,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "report": None if self.checked is None else _report(self.checked.report, language),
            "error": None if self.error is None else language.error(self.error),
        }


class ManifestJobs:
    """At most one manifest at a time for each batch; the newest one is remembered."""

    def __init__(self, station: Station) -> None:
        """Sweep away what an earlier run left behind."""
        self._station = station
        self.folder = incoming.sweep(station.folder)
        # Guards `_jobs`, `_threads` and the step from CHECKED to another state.
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}

    def new_file(self) -> Path:
        """Return an empty file, readable by this account only, for an upload."""
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            return Path(file.name)

    def job(self, slug: str) -> Job:
        """Return the newest manifest of a batch.

        Raises:
            BatchError: none has come in since the start.
        """
        job = self._jobs.get(slug)
        if job is None:
            raise BatchError("no manifest has been sent for batch %(slug)s; send one", slug=slug)
        return job

    def check(self, slug: str, path: Path, file_name: str) -> Job:
        """Start to check a file that has come in; it is deleted when it is no longer needed.

        Raises:
            ManifestError: another one of this batch is at work.
        """
        job = Job(path=path, file_name=file_name)
        try:
            self._start(slug, job, self._check)
        except ManifestError:
            path.unlink(missing_ok=True)
            raise
        return job

    def write(self, slug: str, by: str) -> Job:
        """Start to write the manifest that was checked.

        Raises:
            BatchError: none has come in.
            ManifestError: it is not checked, or was refused.
        """
        job = self.job(slug)
        with self._lock:
            if job.state is not JobState.CHECKED:
                raise ManifestError(
                    "the manifest of batch %(slug)s is not ready to be loaded; check a file first",
                    slug=slug,
                )
            job.state, job.done = JobState.WRITING, 0
        self._start(slug, job, lambda slug, job: self._write(slug, job, by))
        return job

    def cancel(self, slug: str) -> Job:
        """Stop the work on a manifest, or forget its file; nothing of it stays.

        Raises:
            BatchError: none has come in.
        """
        job = self.job(slug)
        with self._lock:
            job.is_cancelled.set()
            if job.state is JobState.CHECKED:
                job.state = JobState.CANCELLED
            if job.state not in _AT_WORK:
                job.discard()
        return job

    def problems(self, slug: str) -> tuple[str, Iterator[Problem]]:
        """Return the name of the file that was refused, and all its problems, found anew.

        Raises:
            BatchError: none has come in.
            ManifestError: it was not refused, or its file is gone.
        """
        job = self.job(slug)
        if job.state is not JobState.REFUSED or not job.path.exists():
            raise ManifestError(
                "there is no refused manifest of batch %(slug)s here any more; check a file first",
                slug=slug,
            )
        found = batches.problems_of_manifest(self._station, slug, job.path, job.file_name)
        return job.file_name, found

    def close(self) -> None:
        """Cancel what is at work and wait for it."""
        for job in list(self._jobs.values()):
            job.is_cancelled.set()
        for thread in list(self._threads.values()):
            thread.join()
        for job in list(self._jobs.values()):
            job.discard()

    def _start(self, slug: str, job: Job, work: Callable[[str, Job], None]) -> None:
        with self._lock:
            known = self._jobs.get(slug)
            if known is not None and known is not job and known.state in _AT_WORK:
                raise ManifestError(
                    "another manifest of batch %(slug)s is being read; wait or cancel it",
                    slug=slug,
                )
            if known is not None and known is not job:
                known.discard()
            self._jobs[slug] = job
            thread = threading.Thread(target=self._run, args=(slug, job, work), name="manifest")
            self._threads[slug] = thread
        thread.start()

    def _run(self, slug: str, job: Job, work: Callable[[str, Job], None]) -> None:
        try:
            work(slug, job)
        except StationError as error:
            job.error = error
            job.state = JobState.CANCELLED if job.is_cancelled.is_set() else JobState.FAILED
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and the page would wait
            _log.exception("the manifest of batch %s", slug)
            job.error = ManifestError(
                "the file could not be read; save it again as CSV or Excel (.xlsx) and try again"
            )
            job.state = JobState.FAILED
        if job.state is JobState.CHECKED:
            job.path.unlink(missing_ok=True)  # what was read of it waits elsewhere
        elif job.state is not JobState.REFUSED:  # all its problems may still be asked for
            job.discard()

    def _check(self, slug: str, job: Job) -> None:
        checked = batches.check_manifest(
            self._station,
            slug,
            job.path,
            job.file_name,
            progress=job.advance,
            cancelled=job.is_cancelled.is_set,
        )
        job.checked = checked
        if job.is_cancelled.is_set():
            job.state = JobState.CANCELLED
        else:
            refused = checked.report.problem_count > 0
            job.state = JobState.REFUSED if refused else JobState.CHECKED

    def _write(self, slug: str, job: Job, by: str) -> None:
        if job.checked is None:
            raise ManifestError("the manifest is not checked; check a file first")
        batches.import_manifest(
            self._station,
            slug,
            job.checked,
            by=by,
            progress=job.advance,
            cancelled=job.is_cancelled.is_set,
        )
        job.state = JobState.WRITTEN


def _report(report: ManifestReport, language: Language) -> Json:
    problems = [
        problem.as_json()
        | {
            "reason": language.filled(problem.reason, problem.values),
            "remedy": language.filled(problem.remedy, problem.values),
        }
        for problem in report.problems
    ]
    warnings = [language.filled(warning.message, warning.values) for warning in report.warnings]
    return report.as_json() | {"problems": problems, "warnings": warnings}

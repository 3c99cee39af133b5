"""Figures for a monitoring system (Prometheus); nothing in them names a batch or a card."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily

from scanner_station.domain.events import EntryRecorded, Event, StationFault
from scanner_station.readers.decoding.stages import StageCounts
from scanner_station.service.bus import Bus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts what the bus tells, in a registry of its own so that two stations can share a test."""

    def __init__(
        self,
        bus: Bus,
        *,
        streams_used: Callable[[], int],
        stream_slots: int,
        decoder_counts: StageCounts,
    ) -> None:
        """Listen to `bus` from now on."""
        self._registry = CollectorRegistry()
        self._entries = Counter(
            "scanner_station_entries",
            "Entries written since the start.",
            ["kind", "verdict"],
            registry=self._registry,
        )
        self._fault = Gauge(
            "scanner_station_fault", "1 while the station has stopped.", registry=self._registry
        )
        self.scan_seconds = Histogram(
            "scanner_station_page_scan_seconds",
            "From a page's request to its verdict, on disk.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self._registry,
        )
        used = Gauge("scanner_station_streams", "Live pages now.", registry=self._registry)
        used.set_function(streams_used)
        slots = Gauge(
            "scanner_station_stream_slots", "Live pages at most.", registry=self._registry
        )
        slots.set(stream_slots)
        self._registry.register(_DecoderStages(decoder_counts))
        bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, EntryRecorded):
            body = event.body
            self._entries.labels(body["kind"], body.get("verdict", "")).inc()
        elif isinstance(event, StationFault):
            self._fault.set(1 if event.message else 0)

    def text(self) -> bytes:
        """Return all figures in the text format."""
        return generate_latest(self._registry)


class _DecoderStages:
    """What each stage of decoding did, asked for when the figures are asked for."""

    def __init__(self, counts: StageCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        by_stage = self._counts.as_dict()
        for name, what, key, factor in (
            ("tried", "Times a stage of decoding was tried.", "tried", 1.0),
            ("readings", "Times a stage of decoding read a code.", "read", 1.0),
            ("accepted", "Cards that a stage read first and that were believed.", "accepted", 1.0),
            ("seconds", "Time that a stage of decoding took.", "ms", 1e-3),
        ):
            family = CounterMetricFamily(f"scanner_station_decoder_{name}", what, labels=["stage"])
            for stage, figures in by_stage.items():
                family.add_metric([stage], figures[key] * factor)
            yield family
        yield CounterMetricFamily(
            "scanner_station_decoder_frames", "Camera frames looked at.", value=self._counts.frames
        )
        yield CounterMetricFamily(
            "scanner_station_decoder_crashes",
            "Pictures that cost a decoder's process.",
            value=self._counts.crashes,
        )

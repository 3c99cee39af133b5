"""`run` and `demo`: the station with its readers and pages, until it is told to stop."""

import logging
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from scanner_station.cli import compose
from scanner_station.cli.main import cli, with_data
from scanner_station.config import Settings
from scanner_station.service.watchdog import Watchdog


@cli.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings (TOML).")
@with_data
def run(config_file: Path | None, data: Path) -> None:
    """Run the station: readers, log and pages, until SIGTERM or Ctrl-C.

    Without any device in the settings and without a real batch in the data folder, simulated
    readers count made-up cards into a batch of their own.
    """
    settings = compose.load_settings(data, config_file)
    _run(data, settings, simulate=not (settings.cameras or settings.serials))


@cli.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data folder.")
@click.option("--port", type=int, help="Port of the pages (else the settings').")
@click.option("--cards", type=click.IntRange(1, 9999), default=240, show_default=True)
@click.pass_context
def demo(context: click.Context, data: Path | None, port: int | None, cards: int) -> None:
    """Run everything simulated, no hardware, with a batch to play with.

    Without --data the batch lives in a temporary folder and is gone afterwards.
    """
    with _demo_folder(data or context.find_root().obj) as folder:
        settings = compose.load_settings(folder)
        _run(folder, settings, simulate=True, cards=cards, port=port)


@contextmanager
def _demo_folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="scanner-station-demo-") as folder:
        yield Path(folder)


def _run(
    data: Path, settings: Settings, *, simulate: bool, cards: int = 240, port: int | None = None
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    from scanner_station.cli.daemon import daemon as running_daemon  # OpenCV is slow to import

    with running_daemon(data, settings, simulate=simulate, cards=cards, port=port) as daemon:
        click.echo(f"The station is counting. Open {daemon.address}/ in a browser.")
        click.echo(
            f"  officer {daemon.address}/   witness {daemon.address}/witness   "
            f"supervisor {daemon.address}/supervisor"
        )
        if daemon.network.https_address:
            click.echo(
                f"  tablets {daemon.network.https_address}/   how they come to trust it "
                f"{daemon.network.certificate_address}/"
            )
        click.echo(f"  data folder {data.resolve()}; Ctrl-C stops the station.")
        watchdog = Watchdog(is_alive=daemon.is_alive)
        watchdog.start()
        stopped.wait()
        watchdog.stop()
    click.echo("The station has stopped; everything counted is on disk.")

"""Notes in the logs that are open: what happened at the station, not to one card."""

from sqlite3 import Connection

from scanner_station.domain.entry import Body, Entry, Kind, timestamp
from scanner_station.service.station import Station
from scanner_station.storage import batches, scan_log
from scanner_station.storage.batches import STILL_OPEN


def note_in_open_logs(station: Station, connection: Connection, *, by: str, note: str) -> None:
    """Write an entry with a note into the log of each open batch that has begun.

    A log begins with its opening entry, so a batch without a card yet has none to write into.
    """
    for batch in batches.every(connection):
        sequence = scan_log.next_sequence(connection, batch.id)
        if batch.state not in STILL_OPEN or not sequence:
            continue
        body: Body = {
            "at": timestamp(station.clock.now()),
            "batch": batch.slug,
            "by": by,
            "kind": Kind.NOTE,
            "reason": note,  # where exports show what somebody wrote
            "sequence": sequence,
            "station": station.name,
        }
        scan_log.append(connection, batch.id, Entry(sequence=sequence, body=body))
        station.forget_counter(batch.slug)

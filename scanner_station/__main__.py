"""`python -m scanner_station` is the command `scanner-station`."""

from scanner_station.cli.main import main

main()

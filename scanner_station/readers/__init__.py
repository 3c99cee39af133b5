"""Turns light or bytes into readings: camera, decoder, serial port, standard input."""

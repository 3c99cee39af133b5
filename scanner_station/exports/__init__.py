"""The log as files for people and programs outside the station."""

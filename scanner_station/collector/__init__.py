"""The hub for several stations (nothing here yet)."""

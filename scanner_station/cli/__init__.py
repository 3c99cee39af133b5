"""The command line, and the one place that joins the parts (compose)."""

"""The one SQLite file, the manifest files that go into it, and durable file writes."""

"""The station at work: the one writer, the event bus, reader loops, batches and recovery."""

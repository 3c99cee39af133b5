"""What is true of cards, batches and counts; no files, sockets, threads, clock or logging."""

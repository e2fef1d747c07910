"""What `tests/bench/run` is made of: one subject a file, servers below, measurements above."""

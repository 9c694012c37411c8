"""Training runs: configuration, loop, child process."""

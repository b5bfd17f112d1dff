"""A run: its file and settings, what a stage is, the runner, workers, progress, status, the machine's devices."""

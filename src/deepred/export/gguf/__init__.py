"""GGUF files that pass their gates."""

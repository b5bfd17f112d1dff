"""Probes: statements, clozes, dated events and questions, fixed before any training."""

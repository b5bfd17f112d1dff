"""Evaluation: what a model knows before and after the cutoff, with intervals and controls, and the report."""

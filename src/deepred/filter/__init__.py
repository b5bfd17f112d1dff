"""Emergence, classes, the sentence filter and its audit: where the cutoff enters."""

"""Instruments: how well the filter works."""

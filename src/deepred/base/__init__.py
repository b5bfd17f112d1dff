"""Days, tables, files, counts, errors: what everything stands on; imports nothing of ours."""

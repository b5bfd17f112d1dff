"""Pages: the report, runs compared, twins compared."""

"""What people do with the filter beside a run."""

"""Date expressions of English prose: found, read as intervals, told from what only looks like one."""

"""The dated encyclopedia for people and programs: articles and paragraphs of a finished run, found as of a day."""

"""MediaWiki dumps: decoded, scanned, written as structured text."""

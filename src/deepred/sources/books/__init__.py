"""Project Gutenberg's books: read, dated, cleaned, chosen."""

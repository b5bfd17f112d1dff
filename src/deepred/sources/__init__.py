"""Dumps, wikitext, books, games, year articles and the generated world as documents."""

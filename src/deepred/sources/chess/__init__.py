"""Chess games: read, replayed, written as prose."""

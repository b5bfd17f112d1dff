"""The generated world: an encyclopedia, facts, books and games in which everything is known."""

"""English: sentences, hashed words, phrases, chunks, date expressions. Usable without the rest."""

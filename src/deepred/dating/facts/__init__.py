"""Dated facts of Wikidata and YAGO."""

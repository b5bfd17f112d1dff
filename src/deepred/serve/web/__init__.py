"""The encyclopedia as pages for people: rendered on the server, read without scripts, made lively by one module."""

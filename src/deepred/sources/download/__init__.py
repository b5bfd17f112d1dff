"""Downloads of public sources: one connection, gone on with, checked."""

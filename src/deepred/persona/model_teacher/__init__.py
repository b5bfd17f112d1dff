"""A teacher behind an endpoint: what it is asked, and what it answered."""

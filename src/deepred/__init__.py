"""Deep Red: language models whose knowledge ends on a day you choose, and the proof of how well that worked."""

__version__ = "0.1.0"

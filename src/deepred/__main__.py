"""``python -m deepred`` is the command ``deepred``."""

from deepred.cli import main

main()

"""``python -m deepred`` is the command ``deepred``."""

from deepred.cli.main import main

main()

"""The commands by topic; ``cli.py`` lists them. What a command imports, it imports when it runs."""

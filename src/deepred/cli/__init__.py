"""The commands by topic; ``main.py`` lists them. What a command imports, it imports when it runs."""

"""The commands by topic; ``main.py`` lists them. What is heavy to import, a command imports when it runs."""

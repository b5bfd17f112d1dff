"""A model behind an OpenAI-compatible endpoint, asked many questions by a command: bounded, durable, resumable."""

"""What a finished model is used through."""

"""Who the model is, and the conversations that teach it."""

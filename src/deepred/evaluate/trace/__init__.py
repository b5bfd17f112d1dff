"""From what a model knows back to the sentences that it was trained on."""

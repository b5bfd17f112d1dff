"""Loss, model, pre-training, checkpoints, fine-tuning and merging; torch lives here."""

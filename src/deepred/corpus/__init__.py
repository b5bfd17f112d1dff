"""Probes, mixture, tokenizer, token files: from documents to what a model is trained on."""

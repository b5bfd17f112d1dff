"""GGUF files that llama.cpp opens, proven equal to the model they were made from."""

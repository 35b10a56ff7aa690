"""From a text to token ids, one file per tokenizer."""

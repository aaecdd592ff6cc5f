"""From raw files to the documents that a model is trained on."""

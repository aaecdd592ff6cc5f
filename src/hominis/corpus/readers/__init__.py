"""From a raw file to its documents, as Arrow record batches in the file's own order."""

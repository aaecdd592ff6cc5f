"""What a file of a code repository is: its licence, its language, and whether people wrote it."""

"""hominis: raw text corpora to a pretrained language model and a results table that states its carbon cost."""

__version__ = "0.1.0"

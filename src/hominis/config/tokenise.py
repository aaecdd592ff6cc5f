"""Settings of the stages that turn text into tokens."""

from pathlib import Path

from pydantic import Field

from hominis.config.base import Section, unkeyed


class VocabularySection(Section):
    """How the byte-level BPE vocabulary is learnt from the training text; or whose is taken."""

    file: Path | None = unkeyed(
        None, description="A tokenizer.json to take rather than learn one: that of the model whose weights are adopted."
    )
    vocab_size: int = Field(8192, ge=257, description="Entries, the 256 bytes and end_of_text among them.")
    end_of_text: str = Field("<|endoftext|>", min_length=1, description="The token that ends every document.")
    min_frequency: int = Field(2, ge=1, description="A pair is merged only if it is seen this often.")
    max_bytes: int = Field(
        64_000_000,
        ge=1,
        description="Text learnt from, at most about this much, shared evenly by the corpora; a corpus with less "
        "than its share leaves the rest to the others.",
    )
    batch_documents: int = unkeyed(256, ge=1, description="Documents held in memory at a time.")
    threads: int = unkeyed(0, ge=0, description="Threads of the trainer; 0: one per core.")


class TokeniseSection(Section):
    """How a corpus becomes token shards: nothing to choose but the pace."""

    batch_documents: int = unkeyed(256, ge=1, description="Documents encoded at a time.")
    workers: int = unkeyed(0, ge=0, description="Processes; 0: one per core.")

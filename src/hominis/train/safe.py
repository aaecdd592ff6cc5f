"""The weights of a Hugging Face folder, read one at a time from its safetensors. Pickles are never opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.errors import InputError

if TYPE_CHECKING:
    import torch

INDEX, ALONE = "model.safetensors.index.json", "model.safetensors"
DERIVED = ".rotary_emb.inv_freq"
"""End of the names of weights that old folders have and that follow from the configuration."""


def files(folder: Path) -> list[str]:
    """Return the names of the files with the weights.

    Raises:
        InputError: there are none, or not all that the index names.
    """
    index = folder / INDEX
    try:
        named = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else [ALONE]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{INDEX} is no index: {error!r}", where=index, remedy="download it again") from None
    absent = [name for name in named if Path(name).name != name or not (folder / name).is_file()]
    if absent:
        remedy = "name a folder with safetensors; transformers' save_pretrained writes them of any model"
        raise InputError(f"there is no {', '.join(absent)}", where=folder.absolute(), remedy=remedy)
    return named


class Weights:
    """The weights by name."""

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._folder = folder
        self._at: dict[str, Any] = {}
        for file in files(folder):
            try:
                opened: Any = safe_open(folder / file, framework="pt")
            except SafetensorError as error:
                raise InputError(f"{file} is broken: {error}", where=folder, remedy="download it again") from None
            self._at |= dict.fromkeys(opened.keys(), opened)

    def check(self, wanted: set[str]) -> None:
        """Check that there is what is ``wanted``, and nothing that would make another model of it.

        Raises:
            InputError: some are missing or too many; names them.
        """
        absent = sorted(wanted - set(self._at))
        strange = sorted(name for name in set(self._at) - wanted if not name.endswith(DERIVED))
        if absent or strange:
            found = [f"{len(names)} {what}: {', '.join(names[:4])}" for names, what in _named(absent, strange)]
            remedy = "take a Llama or Mixtral model without biases, adapters and quantised weights"
            raise InputError(f"weights {'; '.join(found)}", where=self._folder, remedy=remedy)

    def read(self, name: str) -> torch.Tensor:
        """Return a weight in fp32."""
        weight: torch.Tensor = self._at[name].get_tensor(name)
        return weight.float()


def _named(absent: list[str], strange: list[str]) -> list[tuple[list[str], str]]:
    return [(names, what) for names, what in ((absent, "missing"), (strange, "not known")) if names]

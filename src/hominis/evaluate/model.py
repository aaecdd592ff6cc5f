"""lm-eval's Hugging Face model, which says how far it is and doesn't generate past a stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer, StoppingCriteria, StoppingCriteriaList

Report = Callable[[float, float, str], None]
LOOKBACK = 8
"""Tokens searched for a stop at each step; one spelt in more tokens is cut from the text all the same, later."""


class ReportingModel(HFLM):  # type: ignore[misc]
    """A causal model on the CPU in fp32.

    Special tokens inside a text are read as text, as they were when the model was trained.

    Args:
        folder: an exported model with its tokenizer.
        batch_size: requests per forward pass.
        report: is told ``(done, total, unit)``.
    """

    def __init__(self, folder: str, batch_size: int, report: Report) -> None:
        tokenizer = AutoTokenizer.from_pretrained(folder, split_special_tokens=True)
        super().__init__(pretrained=folder, tokenizer=tokenizer, device="cpu", dtype="float32", batch_size=batch_size)
        self._report, self._done, self._total = report, 0, 0

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = True) -> list[float]:
        """Return a log-likelihood per document."""
        lengths = [len(self.tok_encode(request.args[0])) for request in requests]
        self._total = sum(-(-length // self.max_length) for length in lengths)
        likelihoods: list[float] = super().loglikelihood_rolling(requests, disable_tqdm=disable_tqdm)
        return likelihoods

    def _loglikelihood_tokens(self, requests: Any, disable_tqdm: bool = True, override_bs: int | None = None) -> Any:
        answers = super()._loglikelihood_tokens(requests, disable_tqdm=True, override_bs=override_bs)
        self._done += len(requests)
        self._report(self._done, self._total, "windows")
        return answers

    def generate_until(self, requests: list[Any], disable_tqdm: bool = True) -> list[str]:
        """Return a completion per prompt."""
        self._total = len(requests)
        texts: list[str] = super().generate_until(requests, disable_tqdm=disable_tqdm)
        return texts

    def _model_generate(self, context: torch.Tensor, max_length: int, stop: list[str], **options: Any) -> Any:
        """Generate greedily until each row has met a stop of its own; upstream goes on until all met the same one."""
        rows, prompt = context.shape
        step = 1 / (max_length - prompt)

        def on_token(tokens: int) -> None:
            self._report(self._done + rows * tokens * step, self._total, "items")

        stopping = _AnyStop(self.tokenizer, stop, prompt, on_token)
        with torch.no_grad():
            generated = self.model.generate(
                input_ids=context,
                attention_mask=options["attention_mask"],
                max_length=max_length,
                do_sample=False,
                stopping_criteria=StoppingCriteriaList([stopping]),
                pad_token_id=self.tokenizer.pad_token_id,
                eos_token_id=self.eot_token_id,
                use_cache=True,
            )
        self._done += rows
        return generated


class _AnyStop(StoppingCriteria):  # type: ignore[misc]
    """Says of each row whether its newest tokens spell a stop."""

    def __init__(self, tokenizer: Any, stops: list[str], prompt: int, on_token: Callable[[int], None]) -> None:
        self._tokenizer, self._stops, self._prompt, self._on_token = tokenizer, stops, prompt, on_token

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        new = input_ids[:, self._prompt :]
        self._on_token(new.shape[1])
        texts = self._tokenizer.batch_decode(new[:, -LOOKBACK:], skip_special_tokens=True)
        met = [any(stop in text for stop in self._stops) for text in texts]
        return torch.tensor(met, dtype=torch.bool, device=input_ids.device)

"""How many tokens published scaling laws find best for a model or an amount of compute.

The laws disagree, for they were fitted on other data, sizes and schedules: they are shown side by side. All speak of
training alone; a model that is to be used much is trained on more. They were fitted on dense models: of a mixture of
experts the parameters that see a token are counted.

* Kaplan et al. 2020 (arXiv:2001.08361): tables 2 and 6. Parameters without embeddings, compute in PF-days.
* Hoffmann et al. 2022 (arXiv:2203.15556), "Chinchilla": approaches 1 and 2 as the power laws through tables 3 and A3,
  approach 3 from section 3.3 with the exponents' digits of the paper's sources (0.3392, 0.2849).
* Besiroglu et al. 2024 (arXiv:2404.10102): approach 3 fitted again to the same data; agrees with approaches 1 and 2.
* DeepSeek LLM 2024 (arXiv:2401.02954): equation 4. The model's scale is FLOPs per token without embeddings, attention's
  products among them.
* Llama 3 2024 (arXiv:2407.21783): tokens = A C^alpha with the digits of figure 3 (0.299, 0.537). The text cuts them to
  0.29 and 0.53, which miss its own 16.55 T tokens at 3.8e25 FLOPs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

PF_DAY = 8.64e19
"""FLOPs of a petaFLOP/s for a day."""

Optimum = tuple[float, float]
"""Parameters and tokens."""


@dataclass(frozen=True)
class Size:
    """A model as the laws see it.

    Attributes:
        parameters: those that see a token, embeddings among them.
        embeddings: of them in the embedding of tokens and the output.
    """

    parameters: float
    embeddings: float
    layers: int
    hidden: int
    sequence: int

    @property
    def inner(self) -> float:
        """Parameters without embeddings."""
        return self.parameters - self.embeddings

    @property
    def flops_per_token(self) -> float:
        """FLOPs of a token, forward and backward, as DeepSeek counts: without embeddings, with attention's products."""
        return 6 * self.inner + 12 * self.layers * self.hidden * self.sequence


@dataclass(frozen=True)
class Parametric:
    """The loss in nats per token as ``E + A / N^alpha + B / D^beta`` of N parameters and D tokens."""

    e: float
    a: float
    b: float
    alpha: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        """Return nats per token of the law's own data and vocabulary."""
        return float(self.e + self.a / parameters**self.alpha + self.b / tokens**self.beta)

    def optimum(self, compute: float) -> Optimum:
        """Return the lowest loss's parameters and tokens for ``compute = 6 N D`` FLOPs (Hoffmann, equation 4)."""
        total = self.alpha + self.beta
        ratio = (self.alpha * self.a / (self.beta * self.b)) ** (1 / total)
        parameters = ratio * (compute / 6) ** (self.beta / total)
        return parameters, compute / 6 / parameters


HOFFMANN = Parametric(1.69, 406.4, 410.7, 0.3392, 0.2849)
BESIROGLU = Parametric(1.8172, 482.01, 2085.43, 0.3478, 0.3658)


def kaplan_loss(inner: float, tokens: float) -> float:
    """Return nats per token (Kaplan, equation 1.5 with table 2): their vocabulary has 50,257 entries."""
    return float(((6.4e13 / inner) ** (0.076 / 0.103) + 1.8e13 / tokens) ** 0.103)


def _kaplan(compute: float) -> Optimum:
    days = compute / PF_DAY
    return 1.3e9 * days**0.73, 2e10 * days**0.27


def _through(tokens_of_a_billion: float, exponent: float) -> Callable[[float], Optimum]:
    """Return the law ``tokens = tokens_of_a_billion (N / 1e9)^exponent`` by compute."""

    def optimum(compute: float) -> Optimum:
        billions = (compute / 6e9 / tokens_of_a_billion) ** (1 / (1 + exponent))
        return billions * 1e9, compute / 6e9 / billions

    return optimum


def _llama3(compute: float) -> Optimum:
    tokens = 0.299 * compute**0.537
    return compute / 6 / tokens, tokens


def _deepseek(compute: float) -> Optimum:
    return 0.1715 * compute**0.5243, 5.8316 * compute**0.4757


@dataclass(frozen=True)
class Law:
    """A published law.

    Attributes:
        scale: what it counts of a model.
        optimum: compute in FLOPs → that count and the tokens.
        loss: scale and tokens → nats per token, where the law says it.
        flops: of a token, for each that ``scale`` counts.
    """

    name: str
    paper: str
    scale: Callable[[Size], float]
    optimum: Callable[[float], Optimum]
    loss: Callable[[float, float], float] | None = None
    flops: float = 6.0

    def tokens_for(self, size: Size) -> float:
        """Return the tokens of the compute for which this model is the best."""
        wanted, low, high = self.scale(size), 1e9, 1e33
        for _ in range(120):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.optimum(middle)[0] < wanted else (low, middle)
        return self.optimum(low)[1]


LAWS = (
    Law("Kaplan 2020", "arXiv:2001.08361", lambda s: s.inner, _kaplan, kaplan_loss),
    Law("Chinchilla 1, envelope", "arXiv:2203.15556", lambda s: s.parameters, _through(20.2e9, 1.007)),
    Law("Chinchilla 2, IsoFLOP", "arXiv:2203.15556", lambda s: s.parameters, _through(20.0e9, 1.0407)),
    Law("Chinchilla 3, fit", "arXiv:2203.15556", lambda s: s.parameters, HOFFMANN.optimum, HOFFMANN.loss),
    Law("Besiroglu 2024", "arXiv:2404.10102", lambda s: s.parameters, BESIROGLU.optimum, BESIROGLU.loss),
    Law("DeepSeek 2024", "arXiv:2401.02954", lambda s: s.flops_per_token, _deepseek, flops=1.0),
    Law("Llama 3 2024", "arXiv:2407.21783", lambda s: s.parameters, _llama3),
)


@dataclass(frozen=True)
class Advice:
    """What a law says of a run.

    Attributes:
        tokens: that make the best of a model of this size.
        ratio: the run's tokens over those.
        best_size: of the best model for the run's compute, over the size of the run's.
        best_tokens: the tokens of that one.
        loss: nats per token expected of the run on the law's own data; None where the law doesn't say.
    """

    law: str
    paper: str
    tokens: float
    ratio: float
    best_size: float
    best_tokens: float
    loss: float | None


def advise(size: Size, tokens: float) -> list[Advice]:
    """Return what each law says of training a model of ``size`` on ``tokens``."""
    return [_advice(law, size, tokens) for law in LAWS]


def _advice(law: Law, size: Size, tokens: float) -> Advice:
    scale, wanted = law.scale(size), law.tokens_for(size)
    best_scale, best_tokens = law.optimum(law.flops * scale * tokens)
    loss = law.loss(scale, tokens) if law.loss else None
    return Advice(law.name, law.paper, wanted, tokens / wanted, best_scale / scale, best_tokens, loss)

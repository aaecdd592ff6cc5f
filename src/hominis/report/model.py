"""What ``results.json`` holds: every number that the report shows, each beside what it came from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hominis.carbon.costs import Account, Record, Spread


class Provenance(Record):
    """What a block of numbers came from.

    Attributes:
        part: the part's id; "" where the numbers are of the whole stage.
        key, digest: of the part's receipt, or of the stage's; of the whole ledger where ``stage`` is ``account``.
        attempts: ids ``<key>/<n>`` of the attempts that made it, lost ones included.
        commit: of the source that those attempts ran, "+changes" if it was changed since, all of them if
            they differ; "" outside a checkout.
        config: digest of the run's configuration.
    """

    stage: str
    part: str
    key: str
    digest: str
    attempts: list[str]
    commit: str
    config: str


class Run(Record):
    """The run. ``finished`` is the end of its last attempt, in UTC; "" if it has none."""

    name: str
    title: str
    abstract: str
    model: str
    finished: str
    commit: str
    dirty: bool
    config_digest: str


class Training(Record):
    """What was pretrained. ``layout`` maps tp, pp, vp, cp, ep and dp to numbers of processes or pieces."""

    parameters: int | None
    steps: int | None
    tokens: int | None
    loss_first: float | None
    loss_last: float | None
    precision: str | None
    kernels: str | None
    layout: dict[str, int]
    provenance: Provenance


class Published(Record):
    """A number that others published, with the digits that they printed."""

    value: float
    text: str
    source: str
    note: str


class Measured(Record):
    """A number that this run measured, or why it didn't. ``low`` and ``high`` are the error band."""

    status: Literal["run", "not run"]
    reason: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    items: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    provenance: list[Provenance] = Field(default_factory=list)


class TableRow(Record):
    """A benchmark: published numbers by model, and ours."""

    category: str
    benchmark: str
    metric: str
    unit: str
    published: dict[str, Published]
    measured: Measured


class Order(Record):
    """A byte n-gram model on the same corpus.

    Attributes:
        beaten: the model's bits per byte are lower.
        certain: the model's error band lies wholly on one side.
    """

    order: int
    bits_per_byte: float
    beaten: bool
    certain: bool


class HeldOut(Record):
    """Bits per byte on a corpus's held-out text. The two byte counts differ if the model was shown a part of it."""

    corpus: str
    value: float | None
    low: float | None
    high: float | None
    reason: str
    bytes: int | None
    ngram_bytes: int | None
    orders: list[Order]
    provenance: list[Provenance]


class Amount(Record):
    """Documents and their UTF-8 bytes."""

    documents: int
    bytes: int


class Removed(Amount):
    """What a rule of the policy removed first; ``paper`` is where the rule is from, empty for duplicates."""

    rule: str
    paper: str = ""


class Funnel(Record):
    """What curation read, removed and kept of a source; of all sources where ``source`` is ""."""

    source: str
    corpus: str
    read: Amount
    removed: list[Removed]
    kept: Amount
    heldout: Amount
    provenance: list[Provenance]


class Name(Amount):
    """A language, a licence or a domain, and the text of that name; "" is of documents without one."""

    name: str


class Others(Amount):
    """The text of all further names; ``names`` is how many they are, None where that isn't known."""

    names: int | None


class Names(Record):
    """The text by language, licence or domain.

    Attributes:
        largest: the largest first.
        exact: False where a name's documents may partly be among the others: its figures are the least there can be.
    """

    largest: list[Name]
    others: Others
    exact: bool


class Sample(Record):
    """How a document begins that was drawn by the ``hash`` of its id."""

    hash: str
    id: str
    text: str


class Asked(Record):
    """An evaluation task: its ``items``, those too short to be sought in a text, the ``documents`` that hold one."""

    items: int
    undecidable: int
    documents: int


class Card(Record):
    """What is in the text that was kept of a source; of all sources of a corpus where ``source`` is "".

    Attributes:
        skipped: records that became no documents, by reason.
        noted: documents by what was done about them as they were read.
        pii: places where personal data was replaced, by kind.
        contamination: documents removed because they hold what an evaluation asks, by task.
    """

    source: str
    corpus: str
    skipped: dict[str, int]
    noted: dict[str, int]
    pii: dict[str, int]
    contamination: dict[str, Asked]
    languages: Names
    licences: Names
    domains: Names
    samples: list[Sample]
    provenance: list[Provenance]


class Blended(Record):
    """A corpus in the blend: its share of the samples, how often it is seen, and whether that is too often."""

    corpus: str
    share: float
    epochs: float
    worn: bool


class Mix(Record):
    """How training mixed the corpora.

    Attributes:
        dropped: corpora of the blend that this run didn't have.
        enough: epochs up to which repeated text is nearly as good as new.
    """

    corpora: list[Blended]
    dropped: list[str]
    enough: float
    provenance: Provenance


class CurvePoint(Record):
    """Means of the steps that end with ``step``; None where none of them has the figure.

    Attributes:
        loss: nats per token.
        smoothed: mean loss of the steps around, a hundredth of all on either side, without those skipped.
        tokens_per_s: tokens of those steps over their seconds, as recorded by the last attempt that did them.
    """

    step: int
    tokens: int
    loss: float | None
    smoothed: float | None
    learning_rate: float | None
    grad_norm: float | None
    tokens_per_s: float | None


class Mark(Record):
    """Something that happened to training.

    Attributes:
        what: ``restart``: an attempt went on after ``first``; ``skipped``: the step changed no weight; ``rollback``:
            the steps ``first`` to ``last`` led astray, training went back and left them out.
        note: which attempt, or why.
    """

    what: Literal["restart", "skipped", "rollback"]
    first: int
    last: int
    note: str


class Curves(Record):
    """How training went; each point is of ``every`` steps. Speed and MFU are medians over the steps, if recorded."""

    every: int
    points: list[CurvePoint]
    marks: list[Mark]
    tokens_per_s: float | None
    mfu: float | None
    provenance: Provenance


class Dataset(Record):
    """A source as downloaded."""

    source: str
    corpus: str
    kind: str
    licence: str
    revision: str
    locator: str
    bytes: int
    sha256: str
    provenance: Provenance


class Tokens(Record):
    """A tokenised corpus; ``bytes_per_token`` of its training text, None if it has none."""

    corpus: str
    bytes_per_token: float | None
    train_documents: int
    train_tokens: int
    train_bytes: int
    heldout_documents: int
    heldout_tokens: int
    heldout_bytes: int
    provenance: Provenance


class StageRow(Record):
    """A stage of this run: what names its bytes, and what they cost."""

    stage: str
    revision: int
    parts: int
    attempts: int
    attempts_lost: int
    seconds: float
    energy_kwh: float
    co2e_g: Spread
    provenance: Provenance


class Results(Record):
    """All of it. A section that the run didn't have is empty or None.

    Attributes:
        format: raised when a reader of older files would misread a newer one.
        models: the columns of published scores.
    """

    format: Literal[2] = 2
    run: Run
    models: list[str]
    table: list[TableRow]
    held_out: list[HeldOut]
    training: Training | None
    curves: Curves | None
    funnel: Funnel | None
    funnels: list[Funnel]
    corpus_funnels: list[Funnel]
    datasets: list[Dataset]
    cards: list[Card]
    corpus_cards: list[Card]
    tokens: list[Tokens]
    mix: Mix | None
    stages: list[StageRow]
    account: Account
    config: dict[str, Any]

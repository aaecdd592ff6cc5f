"""What ``evaluate.model`` does faster than upstream's class must not change an answer."""

from types import SimpleNamespace

import pytest

from tests.unit.evaluate.tiny_model import CODE, CONTEXT, PROSE, export

pytest.importorskip("lm_eval", reason="lm_eval is not installed")
STOPS = ["\nclass", "the", " x", ";", "0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(export(tmp_path_factory.mktemp("export")))


@pytest.fixture(scope="module")
def upstream(folder):
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=4)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def ours(folder, reports):
    from hominis.evaluate.model import ReportingModel

    return ReportingModel(folder, 4, lambda *report: reports.append(report))


def prompts():
    settings = {"until": STOPS, "max_gen_toks": 24, "do_sample": False}
    texts = [PROSE[n][: 10 + 7 * n] for n in range(7)] + [CODE[n] * 4 for n in range(3)]
    return [SimpleNamespace(args=(text, dict(settings))) for text in texts]


def test_completions_are_upstreams(ours, upstream):
    expected = upstream.generate_until(prompts(), disable_tqdm=True)
    assert ours.generate_until(prompts()) == expected
    assert len(set(expected)) > 5


def test_generation_reports_items_up_to_their_number(ours, reports):
    ours.generate_until(prompts())
    done = [report[0] for report in reports]
    assert done == sorted(done) and 0 < done[0] < done[-1] <= 10
    assert {report[1:] for report in reports} == {(10, "items")}


def test_a_batch_ends_when_every_row_has_met_a_stop(ours, reports):
    long = [
        SimpleNamespace(args=(one.args[0], one.args[1] | {"until": list("aeio tnsr\n"), "max_gen_toks": 40}))
        for one in prompts()[:4]
    ]
    ours.generate_until(long)
    assert len(reports) < 40


def documents():
    return [SimpleNamespace(args=(text,)) for text in ("".join(PROSE[:20]), "x", "".join(CODE[:9]), PROSE[3])]


def test_likelihoods_are_upstreams(ours, upstream, reports):
    expected = upstream.loglikelihood_rolling(documents(), disable_tqdm=True)
    assert ours.loglikelihood_rolling(documents()) == pytest.approx(expected, rel=1e-6)
    assert reports[-1][0] == reports[-1][1] > len(documents())


def test_likelihood_is_the_sum_over_windows_of_the_models_own(ours):
    """The windows are computed again by hand: each predicts up to a context of tokens from the token before them."""
    import torch

    text = "".join(PROSE[:6])
    tokens = ours.tok_encode(text)
    total = 0.0
    for start in range(0, len(tokens), CONTEXT):
        target = tokens[start : start + CONTEXT]
        # The last window of lm-eval is as long as the others as far as it can, by earlier tokens as context.
        end = start + len(target)
        first = max(0, end - CONTEXT)
        given = [0, *tokens][first:end]
        with torch.no_grad():
            logits = ours.model(torch.tensor([given])).logits[0].log_softmax(-1)
        total += sum(float(logits[len(given) - len(target) + n, token]) for n, token in enumerate(target))
    (found,) = ours.loglikelihood_rolling([SimpleNamespace(args=(text,))])
    assert found == pytest.approx(total, rel=1e-5)


def test_special_tokens_in_a_text_are_text(ours, folder):
    from tokenizers import Tokenizer

    plain = Tokenizer.from_file(f"{folder}/tokenizer.json")
    plain.encode_special_tokens = True
    for text in ("<|endoftext|>", "a <|endoftext|> b"):
        assert ours.tok_encode(text) == plain.encode(text).ids
        assert 0 not in ours.tok_encode(text)

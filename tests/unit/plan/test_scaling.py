"""The scaling laws give the figures that their papers print."""

import pytest

from hominis.plan.scaling import BESIROGLU, HOFFMANN, LAWS, Size, advise, kaplan_loss
from hominis.plan.vocabulary import vocabularies

BY_NAME = {law.name: law for law in LAWS}


def sized(parameters, embeddings=0.0, layers=40, hidden=5120, sequence=4096):
    return Size(parameters, embeddings, layers, hidden, sequence)


@pytest.mark.parametrize(
    ("law", "billions", "tokens"),
    [
        ("Chinchilla 1, envelope", 0.4, 8.0e9),
        ("Chinchilla 1, envelope", 10, 205.1e9),
        ("Chinchilla 1, envelope", 175, 3.7e12),
        ("Chinchilla 1, envelope", 1000, 21.2e12),
        ("Chinchilla 2, IsoFLOP", 0.4, 7.7e9),
        ("Chinchilla 2, IsoFLOP", 10, 219.5e9),
        ("Chinchilla 2, IsoFLOP", 280, 7.1e12),
        ("Chinchilla 2, IsoFLOP", 1000, 26.5e12),
    ],
)
def test_chinchilla_tokens_are_those_of_tables_3_and_a3(law, billions, tokens):
    assert BY_NAME[law].tokens_for(sized(billions * 1e9)) == pytest.approx(tokens, rel=0.012)


@pytest.mark.parametrize(("billions", "tokens"), [(1, 27.1e9), (10, 410.1e9), (67, 4.1e12), (520, 43.5e12)])
def test_the_third_approach_is_as_near_to_table_a3_as_its_rounded_coefficients_allow(billions, tokens):
    assert BY_NAME["Chinchilla 3, fit"].tokens_for(sized(billions * 1e9)) == pytest.approx(tokens, rel=0.16)


def test_chinchilla_itself_is_the_best_model_for_its_compute():
    size, tokens = BY_NAME["Chinchilla 1, envelope"].optimum(5.76e23)
    assert size == pytest.approx(67e9, rel=0.04) and tokens == pytest.approx(1.4e12, rel=0.05)
    assert BY_NAME["Chinchilla 1, envelope"].tokens_for(sized(70e9)) == pytest.approx(1.4e12, rel=0.05)


def test_the_exponents_of_the_third_approach_are_those_of_table_2():
    smaller, larger = HOFFMANN.optimum(1e20), HOFFMANN.optimum(1e22)
    assert larger[0] / smaller[0] == pytest.approx(100**0.46, rel=0.02)
    assert larger[1] / smaller[1] == pytest.approx(100**0.54, rel=0.02)


def test_the_optimum_of_a_parametric_law_is_its_lowest_loss():
    compute = 5.76e23
    best, tokens = BESIROGLU.optimum(compute)
    assert best * tokens * 6 == pytest.approx(compute)
    around = [BESIROGLU.loss(best * f, tokens / f) for f in (0.9, 0.97, 1.03, 1.1)]
    assert BESIROGLU.loss(best, tokens) < min(around)


def test_the_replication_finds_about_20_tokens_per_parameter_at_chinchillas_compute():
    size, tokens = BESIROGLU.optimum(5.76e23)
    assert 17 < tokens / size < 23


def test_kaplan_gives_larger_models_fewer_tokens_than_chinchilla():
    kaplan, chinchilla = (BY_NAME[name].optimum(5.76e23) for name in ("Kaplan 2020", "Chinchilla 1, envelope"))
    assert kaplan[0] > 5 * chinchilla[0] and kaplan[1] < chinchilla[1] / 3


def test_kaplans_loss_without_end_of_data_is_the_law_of_parameters_alone():
    assert kaplan_loss(1.5e9, 1e30) == pytest.approx((6.4e13 / 1.5e9) ** 0.076, rel=1e-3)


def test_llama_3_is_402_billion_parameters_on_16_55_trillion_tokens():
    size, tokens = BY_NAME["Llama 3 2024"].optimum(3.8e25)
    assert size == pytest.approx(402e9, rel=0.05) and tokens == pytest.approx(16.55e12, rel=0.05)


def test_deepseeks_scale_times_tokens_is_the_compute():
    scale, tokens = BY_NAME["DeepSeek 2024"].optimum(1e22)
    assert scale * tokens == pytest.approx(1e22, rel=1e-3)


def test_deepseek_counts_72_layers_times_width_squared_for_a_model_of_12_width_squared_a_layer():
    layers, hidden, sequence = 30, 4096, 4096
    size = sized(12 * layers * hidden**2 + 4e8, 4e8, layers, hidden, sequence)
    assert size.flops_per_token == 72 * layers * hidden**2 + 12 * layers * hidden * sequence


def test_advice_for_the_best_size_is_to_change_nothing():
    for law in LAWS:
        size = sized(13e9, 0.3e9)
        [advice] = [a for a in advise(size, law.tokens_for(size)) if a.law == law.name]
        assert advice.ratio == pytest.approx(1)
        # Kaplan's compute is the least at small batches, not 6 N D
        assert advice.best_size == pytest.approx(1, rel=1e-3 if law.name != "Kaplan 2020" else 1.0)


@pytest.mark.parametrize(
    ("inner", "hidden", "thousands"),
    [(3e9, 3200, (39, 43, 37)), (7e9, 4096, (62, 67, 60)), (13e9, 5120, (83, 91, 81)), (70e9, 8192, (212, 231, 218))],
)
def test_vocabularies_are_those_of_taos_table_at_the_best_tokens(inner, hidden, thousands):
    compute = (inner / 0.08336) ** 2
    found = vocabularies(sized(inner, hidden=hidden), compute / 6 / inner)
    assert [round(entries / 1000) for entries in found.values()] == pytest.approx(thousands, abs=1)


def test_too_few_tokens_ask_for_a_smaller_vocabulary():
    few, best, many = (
        vocabularies(sized(2.87e9, hidden=3200), compute / 6 / 2.87e9)["loss at these tokens"]
        for compute in (2.8e20, 1.2e21, 2.3e22)
    )
    assert few == pytest.approx(24_000, rel=0.01) and few < best < many

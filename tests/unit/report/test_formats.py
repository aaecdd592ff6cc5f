import pytest

from hominis.report import formats

SPACE = formats.SPACE


@pytest.mark.parametrize(
    ("kwh", "text"),
    [(0, "0"), (0.00123, "1.23 Wh"), (0.9999, "1,000 Wh"), (2.5, "2.5 kWh"), (433_196, "433 MWh"), (None, "–")],
)
def test_energies_find_their_unit(kwh: float | None, text: str):
    assert formats.energy(kwh) == text.replace(" ", SPACE)


@pytest.mark.parametrize(("grams", "text"), [(12.3456, "12.3 g"), (62_440_000, "62.4 t"), (5e-7, "0.5 µg")])
def test_masses_find_their_unit(grams: float, text: str):
    assert formats.mass(grams) == text.replace(" ", SPACE)


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "0.5 s"), (61, "1 min 01 s"), (7_265, "2 h 01 min")])
def test_durations(seconds: float, text: str):
    assert formats.duration(seconds).replace(SPACE, " ") == text


@pytest.mark.parametrize(("number", "text"), [(3_412_992, "3.41 M"), (13_000_000_000, "13 B"), (999, "999")])
def test_large_numbers_are_shortened(number: float, text: str):
    assert formats.short(number) == text.replace(" ", SPACE)


def test_latex_prints_its_own_signs():
    assert formats.tex("a_b & 5% {x} ~ ^ \\ $ #") == (
        r"a\_b \& 5\% \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \$ \#"
    )


def test_markdown_cells_stay_one_cell_on_one_line():
    assert formats.markdown("a|b\nc <i>") == "a\\|b c &#60;i&#62;"

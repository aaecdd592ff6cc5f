"""The shipped policies on texts, through the real signals: what each rule is there for is removed by it."""

import pytest

from hominis.config.compose import compose
from hominis.corpus.explain import measured, verdict

PROSE = [
    "The valley lay quiet under a thin layer of snow when the first carriages of the morning arrived.",
    "Nobody at the station had expected visitors so early in the year, and the porter said as much.",
    "Two old women stepped down, shook out their coats, and asked for the road to the mill.",
    "It was the kind of question that told him they had not been here since the great flood.",
    "He pointed with his pipe towards a row of poplars that have marked the river bank ever since.",
    "Beyond them, he explained, one could see what remained of the wheel and its broken axle.",
]
ITALIAN = [
    "La valle era silenziosa sotto un sottile strato di neve quando arrivarono le prime carrozze del mattino.",
    "Nessuno alla stazione si aspettava visitatori in quella stagione, e il facchino lo disse senza riguardi.",
    "Due vecchie signore scesero, scossero i loro cappotti e chiesero la strada che portava al mulino.",
    "Era una di quelle domande che gli dicevano che non erano più tornate dopo la grande alluvione.",
    "Indicò con la pipa una fila di pioppi che da allora segnava la riva del fiume fino al ponte.",
    "Oltre quegli alberi, spiegò, si vedeva ancora quello che restava della ruota e del suo asse rotto.",
]

MENU = [
    "Opening hours yesterday only.",
    "Prices without notice.",
    "Beautiful rooms upstairs.",
    "Carriages leaving hourly.",
]


@pytest.fixture
def judge(tmp_path):
    def say(said, text):
        (tmp_path / "text.txt").write_text(text)
        return verdict(compose(said, "here"), measured(tmp_path / "text.txt"), None)

    return say


def lines(*changed, of=PROSE):
    return "\n".join([*of, *changed])


@pytest.mark.parametrize("said", ["gopher", "c4", "fineweb", "redpajama-strict"])
def test_prose_passes_every_policy_for_the_web(judge, said):
    assert judge(said, lines()) is None


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("word_count", PROSE[0]),
        ("mean_word_length", " ".join(f"{word}ization{word}ation{word}" for word in lines().split())),
        ("symbol_to_word_ratio", lines().replace(" ", " # ")),
        ("lines_start_with_bullet", "\n".join(f"- {line}" for line in PROSE)),
        ("lines_end_with_ellipsis", "\n".join(f"{line}.." for line in PROSE)),
        ("no_alphabetic_words", lines() + "".join(f" {n * 37 + 11};" for n in range(80))),
        ("stop_words", lines(of=ITALIAN)),
        ("duplicate_lines", lines(*["A short line."] * 5)),
        ("duplicate_line_characters", lines(PROSE[0], PROSE[0])),
        ("top_2gram", lines(" ".join(f"some thing {chr(97 + n)}" for n in range(20)))),
    ],
)
def test_gopher_removes(judge, rule, text):
    assert judge("gopher", text) == rule


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("terminal_punctuation", lines().replace(".", ",")),
        ("sentences", "\n".join(PROSE[:2])),
        ("javascript", lines("Please enable JavaScript to see this page.")),
        ("lorem_ipsum", lines("Lorem ipsum dolor sit amet.")),
        ("curly_bracket", lines("It said: { nothing }.")),
    ],
)
def test_c4_removes(judge, rule, text):
    assert judge("c4", text) == rule


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("language", lines(of=ITALIAN)),
        ("lines_end_with_punctuation", lines().replace(".", "")),
        ("short_lines", lines(*(f"{word} {n} {word}" for n, word in enumerate(PROSE[1].split())))),
        ("repeated_line_characters", lines(*(line for line in MENU for _ in range(2)))),
    ],
)
def test_fineweb_removes(judge, rule, text):
    assert judge(["english", {"extends": ["fineweb"], "without": ["sentences"]}], text) == rule


def test_italia_keeps_italian_and_only_that(judge):
    assert judge("italia", lines(of=ITALIAN)) is None
    assert judge("italia", lines()) == "language"


def test_code_keeps_a_module_and_removes_what_nobody_wrote(judge):
    module = "\n".join(f"def area_{n}(width, height):\n    return width * height + {n}\n" for n in range(20))
    assert judge("code", module) is None
    assert judge("code", module.replace("\n", ";")) == "mean_line_length"
    assert judge("code", module + "x = [" + "1, " * 400 + "]\n") == "longest_line"
    assert judge("code", "+-*/ | =\n" * 200) == "alphanumeric"
    assert judge("code", "import os\nimport sys\n") == "word_count"

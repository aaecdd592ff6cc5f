import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from hominis.config.tokenise import VocabularySection
from hominis.corpus import vocabulary
from hominis.errors import InputError
from tests.unit.corpus.selected import run, selected

PROSE = [f"The {n}th house on the hill has {n * 7} windows and a door; nobody counts the steps." for n in range(400)]
CODE = [f"def value_{n}(x: int) -> int:\n    return x * {n} + {n % 13}\n" for n in range(400)]
SMALL = VocabularySection(vocab_size=600)


@pytest.fixture
def corpora(tmp_path):
    web = selected(tmp_path / "select", "pages", "web", {"train": PROSE, "heldout": ["zqzqzqzqzq " * 50]})
    code = selected(tmp_path / "select", "gitea", "code", {"train": CODE})
    return {"select": [web, code]}


def learnt(corpora, root, section=SMALL):
    artefact = run(vocabulary, section, corpora, root)["all"]
    return Tokenizer.from_file(str(artefact.path / "tokenizer.json")), artefact.summary


def test_end_of_text_is_token_zero_and_all_bytes_follow(corpora, tmp_path):
    tokenizer, summary = learnt(corpora, tmp_path / "work")
    assert tokenizer.token_to_id("<|endoftext|>") == 0
    assert summary["vocab_size"] == tokenizer.get_vocab_size() == 600
    assert all(len(tokenizer.id_to_token(n)) == 1 for n in range(1, 257))


def test_any_text_survives_the_round_trip(corpora, tmp_path):
    tokenizer, _ = learnt(corpora, tmp_path / "work")
    text = "".join(map(chr, [*range(1, 0x300), 0x4E2D, 0x1F600, 0x2028])) + "  \n\t x\r\n  end "
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_heldout_text_teaches_nothing(corpora, tmp_path):
    tokenizer, summary = learnt(corpora, tmp_path / "work")
    assert len(tokenizer.encode("zqzq").ids) == 4
    assert summary["corpora"]["web"] == {"documents": 400, "bytes": sum(len(t.encode()) for t in PROSE)}


def test_frequent_words_become_one_token(corpora, tmp_path):
    tokenizer, _ = learnt(corpora, tmp_path / "work")
    assert len(tokenizer.encode(" windows").ids) == 1


def test_bound_on_the_text_is_shared_by_the_corpora(corpora, tmp_path):
    _, summary = learnt(corpora, tmp_path / "work", VocabularySection(vocab_size=300, max_bytes=20_000))
    assert summary["bytes"] == pytest.approx(20_000, rel=0.15)
    assert summary["corpora"]["web"]["bytes"] == pytest.approx(summary["corpora"]["code"]["bytes"], rel=0.3)


def test_small_corpus_leaves_its_share_to_the_others(tmp_path):
    web = selected(tmp_path / "select", "pages", "web", {"train": PROSE})
    code = selected(tmp_path / "select", "gitea", "code", {"train": CODE[:3]})
    _, summary = learnt({"select": [web, code]}, tmp_path / "work", VocabularySection(vocab_size=300, max_bytes=20_000))
    assert summary["corpora"]["code"]["documents"] == 3
    assert summary["corpora"]["web"]["bytes"] == pytest.approx(20_000, rel=0.15)


def test_vocabulary_smaller_than_asked_is_stated(tmp_path):
    tiny = {"select": [selected(tmp_path / "select", "pages", "web", {"train": ["ab ab"]})]}
    _, summary = learnt(tiny, tmp_path / "work")
    assert 257 < summary["vocab_size"] < 600


def test_no_training_text_is_an_input_error(tmp_path):
    nothing = {"select": [selected(tmp_path / "select", "pages", "web", {"heldout": PROSE})]}
    with pytest.raises(InputError, match="no training text"):
        learnt(nothing, tmp_path / "work")


AGAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from hominis.config.tokenise import VocabularySection
from hominis.corpus import vocabulary
from tests.unit.corpus.selected import artefact, run
select = [artefact(Path(p), "select", c, {"corpus": c}) for p, c in zip(sys.argv[3:5], ("web", "code"))]
section = VocabularySection(vocab_size=600, threads=int(sys.argv[5]), batch_documents=7)
run(vocabulary, section, {"select": select}, Path(sys.argv[2]))
"""


def test_file_is_the_same_in_another_process_with_other_threads_and_batches(corpora, tmp_path):
    learnt(corpora, tmp_path / "one")
    sources = [str(artefact.path) for artefact in corpora["select"]]
    for threads in ("1", "3"):
        root = tmp_path / threads
        arguments = [str(Path(__file__).parents[3]), str(root), *sources, threads]
        subprocess.run([sys.executable, "-c", AGAIN, *arguments], check=True)
        again = (root / "all/out/tokenizer.json").read_bytes()
        assert again == (tmp_path / "one/all/out/tokenizer.json").read_bytes()


def given(corpora, root, **settings):
    """Learn a vocabulary whose documents end with </s>, and the settings to take it."""
    learnt(corpora, root, VocabularySection(vocab_size=400, end_of_text="</s>"))
    return VocabularySection(file=root / "all" / "out" / "tokenizer.json", **settings)


def test_a_vocabulary_that_is_given_is_taken_byte_for_byte_and_reads_no_text(corpora, tmp_path):
    section = given(corpora, tmp_path / "other", vocab_size=400, end_of_text="</s>")
    (part,) = vocabulary.parts(section, corpora)
    assert part.inputs == {"select": []} and len(part.params["sha256"]) == 64
    taken = run(vocabulary, section, corpora, tmp_path / "run")["all"]
    assert (taken.path / "tokenizer.json").read_bytes() == section.file.read_bytes()
    assert taken.summary["vocab_size"] == 400


@pytest.mark.parametrize(
    ("settings", "said", "remedy"),
    [
        ({"end_of_text": "</s>"}, "has 400 entries, vocabulary.vocab_size is 8192", "set vocabulary.vocab_size to 400"),
        ({"vocab_size": 400}, "has no token <|endoftext|>", "set vocabulary.end_of_text"),
    ],
)
def test_a_given_vocabulary_that_is_not_what_the_settings_say_is_refused(corpora, tmp_path, settings, said, remedy):
    with pytest.raises(InputError) as error:
        run(vocabulary, given(corpora, tmp_path / "other", **settings), corpora, tmp_path / "run")
    assert said in error.value.problem and remedy in error.value.remedy


def test_a_given_vocabulary_that_is_none_is_refused(corpora, tmp_path):
    (tmp_path / "no.json").write_text("{}")
    for name, said in (("no.json", "it is no tokenizer"), ("absent.json", "can't read")):
        with pytest.raises(InputError, match=said):
            run(vocabulary, VocabularySection(file=tmp_path / name), corpora, tmp_path / f"run-{name}")

"""RedPajama-v2 in its published layout, through the real store."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hominis.cli.sources import command
from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.config.signals import NUMBERS
from hominis.corpus import annotate, explain
from hominis.errors import InputError
from hominis.stages import STAGES
from hominis.store.work import Work
from tests.unit.corpus.raw_files import row
from tests.unit.corpus.redpajama_files import (
    SHARD,
    document,
    documents_file,
    duplicates_file,
    id_of,
    lines_of,
    minhash_file,
    rows,
    signals_file,
    signals_of,
)

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden"
TEXTS = [f"This is document {n}, of a shard with only {n} others.\nIts second line ends here.\n" for n in range(30)]
DOCUMENTS = [document(text, url=f"https://www.example.org/{n}") for n, text in enumerate(TEXTS)]


@pytest.fixture
def annotated(work):
    """Fetch and annotate; return the artefacts of both."""

    def run(sources, **section):
        made = {"fetch": work(STAGES["fetch"], FetchSection(sources=sources), {})}
        section = AnnotateSection(**{"permutations": 16, **section})
        return made | {"annotate": work(STAGES["annotate"], section, made)}

    return run


def table(made):
    (artefact,) = made["annotate"]
    return {line["id"]: line for line in pq.read_table(artefact.path / "annotations.parquet").to_pylist()}


def summary(made):
    return made["annotate"][0].summary


def test_documents_have_their_published_ids_and_what_the_file_says_of_them(annotated, tmp_path):
    lines = [document("Questo testo dice di essere francese.", language="fr", language_score=0.5), "{", DOCUMENTS[0]]
    found = table(annotated(rows(documents_file(tmp_path, lines), licence="CC0-1.0"), max_rejects=0.5))
    assert list(found) == [id_of(0), id_of(2)]
    assert (found[id_of(0)]["language"], found[id_of(0)]["language_score"]) == ("fr", 0.5)
    assert {line["licence"] for line in found.values()} == {"CC0-1.0"}


def test_a_score_that_none_can_be_is_no_score(annotated, tmp_path):
    lines = [document("Questo testo dice di essere francese.", language="fr", language_score=7)]
    (found,) = table(annotated(rows(documents_file(tmp_path, lines)))).values()
    assert (found["language"], found["language_score"]) == ("fr", None)


def test_language_that_the_file_does_not_give_is_identified(annotated, tmp_path):
    lines = [document("Questo è un testo scritto in italiano, e si vede.", language=None), DOCUMENTS[0]]
    found = table(annotated(rows(documents_file(tmp_path, lines))))
    assert [line["language"] for line in found.values()] == ["it", "en"]


def test_published_signals_are_joined_by_id_and_what_is_missing_or_null_is_measured(annotated, tmp_path):
    given = [
        signals_of(2, DOCUMENTS[2], rps_doc_word_count=7777, rps_doc_ml_palm_score=0.25),
        signals_of(0, DOCUMENTS[0], rps_doc_word_count=None, rps_doc_curly_bracket=0.5),
    ]
    shard = documents_file(tmp_path, DOCUMENTS)
    bare, joined = table(annotated(rows(shard))), table(annotated(rows(shard, signals_file(tmp_path, given))))
    assert joined[id_of(1)] == bare[id_of(1)]
    assert joined[id_of(2)] == bare[id_of(2)] | {
        "rps_doc_word_count": 7777,
        "rps_doc_ml_palm_score": 0.25,
        "ccnet_perplexity": 149.5,
    }
    assert joined[id_of(0)] == bare[id_of(0)] | {"rps_doc_curly_bracket": 0.5, "ccnet_perplexity": 149.5}


def test_signals_of_another_document_are_rejected_and_measured_anew(annotated, tmp_path):
    longer = document(TEXTS[1] + "!", url=DOCUMENTS[1]["url"])
    elsewhere = document(TEXTS[2], url="https://www.example.org/another")
    given = [signals_of(n, it, rps_doc_word_count=1) for n, it in ((1, longer), (2, elsewhere), (3, DOCUMENTS[3]))]
    shard = documents_file(tmp_path, DOCUMENTS)
    made = annotated(rows(shard, signals_file(tmp_path, given)), max_rejects=0.1)
    bare, joined = table(annotated(rows(shard))), table(made)
    assert [joined[id_of(n)] == bare[id_of(n)] for n in (1, 2, 3)] == [True, True, False]
    assert summary(made)["unused"] == {"other_document": 2}
    rejects = lines_of(made["annotate"][0].path / "rejects.jsonl.gz")
    assert rejects[0] == {"reason": "other_document", "path": id_of(1), "beginning": DOCUMENTS[1]["url"]}
    with pytest.raises(InputError, match=r"2 of 30 records are damaged \(other_document: 2\)"):
        annotated(rows(shard, signals_file(tmp_path, given)), max_rejects=0.01, permutations=8)


@pytest.mark.parametrize(
    "bad",
    [
        {"id": id_of(0)},
        {"id": id_of(0), "quality_signals": []},
        {"id": id_of(0), "quality_signals": {"rps_doc_word_count": [[0, 5, "many"]]}},
        {"id": id_of(0), "quality_signals": {"rps_doc_word_count": [[0]]}},
        {"id": id_of(0), "metadata": 3, "quality_signals": {"rps_doc_word_count": [[0, 5, 1]]}},
    ],
)
def test_signals_of_another_shape_are_rejected(annotated, tmp_path, bad):
    shard = documents_file(tmp_path, DOCUMENTS)
    made = annotated(rows(shard, signals_file(tmp_path, [bad, signals_of(1, DOCUMENTS[1])])))
    assert summary(made)["unused"] == {"not_signals": 1}
    assert table(made)[id_of(1)]["ccnet_perplexity"] == 149.5


def test_blacklisted_domains_have_their_number_unless_another_is_published(annotated, tmp_path):
    hosts = ("ads.example", "other.example", "ads.example", None)
    lines = [document(text, source_domain=host) for text, host in zip(TEXTS, hosts, strict=False)]
    shard = documents_file(tmp_path, lines)
    published = signals_file(tmp_path, [signals_of(2, lines[2], rps_doc_ut1_blacklist=5)])
    (tmp_path / "ut1.json").write_text('{"ads.example": 3, "bad.example": 4}')
    found = table(annotated(rows(shard, published), domains=tmp_path / "ut1.json"))
    assert [line["rps_doc_ut1_blacklist"] for line in found.values()] == [3, None, 5, None]
    assert {line["rps_doc_ut1_blacklist"] for line in table(annotated(rows(shard))).values()} == {None}


def test_the_key_has_the_bytes_of_the_map_of_domains_not_its_name(annotated, tmp_path):
    shard = rows(documents_file(tmp_path, DOCUMENTS[:2]))
    for name, content in (("one", "{}"), ("same", "{}"), ("other", '{"ads.example": 3}')):
        (tmp_path / name).write_text(content)
    keys = [annotated(shard, domains=tmp_path / name)["annotate"][0].receipt.key for name in ("one", "same", "other")]
    assert keys[0] == keys[1] != keys[2]
    with pytest.raises(InputError, match=r"can't read .*nothere") as refused:
        annotated(shard, domains=tmp_path / "nothere")
    assert refused.value.where == "annotate.domains"


def test_a_map_of_domains_that_changed_since_it_was_asked_for_is_refused(annotated, tmp_path):
    made, path = annotated(rows(documents_file(tmp_path, DOCUMENTS[:2]))), tmp_path / "ut1.json"
    path.write_text("{}")
    section = AnnotateSection(domains=path)
    (part,) = annotate.parts(section, made)
    path.write_text('{"ads.example": 3}')
    with pytest.raises(InputError, match="changed since the stage was asked for"):
        annotate.work(section, made, part, Work(tmp_path / "scratch", tmp_path / "records"))


def test_signals_of_lines_take_nothing_else_away_whatever_they_hold(annotated, tmp_path):
    url = 'https://www.example.org/"rps_lines_x": [[1, 2, 3]], "y": [[4, 5, 6]]'
    odd = {
        "rps_lines_num_words": [[0, 9, 1.5], [9, 12, -3]],
        "rps_lines_javascript_counts": [],
        "rps_doc_word_count": [[0, len(TEXTS[0]), 77]],
        "rps_lines_ending": None,
        "rps_lines_of_text": [[0, 5, "]]"]],
        "rps_doc_curly_bracket": [[0, len(TEXTS[0]), 0.5]],
        "rps_lines_upper": [[0, 5, 1]],
    }
    line = {"id": id_of(0), "metadata": {"url": url}, "quality_signals": odd}
    shard = documents_file(tmp_path, [document(TEXTS[0], url=url)])
    (found,) = table(annotated(rows(shard, signals_file(tmp_path, [line])))).values()
    assert (found["rps_doc_word_count"], found["rps_doc_curly_bracket"]) == (77, 0.5)


def test_listed_duplicates_are_marked_unless_the_digest_is_another(annotated, tmp_path):
    listed = {1: DOCUMENTS[1]["digest"], 2: "sha1:ANOTHER"}
    shard = documents_file(tmp_path, DOCUMENTS)
    made = annotated(rows(shard, duplicates_file(tmp_path, listed)))
    assert [id_ for id_, line in table(made).items() if line["listed_duplicate"]] == [id_of(1)]
    assert summary(made)["unused"] == {"other_document": 1}
    assert {line["listed_duplicate"] for line in table(annotated(rows(shard))).values()} == {None}


REDPAJAMA = {"signature": "redpajama", "shingle_words": 13, "permutations": 128}


def test_published_signatures_are_taken_if_all_of_a_batch_are_there(annotated, tmp_path):
    shard = documents_file(tmp_path, DOCUMENTS)
    values = {n: [n * 1000 + i for i in range(128)] for n in range(30)} | {7: None}
    found = table(annotated(rows(shard, minhash_file(tmp_path, values)), **REDPAJAMA))
    assert {n: found[id_of(n)]["signature"] for n in range(30)} == values
    measured = table(annotated(rows(shard), **REDPAJAMA))
    few = minhash_file(tmp_path, {n: values[n] for n in range(29)})
    assert table(annotated(rows(shard, few), **REDPAJAMA)) == measured


def test_signatures_are_measured_where_signals_are_of_another_document(annotated, tmp_path):
    shard = documents_file(tmp_path, DOCUMENTS)
    other = signals_file(tmp_path, [signals_of(1, document("of another length"), rps_doc_word_count=1)])
    signed = minhash_file(tmp_path, {n: [n] * 128 for n in range(30)})
    found = table(annotated(rows(shard, other, signed), **REDPAJAMA))
    assert found == table(annotated(rows(shard), **REDPAJAMA))


def test_own_signatures_are_measured_whatever_is_published(annotated, tmp_path):
    shard = documents_file(tmp_path, DOCUMENTS)
    signed = minhash_file(tmp_path, {n: [n] * 128 for n in range(30)})
    assert table(annotated(rows(shard, signed))) == table(annotated(rows(shard)))


@pytest.mark.parametrize("values", [[1] * 127, []])
def test_signatures_of_another_length_are_an_error(annotated, tmp_path, values):
    signed = minhash_file(tmp_path, dict.fromkeys(range(30), values))
    with pytest.raises(InputError, match=r"en_head\.minhash\.parquet holds no signatures"):
        annotated(rows(documents_file(tmp_path, DOCUMENTS), signed), **REDPAJAMA)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden data at {GOLDEN}")
def test_signatures_of_real_documents_are_the_same_published_or_measured(annotated, tmp_path):
    golden = lines_of(GOLDEN / "documents.json.gz")[:200]
    shard = documents_file(tmp_path, golden)
    (signed := tmp_path / "en_head.minhash.parquet").write_bytes((GOLDEN / "minhash.parquet").read_bytes())
    as_published = table(annotated(rows(shard, signed), **REDPAJAMA))
    assert as_published == table(annotated(rows(shard), **REDPAJAMA))


def test_damaged_list_of_duplicates_is_an_error_that_names_it(annotated, tmp_path):
    path = duplicates_file(tmp_path, {})
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"en_head\.duplicates\.parquet holds no list of duplicates"):
        annotated(rows(documents_file(tmp_path, DOCUMENTS), path))


def test_damaged_signals_are_an_error_that_names_them(annotated, tmp_path):
    path = signals_file(tmp_path, [signals_of(n, it) for n, it in enumerate(DOCUMENTS)])
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"en_head\.signals\.json\.gz is damaged"):
        annotated(rows(documents_file(tmp_path, DOCUMENTS), path))


def test_of_a_shard_that_is_cut_short_what_can_be_read_is_kept_and_said(annotated, tmp_path):
    path = documents_file(tmp_path, [document(text, title=str(n) * 3000) for n, text in enumerate(TEXTS)])
    path.write_bytes(path.read_bytes()[:-300])
    made = annotated(rows(path), max_rejects=0.1)
    assert 0 < summary(made)["documents"] < 30
    assert summary(made)["skipped"] == {"truncated": 1}
    (shown,) = lines_of(made["annotate"][0].path / "rejects.jsonl.gz")
    assert shown["path"] == id_of(summary(made)["documents"])
    with pytest.raises(InputError, match="was rejected when it was read: truncated"):
        explain.document([made["annotate"][0].path / "annotations.parquet"], shown["path"])


def test_annotations_are_the_same_bytes_with_any_number_of_threads(annotated, tmp_path):
    lines = [document(text * 2000, url=str(n)) for n, text in enumerate(TEXTS)] + ["{"]
    given = [signals_of(n, it, rps_doc_word_count=n) for n, it in enumerate(lines[:20])]
    sources = rows(documents_file(tmp_path, lines), signals_file(tmp_path, given))
    (one,) = annotated(sources, workers=1)["annotate"]
    one.path.rename(tmp_path / "aside")
    (several,) = annotated(sources, workers=2)["annotate"]
    assert (tmp_path / "aside").is_dir()
    assert several.path.is_dir()
    assert one.receipt == several.receipt


def test_documents_of_a_shard_are_selected_with_their_text(annotated, work, tmp_path):
    given = [signals_of(n, it, rps_doc_word_count=n) for n, it in enumerate(DOCUMENTS)]
    made = annotated(rows(documents_file(tmp_path, DOCUMENTS), signals_file(tmp_path, given)))
    made["deduplicate"] = work(STAGES["deduplicate"], DeduplicateSection(), {"annotate": made["annotate"]})
    few = {"rules": [{"name": "few", "signal": "rps_doc_word_count", "max": 2}]}
    (selected,) = work(STAGES["select"], SelectSection(policies={"web": few}), made)
    found = pq.read_table(selected.path / "documents.parquet").to_pylist()
    assert {line["id"]: line["text"] for line in found} == {id_of(n): TEXTS[n] for n in range(3)}
    assert all(line["url"] and line["domain"] for line in found)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden data at {GOLDEN}")
def test_published_signals_of_real_documents_come_out_as_published(annotated, tmp_path):
    golden, published = lines_of(GOLDEN / "documents.json.gz")[:200], lines_of(GOLDEN / "signals.json.gz")[:200]
    shard = documents_file(tmp_path, golden)
    made = annotated(rows(shard, signals_file(tmp_path, published), duplicates_file(tmp_path, {})))
    assert summary(made)["unused"] == {}
    found = table(made)
    assert len(found) > 190
    for line in (line for line in published if line["id"] in found):  # some are empty
        given = {name: spans[0][2] for name, spans in line["quality_signals"].items() if name in NUMBERS}
        assert {name: found[line["id"]][name] for name in given} == pytest.approx(given, abs=1e-9, nan_ok=False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "redpajama", "revision": ""}, "source b: revision '' isn't <snapshot>/<shard>"),
        ({"format": "redpajama", "revision": SHARD}, "source b: source shard has the same 2023-06/0000 en_head.json"),
        ({"of": "nowhere"}, "source b: of 'nowhere' is no source of format redpajama"),
        ({"of": "shard"}, "source b: file 'en_head.json.gz' isn't one of en_head.signals.json.gz, en_head.dup"),
        ({"of": "shard", "format": "redpajama"}, "source b: format 'redpajama': a file that is of another holds no"),
    ],
)
def test_rows_that_cannot_belong_together_are_refused(tmp_path, changes, words):
    path = documents_file(tmp_path, DOCUMENTS)
    with pytest.raises(ValueError) as caught:
        FetchSection(sources=(*rows(path), row(path, name="b", **changes)))
    assert words in str(caught.value)


def test_choosing_a_source_chooses_what_is_about_it(work, tmp_path):
    sources = rows(documents_file(tmp_path, DOCUMENTS), signals_file(tmp_path, []), duplicates_file(tmp_path, {}))
    made = work(STAGES["fetch"], FetchSection(sources=sources, only=("shard",)), {})
    assert [artefact.part for artefact in made] == ["shard", "signals", "duplicates"]


def test_rows_written_for_a_mirror_are_read_back_and_describe_its_files(annotated, tmp_path):
    documents_file(tmp_path, DOCUMENTS)
    signals_file(tmp_path, [signals_of(0, DOCUMENTS[0])])
    duplicates_file(tmp_path, {1: DOCUMENTS[1]["digest"]})
    (tmp_path / "documents" / SHARD / "it_tail.json.gz").write_bytes(b"another language")
    said = CliRunner().invoke(command, ["redpajama", str(tmp_path), "--language", "en", "--snapshot", "2023-06"])
    (tmp_path / "sources.csv").write_text(said.output)
    sources = FetchSection(sources=tmp_path / "sources.csv").sources
    name = "rpv2-2023-06-0000-en_head"
    assert [(source.name, source.of) for source in sources] == [
        (name, ""),
        (f"{name}-quality_signals", name),
        (f"{name}-duplicates", name),
    ]
    assert {(source.include, source.licences, source.text_field) for source in sources} == {((), (), "text")}
    found = table(annotated(sources))
    said = [found[id_of(0)][name] for name in ("language", "domain", "url", "title")]
    assert said == ["en", "www.example.org", "https://www.example.org/0", "Page"]
    assert (found[id_of(0)]["ccnet_perplexity"], found[id_of(1)]["listed_duplicate"]) == (149.5, 1)


def test_mirror_without_such_documents_is_named(tmp_path):
    documents_file(tmp_path, DOCUMENTS)
    found = CliRunner().invoke(command, ["redpajama", str(tmp_path), "--language", "de"])
    assert isinstance(found.exception, InputError)
    assert found.exception.where == str(tmp_path / "documents")

"""Raw files to selected documents through the real store."""

import pyarrow.parquet as pq
import pytest

from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.config.evaluate import QuestionsSection
from hominis.errors import ConfigError, InputError
from hominis.stages import STAGES
from tests.unit.corpus.raw_files import json_lines, row, sdist

ENGLISH = "This is the story of a small river that runs down from the hills, number {n}, and its {n} bridges of stone. "
ITALIAN = "Questa è la storia di un piccolo fiume che scende dalle colline, numero {n}, con {n} ponti di pietra. "
KEEP_ALL = {"web": {"rules": []}, "italian": {"rules": []}}


def text(n, sentence=ENGLISH):
    return "".join(sentence.format(n=n * 1000 + line) for line in range(8))


@pytest.fixture
def sources(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    english = [(f"docs/{n:02}.txt", text(n)) for n in range(24)] + [("docs/copy.txt", text(3).upper())]
    italian = [{"text": text(n, ITALIAN)} for n in range(4)] + ["broken", {"text": text(1)}]
    return (
        row(sdist(raw / "en-1.tar.gz", english), name="english"),
        row(json_lines(raw / "it.jsonl", italian), name="italiano", corpus="italian"),
    )


@pytest.fixture
def chain(work):
    """Run fetch to select; return the artefacts by stage."""

    def run(sources, tasks=("bits_per_byte",), **select):
        made = {"fetch": work(STAGES["fetch"], FetchSection(sources=sources), {})}
        made["annotate"] = work(STAGES["annotate"], AnnotateSection(permutations=64, max_rejects=0.2), made)
        only = {"annotate": made["annotate"]}
        made["deduplicate"] = work(STAGES["deduplicate"], DeduplicateSection(), only)
        made["questions"] = work(STAGES["questions"], QuestionsSection(tasks=tasks), {})
        section = SelectSection(**{"policies": KEEP_ALL, **select})
        made["select"] = work(STAGES["select"], section, made)
        return made

    return run


def rows(artefact, name):
    return pq.read_table(artefact.path / name).to_pylist()


def test_annotations_say_who_a_document_is_and_hold_no_text(chain, sources):
    english, italian = chain(sources)["annotate"]
    first = rows(english, "annotations.parquet")[0]
    assert first["id"] == "english/docs/00.txt"
    assert (first["source"], first["corpus"], first["licence"], first["path"]) == (
        "english",
        "web",
        "MIT",
        "docs/00.txt",
    )
    assert (first["bytes"], first["language"]) == (len(text(0)), "en")
    assert first["rps_doc_word_count"] == len(text(0).split())
    assert len(first["signature"]) == 64
    assert "text" not in first
    assert italian.summary["skipped"] == {"not_json": 1}
    assert [r["language"] for r in rows(italian, "annotations.parquet")] == ["it"] * 4 + ["en"]


def test_copies_are_removed_across_sources_and_counted_in_the_funnel(chain, sources):
    made = chain(sources)
    marked = rows(made["deduplicate"][0], "duplicates.parquet")
    assert {r["id"]: r["kept"] for r in marked} == {
        "english/docs/copy.txt": "english/docs/03.txt",
        "italiano/it.jsonl:5": "english/docs/01.txt",
    }
    assert [a.summary["funnel"][0] for a in made["select"]] == [
        {"rule": "duplicate_exact", "documents": 1, "bytes": len(text(3))},
        {"rule": "duplicate_exact", "documents": 1, "bytes": len(text(1))},
    ]


def test_selected_documents_have_their_text_and_one_of_twenty_is_held_out(chain, sources):
    english, italian = chain(sources, heldout=1e-9)["select"]
    documents = rows(english, "documents.parquet")
    assert [d["id"] for d in documents] == [f"english/docs/{n:02}.txt" for n in range(24)]
    assert [d["text"] for d in documents] == [text(n) for n in range(24)]
    assert [d["split"] for d in documents].count("heldout") == 1
    assert {(d["licence"], d["domain"], d["url"]) for d in documents} == {("MIT", None, None)}
    assert {d["split"] for d in rows(italian, "documents.parquet")} == {"train"}


def test_summary_adds_up(chain, sources):
    rule = {"name": "short", "signal": "bytes", "max": len(text(10)) - 1}
    summary = chain(sources, policies={**KEEP_ALL, "web": {"rules": [rule]}}, heldout=0.3)["select"][0].summary
    removed = {step["rule"]: step["documents"] for step in summary["funnel"]}
    assert removed == {"duplicate_exact": 1, "duplicate_near": 0, "short": 14}
    assert summary["read"]["documents"] == 25 == summary["kept"]["documents"] + sum(removed.values())
    assert summary["read"]["bytes"] == summary["kept"]["bytes"] + sum(step["bytes"] for step in summary["funnel"])
    assert 0 < summary["kept"]["heldout_documents"] < summary["kept"]["documents"]


def test_another_seed_holds_out_other_documents_and_no_fraction_none(chain, sources):
    def held(**select):
        documents = rows(chain(sources, **select)["select"][0], "documents.parquet")
        return {d["id"] for d in documents if d["split"] == "heldout"}

    assert held(heldout=0.3) != held(heldout=0.3, heldout_seed=1)
    assert held(heldout=0.0) == set()


def test_everything_removed_leaves_a_table_without_rows(chain, sources):
    nothing = {"rules": [{"name": "huge", "signal": "bytes", "min": 1e9}]}
    made = chain(sources, policies={"web": nothing, "italian": nothing})
    assert rows(made["select"][0], "documents.parquet") == []
    assert made["select"][0].summary["kept"]["documents"] == 0


def test_the_same_work_gives_the_same_bytes(chain, sources, tmp_path, monkeypatch):
    def digests(made):
        return {
            (stage, a.part): {name: f["sha256"] for name, f in a.receipt.files.items()}
            for stage, artefacts in made.items()
            for a in artefacts
        }

    first = chain(sources)
    before = digests(first)
    for artefacts in first.values():
        for artefact in artefacts:
            artefact.path.rename(tmp_path / f"aside-{artefact.receipt.stage}-{artefact.part}")
    assert digests(chain(sources)) == before


def test_html_page_longer_than_its_text_is_selected(chain, tmp_path):
    page = f"<html><head><script>{'x' * 10_000}</script></head><body><p>{text(1)}</p></body></html>"
    made = chain((row(sdist(tmp_path / "p.tar.gz", [("a.html", page)])),))
    assert [d["text"] for d in rows(made["select"][0], "documents.parquet")] == [text(1).strip()]


def test_corpus_without_a_policy_is_named(chain, sources):
    with pytest.raises(ConfigError, match="no policy for corpus italian"):
        chain(sources, policies={"web": {"rules": []}})


def test_source_without_documents_is_an_error(chain, tmp_path):
    with pytest.raises(InputError, match="no document can be read from source 'own'"):
        chain((row(json_lines(tmp_path / "p.jsonl", ["no", "json"])),))


def test_changed_threshold_changes_the_key_of_select_only(chain, sources):
    def keys(made):
        return {stage: {a.receipt.key for a in artefacts} for stage, artefacts in made.items()}

    rule = {"name": "short", "signal": "bytes", "max": 5000}
    one = keys(chain(sources))
    other = keys(chain(sources, policies={**KEEP_ALL, "web": {"rules": [rule]}}))
    assert {stage for stage in one if one[stage] != other[stage]} == {"select"}

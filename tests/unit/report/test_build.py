import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from hominis.errors import InputError
from hominis.report.build import read, render, schema
from tests.unit.report.made_run import CONFIG, Made

SCHEMA = Path("workflow/schemas/results.schema.json")
EVIL = "<script>alert(1)</script> 50% of $x_1 & \\input{y} | `z`"


@pytest.fixture(params=["index.html", "data.html"])
def each(page: Path, request: pytest.FixtureRequest) -> Path:
    return page.with_name(request.param)


def test_the_stored_schema_is_that_of_the_model():
    assert SCHEMA.read_text() == schema()


def test_results_validate_against_the_stored_schema(page: Path):
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert not list(validator.iter_errors(json.loads(page.with_name("results.json").read_text())))


def test_all_files_are_there_and_nothing_else(page: Path):
    names = {path.name for path in page.parent.iterdir()}
    assert names == {"index.html", "data.html", "results.json", "table.md", "table.tex", "table.csv"}


def test_the_page_is_made_from_results_json_alone(page: Path, tmp_path: Path):
    shutil.copy(page.with_name("results.json"), tmp_path)
    render(tmp_path / "results.json")
    for path in page.parent.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_the_same_evidence_gives_the_same_bytes(page: Path, report: Callable[..., Path]):
    again = report()
    for path in page.parent.iterdir():
        assert again.with_name(path.name).read_bytes() == path.read_bytes()


def test_a_page_asks_for_nothing_and_leads_only_to_the_other(each: Path):
    text = each.read_text()
    wanted = re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']([^"']*)""", text) + re.findall(
        r"url\(([^)]*)\)", text
    )
    other = {"index.html": "data.html", "data.html": "index.html"}[each.name]
    assert other in wanted
    assert all(address.split("#")[0] in ("", other, "data:,") for address in wanted)
    assert not re.search(r"<script|<iframe|<object|@import|\son\w+=", text, re.IGNORECASE)


def test_a_page_is_light(each: Path):
    assert each.stat().st_size < 400_000


def test_figures_tables_and_headings_can_be_heard(each: Path):
    text = each.read_text()
    tables, figures = (
        re.findall(r"<table>.*?</table>", text, re.DOTALL),
        re.findall(r"<figure role.*?</figure>", text, re.DOTALL),
    )
    assert len(figures) == {"index.html": 4, "data.html": 1}[each.name]
    assert all("<caption>" in table and 'scope="col"' in table for table in tables)
    assert all("<figcaption>" in figure and 'role="img" aria-label="' in figure for figure in figures)
    assert '<html lang="en">' in text


def test_all_anchors_exist(page: Path):
    pages = {name: page.with_name(name).read_text() for name in ("index.html", "data.html")}
    identifiers = {name: re.findall(r'\sid="([^"]+)"', text) for name, text in pages.items()}
    for name, text in pages.items():
        assert len(identifiers[name]) == len(set(identifiers[name]))
        for other, anchor in re.findall(r'href="([^"#]*)#([^"]+)"', text):
            assert anchor in identifiers[other or name], anchor


def test_text_from_outside_is_shown_and_not_run(report: Callable[..., Path]):
    page = report(config=CONFIG | {"report": {"title": EVIL, "abstract": EVIL, "model": EVIL}})
    for text in (page.read_text(), page.with_name("data.html").read_text()):
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)" in text
    tex = page.with_name("table.tex").read_text()
    assert r"50\% of \$x\_1 \& \textbackslash{}input\{y\}" in tex
    markdown = page.with_name("table.md").read_text()
    assert "<script>" not in markdown
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines() if line.startswith("|")}) == 1


def test_an_attempts_error_is_shown_as_text(page: Path):
    assert "<b>&</b>" not in page.read_text()


def test_the_tables_say_what_is_published_and_what_measured(page: Path):
    with page.with_name("table.csv").open(newline="") as lines:
        rows = {row["benchmark"]: row for row in csv.DictReader(lines)}
    assert rows["MBPP"]["Core 13B v1504 (published)"] == "36.5"
    assert rows["MBPP"]["status"] == "not run"
    assert rows["HumanEval"]["value"] == "0.609756"
    markdown = page.with_name("table.md").read_text()
    assert "| code | HumanEval | 0.6 (0.1 to 3.4) | 18.3 | 12.4 | 20.8 | 20.2 |" in markdown
    assert "539 \\[a\\]" in markdown or "539 [a]" in markdown
    assert "62.44 t" in markdown
    tex = page.with_name("table.tex").read_text()
    assert all(line.count("&") == 6 for line in tex.splitlines() if line.endswith(r"\\") and "published" not in line)


def test_the_page_says_whether_the_model_beats_the_n_grams(page: Path):
    text = re.sub(r"<[^>]+>", "", page.read_text())
    assert "it beats the byte n-gram of order 2 (2.840)" in text
    assert "beats the byte n-gram of order 3 (2.400, within the error band)" in text
    assert "2.610 not beaten" in text


def test_the_page_tells_how_it_was_trained_and_what_happened_on_the_way(page: Path):
    text = re.sub(r"<[^>]+>", "", page.read_text())
    assert "9,830,400 tokens; layout dp 2; bf16, kernels te." in text
    assert "tokens per second in the median step" in text
    assert "Attempt 2 at pretrain went on after step 400." in text
    assert "Training went back, steps 900 to 910 are left out: the loss is nan." in text
    assert "Step 700 was skipped: the loss 9.5 is above 2 times the recent median &lt;b&gt;." in text


def test_a_run_of_two_stages_still_has_a_page(report: Callable[..., Path], made: Made):
    text = report(artefacts={name: made.artefacts[name] for name in ("fetch", "select")}).read_text()
    assert "Curation" in text
    assert "Held-out text" not in text


def test_a_run_that_has_only_fetched_still_has_its_pages(report: Callable[..., Path], made: Made):
    page = report(artefacts={"fetch": made.artefacts["fetch"]})
    assert "Curation" not in page.read_text()
    text = page.with_name("data.html").read_text()
    assert "debian-manual" in text and 'id="content"' not in text


def test_a_file_that_is_no_results_is_named(tmp_path: Path):
    path = tmp_path / "results.json"
    with pytest.raises(InputError, match="there is no"):
        read(path)
    path.write_text('{"format": 1}')
    with pytest.raises(InputError, match="is not a results file"):
        read(path)

"""The page in a real browser, without network: figures are drawn and nothing is asked for."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --virtual-time-budget=2000 --hide-scrollbars"
).split()
PROBE = """<script>
const drawn = [...document.querySelectorAll("figure svg")].filter(s => s.getClientRects().length);
const told = JSON.stringify({
  figures: drawn.map(s => ({width: s.getBoundingClientRect().width, height: s.getBoundingClientRect().height,
                            marks: s.querySelectorAll("path, text").length})),
  requests: performance.getEntriesByType("resource").map(e => e.name),
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  colour: getComputedStyle(document.querySelector("figure svg text")).fill,
  paper: getComputedStyle(document.body).backgroundColor,
});
const place = document.body.appendChild(document.createElement("pre"));
place.id = "probe";
place.textContent = told;
</script></body>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def probe(page: Path, folder: Path, width: int, scheme: str = "light") -> dict[str, Any]:
    """Open a copy of the page that tells what the browser made of it (the page itself forbids scripts)."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    copy = folder / "probe.html"
    copy.write_text(text.replace("</body>", PROBE))
    colours = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND"
    own = [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},1000", colours, nowhere, "--dump-dom"]
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, *own, copy.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-500:]
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


def test_a_wide_page_draws_its_figures_and_asks_for_nothing(page: Path, tmp_path: Path):
    told = probe(page, tmp_path, 1200)
    assert len(told["figures"]) == 4
    assert all(f["width"] > 500 and f["height"] > 100 and f["marks"] > 10 for f in told["figures"])
    assert told["requests"] == []
    assert told["overflow"] <= 0


def test_the_data_card_fits_a_wide_page_and_asks_for_nothing(page: Path, tmp_path: Path):
    told = probe(page.with_name("data.html"), tmp_path, 1200)
    assert len(told["figures"]) == 1
    assert told["requests"] == []
    assert told["overflow"] <= 0


def test_the_data_card_fits_a_dark_phone(page: Path, tmp_path: Path):
    told = probe(page.with_name("data.html"), tmp_path, 500, "dark")
    assert len(told["figures"]) == 1
    assert told["overflow"] <= 0
    assert told["paper"] == "rgb(20, 24, 27)"
    assert told["colour"] != "rgb(29, 35, 39)"


def test_a_narrow_dark_page_fits_and_its_figures_follow_the_colours(page: Path, tmp_path: Path):
    told = probe(page, tmp_path, 500, "dark")
    assert len(told["figures"]) == 4
    assert told["overflow"] <= 0
    assert told["paper"] == "rgb(20, 24, 27)"
    assert told["colour"] != "rgb(29, 35, 39)"

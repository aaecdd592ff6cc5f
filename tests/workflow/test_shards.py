"""The selected shards in other people's hands: the line that the README shows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_line_in_the_readme_loads_the_selected_shards_with_hugging_face_datasets(annotated, tmp_path):
    (line,) = re.findall(r'^load_dataset\("parquet".*\)$', README.read_text(), re.MULTILINE)
    program = f"from datasets import load_dataset\nfound = {line}\nprint(found.column_names, len(found))"
    variables = os.environ | {"HF_HOME": str(tmp_path), "HF_DATASETS_OFFLINE": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=annotated.folder, env=variables, capture_output=True, text=True, check=True)
    receipts = [json.loads(path.read_text()) for path in annotated.folder.glob("site/store/select/*/*/receipt.json")]
    kept = sum(r["summary"]["kept"]["documents"] for r in receipts if r["part"])
    columns = ["id", "source", "corpus", "language", "licence", "domain", "url", "text", "split"]
    assert kept > 100
    assert done.stdout.splitlines() == [f"{columns} {kept}"]

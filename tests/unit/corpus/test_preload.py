"""What a stage preloads is what its parts then need: nothing is left to be loaded anew in each of them."""

import json
import subprocess
import sys

import pytest

WORK = {
    "annotate": """
from hominis.corpus.annotations import annotated
from hominis.corpus.readers.documents import schema
from hominis.config.corpus import AnnotateSection
given = {"id": "a/1", "path": "1", "text": "WHAT a TEXT is", "licence": ""}
batch = pa.RecordBatch.from_pydict({name: [given.get(name)] for name in schema().names}, schema())
assert annotated(batch, {"source": "a", "corpus": "b"}, AnnotateSection())["language"][0].as_py() == "en"
""",
    "select": """
from hominis.corpus.card import Card
from hominis.corpus.clean import cleaned
from hominis.corpus.contamination import Contamination
from hominis.corpus.kept import schema
from hominis.corpus.pii import KINDS
items = [("task", "item", " ".join(map(str, range(20))))]
texts = ["This is the address: mario.rossi@unibo.it, call +39 051 209 9111.", items[0][2]]
columns = {name: texts if name == "text" else ["x", "y"] for name in schema().names}
found = cleaned(pa.table(columns, schema=schema()), Contamination(items), KINDS)
Card().add(found.rows)
assert found.contaminated.num_rows == 1 and found.spans.num_rows == 2
""",
}
PROGRAM = """
import json, sys
import pyarrow as pa
from numba.core.dispatcher import Dispatcher
from hominis.stages import STAGES
loaded, compile_one = [], Dispatcher.compile
def compiled(self, *signature):
    loaded.append(self.py_func.__name__)
    return compile_one(self, *signature)
Dispatcher.compile = compiled
if sys.argv[1] != "nothing":
    STAGES[sys.argv[1]].preload()
before = len(loaded)
WORK
print(json.dumps(loaded[before:]))
"""


@pytest.mark.parametrize("stage", WORK)
def test_a_part_loads_no_kernel_that_was_not_preloaded(stage):
    def loaded(preloaded):
        command = [sys.executable, "-c", PROGRAM.replace("WORK", WORK[stage]), preloaded]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)

    assert loaded(stage) == []
    assert len(loaded("nothing")) > 3, "kernels that are loaded are seen"

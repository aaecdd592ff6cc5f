import numpy as np
import pytest

from hominis.corpus.indexed import ShardWriter, token_type

RANDOM = np.random.default_rng(7)
DOCUMENTS = [RANDOM.integers(0, 8192, RANDOM.integers(1, 400), dtype=np.int32) for _ in range(257)]


def shard(prefix, vocab_size, batches):
    with ShardWriter(prefix, vocab_size) as writer:
        for batch in batches:
            writer.add(batch)
    return prefix.with_suffix(".bin").read_bytes(), prefix.with_suffix(".idx").read_bytes()


@pytest.mark.parametrize("vocab_size", [8192, 65_499, 65_500, 128_000])
def test_bytes_are_those_of_megatrons_builder(tmp_path, vocab_size):
    indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason="megatron-core is not installed")
    builder = indexed.IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), dtype=indexed.DType.optimal_dtype(vocab_size))
    for document in DOCUMENTS:
        builder.add_document(document, [len(document)])
    builder.finalize(str(tmp_path / "theirs.idx"))
    ours = shard(tmp_path / "ours", vocab_size, [DOCUMENTS[:100], [], DOCUMENTS[100:]])
    assert ours == ((tmp_path / "theirs.bin").read_bytes(), (tmp_path / "theirs.idx").read_bytes())


def test_megatron_reads_the_documents_back(tmp_path):
    indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason="megatron-core is not installed")
    shard(tmp_path / "ours", 8192, [DOCUMENTS])
    assert [document.tolist() for document in indexed.IndexedDataset(str(tmp_path / "ours"))] == [
        document.tolist() for document in DOCUMENTS
    ]


def test_batches_leave_no_trace(tmp_path):
    whole = shard(tmp_path / "whole", 8192, [DOCUMENTS])
    assert shard(tmp_path / "single", 8192, [[document] for document in DOCUMENTS]) == whole


def test_shard_without_documents_is_an_empty_bin_and_a_valid_index(tmp_path):
    tokens, index = shard(tmp_path / "none", 8192, [])
    assert tokens == b""
    assert np.frombuffer(index, "<u8", count=2, offset=18).tolist() == [0, 1]


def test_index_is_not_written_after_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="on the way"), ShardWriter(tmp_path / "half", 8192) as writer:
        writer.add(DOCUMENTS[:1])
        raise RuntimeError("on the way")
    assert not (tmp_path / "half.idx").exists()


def test_token_beyond_its_type_is_refused(tmp_path):
    with pytest.raises(OverflowError), ShardWriter(tmp_path / "wide", 8192) as writer:
        writer.add([np.array([70_000], np.int32)])


def test_vocabulary_that_fits_takes_two_bytes_a_token():
    assert token_type(8192).itemsize == 2
    assert token_type(200_000).itemsize == 4

from math import comb

import numpy as np
import pytest

from hominis.config.corpus import AnnotateSection, DeduplicateSection
from hominis.corpus.kernels.groups import WINDOW, band_keys, join_buckets, lead
from hominis.corpus.lsh import best_bands, needed_agreement
from hominis.corpus.partitions import Partitions


def groups(folder, values, bands, rows, needed, most=1 << 20):
    keys = np.empty((bands, len(values)), dtype=np.uint64)
    band_keys(values, rows, keys)
    entries, parents = Partitions(folder / "bands", len(values), most), np.arange(len(values))
    for band, of_band in enumerate(keys):
        entries.add(band, of_band, np.arange(len(values)))
    (folder / "signatures").write_bytes(values.tobytes())
    with (folder / "signatures").open("rb") as file:
        for ordered, numbers in entries:
            join_buckets(ordered, numbers, file.fileno(), values.shape[1], needed, parents)
    lead(parents)
    return parents.tolist()


def test_a_bucket_larger_than_the_window_still_forms_one_group(tmp_path):
    values = np.zeros((3 * WINDOW, 4), dtype=np.uint32)
    assert groups(tmp_path, values, 2, 2, 4) == [0] * len(values)


def test_a_stranger_between_two_copies_of_a_bucket_does_not_part_them(tmp_path):
    copy, stranger = [1, 1, 2, 2], [1, 1, 8, 9]
    values = np.array([copy, stranger, copy], dtype=np.uint32)
    assert groups(tmp_path, values, 1, 2, 4) == [0, 1, 0]


def test_signature_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "signatures").write_bytes(bytes(20))
    with (tmp_path / "signatures").open("rb") as file, pytest.raises(OSError, match="can't be read"):
        join_buckets(np.zeros(2, dtype=np.uint64), np.arange(2), file.fileno(), 4, 4, np.arange(2))


def test_no_candidates_leave_every_document_to_itself(tmp_path):
    values = np.arange(40, dtype=np.uint32).reshape(10, 4)
    assert groups(tmp_path, values, 2, 2, 0) == list(range(10))


@pytest.mark.parametrize("needed", [0, 5])
def test_groups_do_not_depend_on_how_documents_are_divided(tmp_path, needed):
    values = np.random.default_rng(2).integers(0, 4, (400, 8)).astype(np.uint32)
    whole = groups(tmp_path, values, 2, 4, needed)
    assert len(set(whole)) < 390
    assert all(groups(tmp_path, values, 2, 4, needed, most) == whole for most in (7, 50, 399))


def test_partitions_give_back_every_entry_once_in_the_order_of_keys(tmp_path):
    rng = np.random.default_rng(3)
    keys, numbers = rng.integers(0, 2**64, (2, 1000), dtype=np.uint64), rng.permutation(1000)
    entries = Partitions(tmp_path, 1000, 100)
    for begin in range(0, 1000, 300):
        for band in range(2):
            entries.add(band, keys[band, begin : begin + 300], numbers[begin : begin + 300])
    assert entries.files == 20
    pieces = list(entries)
    assert max(len(piece) for piece, _ in pieces) < 200
    for band in range(2):
        of_band = pieces[10 * band : 10 * band + 10]
        found = [entry for piece in of_band for entry in zip(*piece, strict=True)]
        assert found == sorted(zip(keys[band], numbers, strict=True))
    assert entries.files == 0


@pytest.mark.parametrize(("similarity", "bands", "rows"), [(0.7, 14, 9), (0.8, 9, 13), (0.9, 5, 25), (1.0, 1, 128)])
def test_bands_are_those_that_redpajama_v2_chose_where_nothing_is_verified(similarity, bands, rows):
    assert best_bands(similarity, 128, verify=False) == (bands, rows)


def test_verified_bands_miss_few_pairs():
    bands, rows = best_bands(0.8, 128, verify=True)
    assert 1 - (1 - 0.85**rows) ** bands > 0.99


@pytest.mark.parametrize(("similarity", "values"), [(0.7, 128), (0.8, 128), (0.8, 64), (0.9, 256), (1.0, 128)])
def test_nineteen_of_twenty_pairs_agree_on_enough_values(similarity, values):
    def share(needed):
        counts = range(needed, values + 1)
        return sum(comb(values, k) * similarity**k * (1 - similarity) ** (values - k) for k in counts)

    needed = needed_agreement(similarity, values)
    assert share(needed) >= 0.95 > share(needed + 1)


def test_bands_without_rows_are_refused():
    with pytest.raises(ValueError, match="give both or neither"):
        DeduplicateSection(bands=3)


def test_redpajamas_signature_is_refused_with_other_shingles():
    assert AnnotateSection(signature="redpajama", shingle_words=13).permutations == 128
    with pytest.raises(ValueError, match="shingle_words 13 and permutations 128, not"):
        AnnotateSection(signature="redpajama")

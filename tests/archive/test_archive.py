"""What is put into the archive comes out as it was, whatever became of the log."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.archive import chunks, records
from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive, Damaged, InUse, Missing
from tests.archive.world import Place, lines


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_log_comes_out_as_it_went_in(place: Place) -> None:
    data = lines(3_000_000)
    place.write("a", data)
    place.copy("a")
    assert place.held("a") == [data]
    manifest = place.archive.manifest(place.log("a"))
    assert manifest is not None
    version = manifest.newest
    assert all(chunks.MIN <= chunk.size <= chunks.MAX for chunk in version.chunks[:-1])
    for offset, length in [(0, 1), (0, 3_000_000), (1_048_570, 20), (2_999_990, 50), (5_000_000, 9), (700_000, 2_000_000)]:
        assert place.archive.read(version, offset, length) == data[offset : offset + length]


def test_what_was_copied_is_not_read_again(place: Place) -> None:
    place.write("a", lines(10_000))
    assert [copied and copied.read for copied in place.copy("a")] == [10_000]
    assert place.copy("a") == [None]


def test_of_a_log_that_grew_the_last_chunk_is_read_again_and_nothing_before(place: Place) -> None:
    data = lines(4_000_000)
    place.write("a", data[:3_900_000])
    place.copy("a")
    place.write("a", data)
    (copied,) = place.copy("a")
    assert copied is not None
    assert 100_000 < copied.read <= 100_000 + chunks.MAX
    assert place.held("a") == [data]


@contextmanager
def smaller() -> Iterator[None]:
    """Chunks of a 64th of their size, of fewer lines, so that little data makes many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "MIN", chunks.MIN // 64)
        patch.setattr(chunks, "MAX", chunks.MAX // 64)
        patch.setattr(chunks, "_MASK", 0x0F)
        yield


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 9), st.lists(st.integers(1, 150_000), min_size=1, max_size=5))
def test_step_by_step_is_as_at_once(seed: int, sizes: list[int]) -> None:
    data = lines(max(sizes), seed)
    with smaller(), tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        grown, fresh = Place(Path(one)), Place(Path(other))
        for size in sorted(sizes):
            grown.write("a", data[:size])
            grown.copy("a")
        fresh.write("a", data)
        fresh.copy("a")
        versions = [p.archive.manifest(p.log("a")).newest.chunks for p in (grown, fresh)]  # type: ignore[union-attr]
        assert versions[0] == versions[1]
        assert [path.name for path in grown.chunks] == [path.name for path in fresh.chunks]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=64), st.integers(0, chunks.MAX // 16), st.binary(max_size=9))
def test_chunks_are_within_their_bounds_whatever_the_bytes(part: bytes, size: int, following: bytes) -> None:
    data = (part * (size // (len(part) or 1) + 1))[:size] if part else b"\n" * size
    begin, ends = 0, [0]
    with smaller():
        while (end := chunks.cut(data, begin)) is not None:
            assert chunks.cut(data[: begin + chunks.MAX] + following, begin) == end
            begin = end
            ends.append(end)
        assert all(chunks.MIN <= two - one <= chunks.MAX for one, two in pairwise(ends))
        assert len(data) - begin < chunks.MAX


def test_forks_share_what_they_have_in_common(place: Place) -> None:
    data = lines(5_000_000)
    place.write("a", data)
    place.write("b", b'{"another":"first line"}\n' + data[:4_000_000] + lines(100_000, seed=2))
    place.copy("a", "b")
    manifests = [place.archive.manifest(place.log(name)) for name in "ab"]
    one, other = ({chunk.hash for chunk in manifest.newest.chunks} for manifest in manifests if manifest is not None)
    assert len(one & other) >= len(other) - 3


def test_a_log_that_was_rewritten_begins_another_version(place: Place) -> None:
    first, second = lines(700_000, seed=1), lines(500_000, seed=2)
    for data in (first, second, second + b"more\n"):
        place.write("a", data)
        place.copy("a")
    assert place.held("a") == [first, second + b"more\n"]


def test_a_log_that_was_cut_off_keeps_what_it_was(place: Place) -> None:
    data = lines(700_000)
    for held in (data, data[:1000], data[:1000] + b"another end\n"):
        place.write("a", held)
        place.copy("a")
    assert place.held("a") == [data, data[:1000] + b"another end\n"]


def test_a_log_that_grows_to_what_it_was_has_one_version_again(place: Place) -> None:
    data = lines(700_000)
    for held in (data, data[:1000], data + b"more\n"):
        place.write("a", held)
        place.copy("a")
    assert place.held("a") == [data + b"more\n"]


def test_bytes_that_changed_at_the_same_length_are_noticed_by_the_time(place: Place) -> None:
    data = bytearray(lines(700_000))
    place.write("a", bytes(data))
    place.copy("a")
    data[333_333] ^= 1
    place.write("a", bytes(data))
    place.copy("a")
    assert place.held("a")[-1] == data
    assert len(place.held("a")) == 2


def test_a_version_is_found_by_its_path(place: Place) -> None:
    for seed in (1, 2):
        path = place.write("a", lines(1000, seed))
        place.copy("a")
    manifest = place.archive.manifest(path)
    assert manifest is not None
    assert place.archive.source(path) == (manifest, manifest.versions[1])
    earlier = manifest.versioned(manifest.versions[0])
    assert earlier.startswith(path + "#")
    assert place.archive.source(earlier) == (manifest, manifest.versions[0])
    assert place.archive.source(path + "#0123456789ab") is None
    assert place.archive.source(place.log("b")) is None


def test_paths_that_are_not_utf8(place: Place) -> None:
    path = os.fsdecode(os.fsencode(place.logs) + b"/\xff\xfe.jsonl")
    Path(path).write_bytes(b"{}\n")
    with place.copier() as copier:
        copier.copy(path)
        copier.settle()
    assert [manifest.log for manifest in place.archive.manifests()] == [path]
    Path(path).unlink()
    assert records.read(place.archive, path, 0, 9) == b"{}\n"


def test_the_description_of_a_sub_agent_is_kept(place: Place) -> None:
    folder = place.logs / "s" / "subagents"
    folder.mkdir(parents=True)
    (folder / "agent-a1.jsonl").write_bytes(b"{}\n")
    (folder / "agent-a1.meta.json").write_bytes(b'{"agentType":"Explore"}')
    log = str(folder / "agent-a1.jsonl")
    with place.copier() as copier:
        copier.copy(log)
        copier.settle()
    manifest = place.archive.manifest(log)
    assert manifest is not None
    assert manifest.newest.meta == b'{"agentType":"Explore"}'
    # Another description is a change of the log.
    (folder / "agent-a1.meta.json").write_bytes(b'{"agentType":"Plan"}')
    os.utime(folder / "agent-a1.meta.json", (5, 5))
    with place.copier() as copier:
        copier.copy(log)
        copier.settle()
    manifest = place.archive.manifest(log)
    assert manifest is not None
    assert [version.meta for version in manifest.versions] == [b'{"agentType":"Plan"}']


def test_what_is_deleted_is_swept_and_what_others_use_stays(place: Place) -> None:
    shared = lines(3_000_000)
    place.write("a", shared)
    place.write("b", shared)
    place.write("c", lines(3_000_000, seed=9))
    place.copy("a", "b", "c")
    with place.archive.writing():
        place.archive.delete(place.log("a"))
        assert place.archive.sweep() == (0, 0)
        before = place.archive.size()
        place.archive.delete(place.log("c"))
        swept = place.archive.sweep()
    assert swept.files > 2
    assert swept.bytes <= before - place.archive.size() <= swept.bytes + 4096
    assert place.held("b") == [shared]


def test_only_one_writes(place: Place) -> None:
    with place.archive.writing(), pytest.raises(InUse), place.archive.writing():
        pass
    with place.archive.writing():
        pass


def test_an_archive_that_is_not_there_is_empty(place: Place) -> None:
    assert list(place.archive.manifests()) == []
    assert place.archive.size() == 0
    assert place.archive.source(place.log("a")) is None
    with pytest.raises(FileNotFoundError):
        records.read(place.archive, place.log("a"), 0, 1)


def test_records_are_read_from_the_log_while_it_is_there(place: Place) -> None:
    data = lines(2_000_000)
    path = place.write("a", data)
    place.copy("a")
    with records.Records(place.archive, path) as log:
        assert log.read(1_500_000, 80) == data[1_500_000:1_500_080]
    away = [file.rename(file.with_suffix(".away")) for file in place.chunks]
    assert records.read(place.archive, path, 1_500_000, 80) == data[1_500_000:1_500_080]
    os.unlink(path)
    with pytest.raises(Missing):
        records.read(Archive(place.archive.folder), path, 0, 80)
    for file in away:
        file.rename(file.with_suffix(".zst"))
    with records.Records(place.archive, path) as log:
        assert log.read(1_500_000, 80) == data[1_500_000:1_500_080]
        assert log.read(1_999_990, 80) == data[1_999_990:]


def recipe(page: str) -> str:
    """The commands that a page tells, for the log ``a.jsonl``."""
    block = page.split("```sh\n")[1].split("```")[0]
    return "\n".join(
        line.replace("PART-OF-ITS-PATH", "a.jsonl").replace("0f3c9d1e-", "a.jsonl")
        for line in block.splitlines()
        if not line.startswith("cd ")
    )


@pytest.mark.skipif(not (shutil.which("zstd") and shutil.which("jq")), reason="needs zstd and jq")
def test_a_log_is_put_together_by_hand_as_the_pages_tell(place: Place) -> None:
    data = lines(5_000_000)
    for held in (data[:100], b"other\n", data):
        place.write("a", held)
        place.copy("a")
    place.write("b", lines(1000, seed=3))
    place.copy("b")
    folder = Path(place.archive.folder)
    pages = (folder / "README.md").read_text(), (Path(__file__).parents[2] / "docs/archive.md").read_text()
    for page, name in zip(pages, ("log.jsonl", "session.jsonl"), strict=True):
        subprocess.run(["bash", "-euc", recipe(page)], cwd=folder, check=True)
        assert (folder / name).read_bytes() == data


def flips(path: Path, count: int) -> list[bytes]:
    """The file with one bit of it changed, at different places."""
    data = path.read_bytes()
    found = []
    for number in range(count):
        place = number * len(data) // count
        changed = bytearray(data)
        changed[place] ^= 1 << number % 8
        found.append(bytes(changed))
    return found


def test_a_flipped_bit_is_noticed_wherever_it_is(place: Place) -> None:
    data = lines(30_000)
    path = place.write("a", data)
    place.copy("a")
    os.unlink(path)
    (chunk,) = place.chunks
    manifest = Path(place.archive.manifest_path(path))
    for damaged in flips(manifest, manifest.stat().st_size):
        with pytest.raises(ValueError, match="checksum"):
            manifests.decode(damaged)
    for file in (chunk, manifest):
        whole = file.read_bytes()
        for damaged in flips(file, 60):
            file.write_bytes(damaged)
            with pytest.raises(Damaged):
                records.read(Archive(place.archive.folder), path, 0, 100)
        file.write_bytes(whole)
    assert records.read(Archive(place.archive.folder), path, 0, 30_000) == data


def test_a_damaged_manifest_keeps_all_chunks(place: Place) -> None:
    place.write("a", lines(1000))
    place.copy("a")
    manifest = Path(place.archive.manifest_path(place.log("a")))
    manifest.write_bytes(manifest.read_bytes()[:-5])
    with place.archive.writing(), pytest.raises(Damaged):
        place.archive.sweep()
    assert len(place.chunks) == 1


def test_a_missing_chunk_is_said_to_be_missing(place: Place) -> None:
    path = place.write("a", lines(1000))
    place.copy("a")
    place.chunks[0].unlink()
    os.unlink(path)
    with pytest.raises(Missing):
        records.read(place.archive, path, 0, 100)


def test_a_frame_that_holds_more_than_it_should_is_not_unpacked() -> None:
    frame = bytearray(chunks.pack(bytes(1 << 20)))
    assert chunks.unpack(bytes(frame), 1 << 20) == bytes(1 << 20)
    with pytest.raises(ValueError, match="another length"):
        chunks.unpack(bytes(frame), 1000)
    # It may also lie about that.
    told = frame.index((1 << 20).to_bytes(4, "little"))
    frame[told : told + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(ValueError, match=r"decompress"):
        chunks.unpack(bytes(frame), 1000)


def test_copying_anew_writes_again_what_is_damaged_or_missing(place: Place) -> None:
    data = lines(2_000_000)
    place.write("a", data)
    place.copy("a")
    first, second, *_ = place.chunks
    first.write_bytes(b"damaged")
    second.unlink()
    assert place.copy("a") == [None]
    place.copy("a", anew=True)
    assert place.held("a") == [data]


def test_a_manifest_is_one_of_the_path_that_it_is_named_after(place: Place) -> None:
    path = place.write("a", lines(1000))
    place.copy("a")
    other = Path(place.archive.manifest_path(place.log("b")))
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(Path(place.archive.manifest_path(path)).read_bytes())
    with pytest.raises(Damaged):
        place.archive.manifest(place.log("b"))


def test_a_manifest_of_a_newer_ccdash_is_left_alone() -> None:
    body = b'{"path":"/a.jsonl","versions":[{"size":0,"mtime_ns":0,"guard":"","archived_at":"","chunks":[]}],"format":2'
    checksum = hashlib.sha256(body).hexdigest().encode()
    with pytest.raises(ValueError, match="newer"):
        manifests.decode(body + b',"checksum":"' + checksum + b'"}\n')

"""Bundles as files: what is written is read, any tar unpacks it, and what is not just as it was written is refused."""

from __future__ import annotations

import io
import os
import random
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.archive.archive import Archive
from ccdashd.archive.bundles import importing
from ccdashd.archive.bundles import manifest as manifests
from ccdashd.archive.bundles.contents import redacted_log
from ccdashd.archive.bundles.frames import RATIO_FROM, SEAL_SIZE, BadBundle, frame, header, size_in
from ccdashd.archive.bundles.messages import Checked, Exported, Refused, Taken
from ccdashd.archive.bundles.reading import Reader
from ccdashd.archive.copy import Copier
from ccdashd.edits.decisions import MetadataEdit, Name, encode
from ccdashd.redact import Redactor
from tests.archive.parcels import AGENT, HOME, ID, LOG, Parcel, answers, forged, manifest, member, sealed, tar_of
from tests.archive.world import lines

JOURNAL = member("journal.jsonl", b"")


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    return Parcel(tmp_path)


def exported(answer: Any) -> Exported:
    assert isinstance(answer, Exported), answer
    return answer


def refusal(parcel: Parcel, data: bytes) -> str:
    """Why a file is refused, by what checks it before anything is written."""
    path = parcel.folder / "forged.tar.zst"
    path.write_bytes(data)
    try:
        answer = parcel.check(path)
    except BadBundle as error:
        return str(error)
    assert isinstance(answer, Refused), answer
    return answer.problem


# --- what is written ---


def test_what_is_exported_is_what_is_imported(parcel: Parcel) -> None:
    logs = {LOG: lines(3_000_000), AGENT: b'{"a":1}\n{"torn'}
    for place, data in logs.items():
        parcel.log(place, data)
    parcel.log(AGENT.removesuffix(".jsonl") + ".meta.json", b'{"agentType":"Plan"}')
    (parcel.folder / "shop").mkdir()
    (parcel.folder / "shop" / "plan.md").write_text("# Plan\n")
    answer = exported(parcel.export(*logs, documents=("plan.md",), edits=(b"one\n", b"two\n")))
    assert (answer.logs, answer.documents, answer.problems) == (2, 1, [])
    assert answer.bytes == parcel.target.stat().st_size
    assert parcel.check() == Checked(held=[], edits=[b"one", b"two", b""])
    other = Archive(parcel.folder / "other")
    assert isinstance(parcel.take(other), Taken)
    for place, data in logs.items():
        source = other.source(f"/new/{place}")
        assert source is not None
        assert b"".join(other.stream(source.version)) == data
        assert source.version.meta == (b'{"agentType":"Plan"}' if place == AGENT else None)
    assert list((parcel.folder / "other" / "tmp").iterdir()) == []
    assert sorted(path.name for path in parcel.folder.glob("*.part")) == []
    assert parcel.target.stat().st_mode & 0o777 == 0o600


def test_any_tar_unpacks_a_bundle(parcel: Parcel) -> None:
    parcel.log(LOG, b'{"a":1}\n')
    exported(parcel.export(LOG))
    with tarfile.open(fileobj=io.BytesIO(tar_of(parcel.target))) as tar:
        assert tar.getnames() == ["manifest.json", "logs/000001.jsonl", "journal.jsonl"]
        log = tar.extractfile("logs/000001.jsonl")
        assert log is not None
        assert log.read() == b'{"a":1}\n'


def test_every_version_of_a_log_is_exported_the_newest_last(parcel: Parcel) -> None:
    path = parcel.log(LOG, b"first\n" * 10)
    with parcel.archive.writing() as staging:
        for data in (b"first\n" * 10, b"second\n" * 10, b"third\n"):
            path.write_bytes(data)
            copier = Copier(parcel.archive, staging, lambda: "now")
            copier.copy(str(path))
            copier.settle()
    path.write_bytes(b"third\nand more\n")
    exported(parcel.export(LOG))
    other = Archive(parcel.folder / "other")
    parcel.take(other)
    found = other.manifest(f"/new/{LOG}")
    assert found is not None
    versions = [b"".join(other.stream(version)) for version in found.versions]
    assert versions == [b"first\n" * 10, b"second\n" * 10, b"third\nand more\n"]
    path.unlink()
    exported(parcel.export(LOG))
    parcel.take(other)
    found = other.manifest(f"/new/{LOG}")
    assert found is not None
    assert b"".join(other.stream(found.newest)) == b"third\n"


def test_what_cannot_be_read_is_told_and_the_rest_is_whole(parcel: Parcel) -> None:
    parcel.log(LOG, b"{}\n")
    answer = exported(parcel.export(LOG, AGENT, documents=("gone.md",)))
    assert [problem for _, problem in answer.problems] == [
        "it is gone, and there is no copy of it",
        "No such file or directory",
    ]
    assert (answer.logs, answer.documents) == (1, 0)
    assert isinstance(parcel.check(), Checked)


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_replaced(parcel: Parcel) -> None:
    parcel.log(LOG, b"{}\n")
    parcel.target.write_text("mine")
    assert parcel.export(LOG, replace=False) == Refused("exists", "it is there already")
    assert parcel.target.read_text() == "mine"
    exported(parcel.export(LOG))
    assert isinstance(parcel.check(), Checked)


def test_a_log_with_a_name_that_is_no_utf8_keeps_it(parcel: Parcel) -> None:
    place = os.fsdecode(b"-home-m\xf6na/" + ID.encode() + b".jsonl")
    parcel.log(place, b"{}\n")
    exported(parcel.export(place))
    with Reader(str(parcel.target)) as reader:
        assert reader.manifest.logs[0].place == place


def test_logs_outside_of_known_folders_keep_the_end_of_their_path(parcel: Parcel) -> None:
    for place in (LOG, AGENT):
        parcel.log(place, b"{}\n")
    exported(parcel.export(LOG, AGENT, roots=[b"/elsewhere"]))
    with Reader(str(parcel.target)) as reader:
        assert [log.path for log in reader.manifest.logs] == [LOG, AGENT]


def test_a_redacted_bundle_holds_no_home_and_is_read_as_before(parcel: Parcel) -> None:
    key = "AKIA" + "Z2" * 8
    parcel.log(LOG, b'{"cwd":"/home/mona/shop","x":"%b"}\nno json /home/mona\n' % key.encode())
    (parcel.folder / "shop").mkdir()
    (parcel.folder / "shop" / "plan.md").write_text(f"mail mona@louvre.fr about {key}\n")
    note = MetadataEdit(entity=Name(type="session", key=ID), key="note", value="in /home/mona")
    edit = encode(note, HOME)
    answer = exported(parcel.export(LOG, documents=("plan.md",), edits=(edit,), redact=True))
    assert answer.redactions["aws-access-key"] == 2
    assert answer.redactions["email"] == 1
    assert answer.redacted_files == 2
    tar = tar_of(parcel.target)
    assert b"mona" not in tar.replace(str(parcel.folder).encode(), b"")
    assert key.encode() not in tar
    with Reader(str(parcel.target)) as reader:
        assert reader.manifest.redacted
        assert reader.manifest.logs[0].path == LOG.replace("mona", "user")
        files = {file.name: b"".join(pieces) for file, pieces in reader.files()}
    assert files["logs/000001.jsonl"] == b'{"cwd":"/home/user/shop","x":"[redacted:aws-access-key]"}\nno json /home/user\n'
    assert msgspec.json.decode(files["journal.jsonl"])["value"] == "in /home/user"


@given(st.binary(max_size=3000), st.integers(1, 700))
def test_records_are_redacted_whole_however_they_come(data: bytes, size: int) -> None:
    data = data.replace(b"\x00", b"\n").replace(b"\x01", b" /home/mona ")
    whole = b"".join(redacted_log([data], Redactor("/home/mona")))
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(redacted_log(pieces, Redactor("/home/mona"))) == whole
    assert whole.count(b"\n") == data.count(b"\n")


# --- what is refused ---


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    parcel = Parcel(tmp_path_factory.mktemp("small"))
    parcel.log(LOG, b'{"type":"user","message":"hello"}\n' * 20)
    exported(parcel.export(LOG))
    return parcel


def test_no_bit_of_a_bundle_can_be_another(small: Parcel) -> None:
    data = small.target.read_bytes()
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        assert refusal(small, bytes(flipped))


def test_no_byte_of_a_bundle_can_be_missing_or_too_many(small: Parcel) -> None:
    data = small.target.read_bytes()
    for end in range(len(data)):
        assert refusal(small, data[:end])
    assert refusal(small, data + b"\0")
    assert refusal(small, data[:-SEAL_SIZE])


def test_a_bit_that_is_another_under_a_seal_that_fits_changes_nothing_that_is_read(small: Parcel) -> None:
    body, tar = small.target.read_bytes()[:-SEAL_SIZE], tar_of(small.target)
    path = small.folder / "flipped.tar.zst"
    for at in random.Random(5).sample(range(len(body)), 200):
        flipped = bytearray(body)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(sealed(bytes(flipped)))
        try:
            answer = small.check(path)
        except BadBundle:
            continue
        assert isinstance(answer, Refused) or tar_of(path) == tar


NO_BUNDLES = (b"", b"x", b"{}" * 100, frame(b"x" * 2000), sealed(b""), sealed(b"nothing"), sealed(frame(b"x" * 2000)))


@pytest.mark.parametrize("data", NO_BUNDLES)
def test_what_is_no_bundle_is_refused(parcel: Parcel, data: bytes) -> None:
    problem = refusal(parcel, data)
    assert "no bundle" in problem or "cannot be unpacked" in problem or "too early" in problem


def test_a_folder_or_pipe_is_no_bundle(parcel: Parcel) -> None:
    os.mkfifo(parcel.folder / "pipe.tar.zst")
    with pytest.raises(BadBundle, match="no regular file"):
        Reader(str(parcel.folder / "pipe.tar.zst"))
    with pytest.raises(IsADirectoryError):
        Reader(str(parcel.folder))


def special(type: bytes, name: str = "logs/000001.jsonl", target: str = "/etc/passwd") -> bytes:
    """A member that is no regular file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.devmajor = type, target, 1
    return info.tobuf(tarfile.USTAR_FORMAT)


def wide(data: bytes) -> bytes:
    """A frame that asks its reader to keep 128 MB in memory."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(data) + packer.flush()


DATA = b'{"a":1}\n'
SAID = manifest(("logs/000001.jsonl", DATA))
GOOD = member("logs/000001.jsonl", DATA)

HOSTILE: dict[str, bytes] = {
    "symbolic link": forged(SAID, special(tarfile.SYMTYPE), JOURNAL),
    "hard link": forged(SAID, special(tarfile.LNKTYPE), JOURNAL),
    "device": forged(SAID, special(tarfile.CHRTYPE), JOURNAL),
    "block device": forged(SAID, special(tarfile.BLKTYPE), JOURNAL),
    "pipe": forged(SAID, special(tarfile.FIFOTYPE), JOURNAL),
    "folder": forged(SAID, special(tarfile.DIRTYPE), JOURNAL),
    "link before the file": forged(SAID, special(tarfile.SYMTYPE), GOOD, JOURNAL),
    "absolute path": forged(SAID, member("/etc/cron.d/x", DATA), JOURNAL),
    "path that leads out": forged(SAID, member("../../x.jsonl", DATA), JOURNAL),
    "another name": forged(SAID, member("logs/000002.jsonl", DATA), JOURNAL),
    "file that is not named": forged(SAID, GOOD, member("logs/000002.jsonl", DATA), JOURNAL),
    "file after the last": forged(SAID, GOOD, JOURNAL, member("x", DATA)),
    "same file twice": forged(SAID, GOOD, GOOD, JOURNAL),
    "missing file": forged(SAID, JOURNAL),
    "missing journal": forged(SAID, GOOD),
    "order": forged(SAID, JOURNAL, GOOD),
    "other content": forged(SAID, member("logs/000001.jsonl", b'{"a":2}\n'), JOURNAL),
    "longer than it says": forged(SAID, member("logs/000001.jsonl", DATA + b"x"), JOURNAL),
    "something in the padding": forged(SAID, GOOD[:-1] + b"x", JOURNAL),
    "no end": forged(SAID, GOOD, JOURNAL, end=b""),
    "something after the end": forged(SAID, GOOD, JOURNAL, end=bytes(2048)),
    "long name by an extension": forged(SAID, tarfile.TarInfo("x" * 200).tobuf(tarfile.GNU_FORMAT), GOOD, JOURNAL),
    "header of an extension": forged(SAID, tarfile.TarInfo("é").tobuf(tarfile.PAX_FORMAT), GOOD, JOURNAL),
    "no manifest": sealed(frame(GOOD + JOURNAL + bytes(1024))),
    "manifest that is no JSON": sealed(frame(member("manifest.json", b"{") + bytes(1024))),
    "deep manifest": sealed(frame(member("manifest.json", b"[" * 100_000) + bytes(1024))),
    "giant manifest": sealed(frame(header("manifest.json", manifests.MAX_BYTES + 1))),
    "negative size": sealed(frame(header("manifest.json", 0)[:124] + b"-0000000001\0" + header("manifest.json", 0)[136:])),
    "more than there is": forged(manifest() | {"journal": {"name": "journal.jsonl", "size": 2**40, "sha256": "0" * 64}},
                                 header("journal.jsonl", 2**40)),
    "wide window": sealed(wide(member("manifest.json", msgspec.json.encode(SAID)) + GOOD + JOURNAL + bytes(1024))),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bundles_are_refused(parcel: Parcel, name: str) -> None:
    assert refusal(parcel, HOSTILE[name])


def test_the_bundle_that_hostile_ones_are_made_of_is_sound(parcel: Parcel) -> None:
    path = parcel.folder / "sound.tar.zst"
    path.write_bytes(forged(SAID, GOOD, JOURNAL))
    assert parcel.check(path) == Checked(held=[], edits=[b""])


def test_a_bomb_is_refused_before_it_is_unpacked(parcel: Parcel) -> None:
    size = 4 * RATIO_FROM
    said = manifest(("logs/000001.jsonl", b""))
    said["logs"][0]["size"] = size
    head = frame(member("manifest.json", msgspec.json.encode(said)) + header("logs/000001.jsonl", size))
    packer = zstandard.ZstdCompressor().compressobj()
    zeros = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    assert "1,000 times" in refusal(parcel, sealed(head + zeros))


PLACES = [
    "/etc/passwd.jsonl", "../x.jsonl", "a/../../x.jsonl", "a/./x.jsonl", "a//x.jsonl", "x.jsonl", "a/x.txt", "a/x\0.jsonl",
    "a/x\n.jsonl", "a/tool-results/x.jsonl", "a/" + "x" * 300 + ".jsonl", "a/x.jsonl#0123456789ab",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_places_that_no_log_has_are_refused(parcel: Parcel, place: str) -> None:
    said = manifest(("logs/000001.jsonl", DATA))
    said["logs"][0]["path"] = place
    assert "for the place of a log" in refusal(parcel, forged(said, GOOD, JOURNAL))
    said["logs"][0] |= {"path": LOG, "pathBytes": msgspec.json.decode(msgspec.json.encode(place.encode()))}
    assert "for the place of a log" in refusal(parcel, forged(said, GOOD, JOURNAL))


WRONG: list[dict[str, Any]] = [
    {"format": 2},
    {"format": "1"},
    {"what": "nothing"},
    {"sessions": []},
    {"journal": {"name": "../journal.jsonl", "size": 0, "sha256": "0" * 64}},
    {"journal": {"name": "journal.jsonl", "size": -1, "sha256": "0" * 64}},
    {"journal": {"name": "journal.jsonl", "size": 0, "sha256": "x" * 64}},
    {"logs": manifest(("logs/000001.jsonl", DATA), ("logs/000001.jsonl", DATA))["logs"]},
    {"logs": [manifest(("logs/000001.jsonl", DATA))["logs"][0] | {"mtimeNs": -1}]},
    {"home": 5},
]


@pytest.mark.parametrize("changes", WRONG)
def test_manifests_that_are_wrong_are_refused(parcel: Parcel, changes: dict[str, Any]) -> None:
    assert refusal(parcel, forged(manifest(("logs/000001.jsonl", DATA)) | changes, GOOD, JOURNAL))


def test_one_log_cannot_stand_in_two_places_of_a_manifest(parcel: Parcel) -> None:
    said = manifest(("logs/000001.jsonl", DATA), ("logs/000002.jsonl", DATA), ("logs/000003.jsonl", DATA))
    said["logs"][1]["path"] = AGENT
    assert "several logs" in refusal(parcel, forged(said))


def test_a_newer_format_is_told_as_such(parcel: Parcel) -> None:
    assert "newer version of ccdash" in refusal(parcel, forged(manifest(format=7)))


def test_a_bundle_that_is_replaced_while_it_is_read_is_refused(small: Parcel) -> None:
    job = small.check_job()
    other = Parcel(small.folder / "other")
    other.folder.mkdir()
    other.log(LOG, b"{}\n")
    exported(other.export(LOG))
    before = small.target.read_bytes()
    small.target.write_bytes(other.target.read_bytes())
    assert answers(importing.work(job)) == Refused("bundle", "it was replaced while it was read")
    small.target.write_bytes(before)


@given(st.from_regex(r"logs/[0-9]{6}\.jsonl", fullmatch=True), st.integers(0, 2**62))
def test_headers_are_those_of_tar(name: str, size: int) -> None:
    block = header(name, size)
    assert size_in(block, name) == size
    info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    assert (info.name, info.size, info.isreg()) == (name, size, True)

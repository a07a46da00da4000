"""The reader of sorted tables: TensorFlow's own, several blocks, and no file that lies."""

import pytest

from sheetgpt.checkpoint import sorted_table
from sheetgpt.errors import CheckpointError


def test_the_checksum_is_crc_32c_masked():
    """The check value of CRC-32C (RFC 3720 and its successors), then LevelDB's mask."""
    crc = 0xE3069283  # of "123456789"
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
    assert sorted_table.checksum(b"123456789") == masked


def test_what_tensorflow_wrote(copy_of):
    table = sorted_table.read(copy_of("tensorflow").path / "model.ckpt.index")
    assert list(table) == sorted(table) and len(table) == 1 + 2 + 2 * 12 + 2
    assert b"model/h1/mlp/c_proj/w" in table


def test_several_blocks_and_shared_keys(tmp_path, table):
    blocks = ({b"": b"x", b"ab": b"", b"abc": b"y" * 300}, {b"abd": b"\0\xff"}, {b"b": b"z"})
    (tmp_path / "t").write_bytes(table(*blocks))
    assert sorted_table.read(tmp_path / "t") == blocks[0] | blocks[1] | blocks[2]


def test_every_cut_is_refused(tmp_path, table, refusal):
    whole = table({b"": b"x", b"model/wte": b"y" * 20})
    for length in range(len(whole)):
        (tmp_path / "m.index").write_bytes(whole[:length])
        text = refusal(lambda: sorted_table.read(tmp_path / "m.index"))
        assert text.startswith(f"{tmp_path}/m.index is not a whole index of a TensorFlow check")


def test_a_changed_byte_is_refused_or_does_not_matter(tmp_path, table):
    entries = {b"": b"x", b"model/wte": b"y" * 20}
    whole = table(entries)
    for at in range(len(whole)):
        path = tmp_path / "m.index"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert sorted_table.read(path) == entries  # zeros in the footer, for instance
        except CheckpointError as error:
            assert "is not a whole index of a TensorFlow checkpoint: " in str(error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it does not end with a table's footer"),
        (b"x" * 100, "it does not end with a table's footer"),
        (b"\xff" * 40 + sorted_table.MAGIC.to_bytes(8, "little"), "number at byte 0 does not end"),
        (
            b"\0\0\0\x7f".ljust(40, b"\0") + sorted_table.MAGIC.to_bytes(8, "little"),
            "132 bytes from byte 0 on were expected, but it ends before",
        ),
    ],
)
def test_a_file_that_is_something_else_is_refused(content, said, tmp_path, refusal):
    (tmp_path / "t").write_bytes(content)
    assert said in refusal(lambda: sorted_table.read(tmp_path / "t"))


def test_a_changed_block_is_refused(tmp_path, table, refusal):
    (tmp_path / "t").write_bytes(table({b"a": b"value"}).replace(b"value", b"velue"))
    text = refusal(lambda: sorted_table.read(tmp_path / "t"))
    assert "the block at byte 0 has not the checksum that stands behind it; copy or" in text


def test_a_compressed_block_is_refused(tmp_path, table, refusal):
    (tmp_path / "t").write_bytes(table({b"a": b"value"}, compression=1))
    text = refusal(lambda: sorted_table.read(tmp_path / "t"))
    assert "the block at byte 0 is compressed, which TensorFlow's own indexes are not" in text


def test_an_endless_file_is_not_read_to_its_end(tmp_path, monkeypatch, table, refusal):
    monkeypatch.setattr(sorted_table, "LONGEST", 60)
    (tmp_path / "t").write_bytes(table({b"a": b"value"}))
    assert "it has more than 60 bytes" in refusal(lambda: sorted_table.read(tmp_path / "t"))


def test_a_missing_file_is_refused(tmp_path, refusal):
    text = refusal(lambda: sorted_table.read(tmp_path / "model.ckpt.index"))
    assert "model.ckpt.index cannot be read (No such file or directory)" in text

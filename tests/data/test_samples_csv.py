import pytest

from napari_veinseg.data.samples_csv import read_rows, write_rows


@pytest.mark.parametrize("text", ["\r", "a\rb", "x\r\ny", "\n", '"', "a,b"])
def test_what_ends_a_row_or_a_cell_comes_back(tmp_path, text):
    rows = {"a": {"stem": "a", "source": text}, "b": {"stem": "b", "source": "z"}}
    write_rows(tmp_path / "samples.csv", rows)
    read = read_rows(tmp_path / "samples.csv")
    assert {stem: row["source"] for stem, row in read.items()} == {"a": text, "b": "z"}

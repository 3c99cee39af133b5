"""Tables of any length on paper."""

import io

import pytest
from pypdf import PdfReader

from scanner_station.exports.listing import Column, Listing
from scanner_station.exports.paper import Sheet, print_pages

COLUMNS = (Column(title="No.", width_mm=15, is_number=True), Column(title="Nama", width_mm=60))


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_every_row_is_printed_once_and_every_page_has_the_head(rows: int) -> None:
    listing = Listing(COLUMNS, ((str(row), f"nama{row}x") for row in range(rows)))
    pages = PdfReader(io.BytesIO(print_pages(Sheet(title="Daftar"), [listing]))).pages
    texts = [page.extract_text() for page in pages]
    assert all("Nama" in text for text in texts)
    whole = " ".join(texts)
    assert all(whole.count(f"nama{row}x") == 1 for row in range(rows))
    assert len(texts) > 5 or rows < 500


def test_a_long_word_is_broken_and_a_cell_without_end_is_cut_and_says_so() -> None:
    rows = [("1", "W" * 100), ("2", "kata " * 2000)]
    pages = PdfReader(io.BytesIO(print_pages(Sheet(title="D"), [Listing(COLUMNS, rows)]))).pages
    text = " ".join(page.extract_text() for page in pages)
    assert text.count("W") == 100
    assert "(dipotong)" in text

"""The workbook itself."""

from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from scanner_station.exports.excel import write_workbook
from scanner_station.service import views
from tests.exports.logs import Logs, counted


@pytest.mark.parametrize(("rows", "sheets"), [(0, [0]), (2, [2]), (3, [2, 1]), (4, [2, 2])])
def test_rows_that_one_sheet_cannot_hold_go_on_on_the_next(
    tmp_path: Path, rows: int, sheets: list[int]
) -> None:
    logs = Logs(tmp_path)
    summary = views.summary(logs.connection, logs.add([(counted(), "A")]))
    logs.database.close()
    path = tmp_path / "log.xlsx"
    with path.open("w+b") as file:
        many = ({"sequence": number, "identifier": f"{number:016}"} for number in range(rows))
        write_workbook(
            file, ("sequence", "identifier"), many, summary, scratch=tmp_path, rows_a_sheet=3
        )
    workbook = CalamineWorkbook.from_path(str(path))
    names = ["log", "log 2"][: len(sheets)]
    assert workbook.sheet_names == ["summary", *names]
    found = [workbook.get_sheet_by_name(name).to_python() for name in names]
    assert [len(sheet) - 1 for sheet in found] == sheets
    assert all(sheet[0] == ["sequence", "identifier"] for sheet in found)
    assert [row[1] for sheet in found for row in sheet[1:]] == [f"{n:016}" for n in range(rows)]

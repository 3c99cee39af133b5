"""What can be wrong with a manifest: a code for machines, a reason and a remedy for people."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Values = dict[str, str | int]


class Code(StrEnum):
    """Why a line, or a whole file, is refused."""

    # The file
    NOT_WHAT_ITS_NAME_SAYS = "not_what_its_name_says"
    OLD_EXCEL = "old_excel"
    ZIP_BOMB = "zip_bomb"
    SHEET_TOO_LARGE = "sheet_too_large"
    DAMAGED_FILE = "damaged_file"
    PASSWORD = "password"  # noqa: S105  a reason, not a secret
    UNKNOWN_ENCODING = "unknown_encoding"
    SEVERAL_SHEETS = "several_sheets"
    EMPTY_FILE = "empty_file"
    NO_LINES = "no_lines"
    # The header
    MISSING_HEADER = "missing_header"
    MISSING_IDENTIFIER_COLUMN = "missing_identifier_column"
    AMBIGUOUS_COLUMNS = "ambiguous_columns"
    WRONG_DELIMITER = "wrong_delimiter"
    LINE_ABOVE_HEADER = "line_above_header"
    # A line
    BROKEN_QUOTES = "broken_quotes"
    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    CONTROL_CHARACTER = "control_character"
    TEXT_TOO_LONG = "text_too_long"
    REPEATED_HEADER = "repeated_header"
    COLUMN_NUMBERS = "column_numbers"
    TOTAL_ROW = "total_row"
    EMPTY_IDENTIFIER = "empty_identifier"
    MALFORMED_IDENTIFIER = "malformed_identifier"
    IMPOSSIBLE_NIK = "impossible_nik"
    EXCEL_DAMAGE = "excel_damage"
    EXCEL_TEXT_MARK = "excel_text_mark"
    EXCEL_ROUNDING = "excel_rounding"
    NUMERIC_CELL = "numeric_cell"
    DATE_CELL = "date_cell"
    DUPLICATE_IDENTIFIER = "duplicate_identifier"
    DUPLICATE_CARD = "duplicate_card"
    INVALID_PIECES = "invalid_pieces"
    PIECES_OF_ONE_CARD = "pieces_of_one_card"
    IDENTITY_NUMBER_IN_TEXT = "identity_number_in_text"
    TOO_MANY_CATEGORIES = "too_many_categories"


_AS_TEXT = (
    "in Excel, set the whole column to the format Text, then enter the numbers again from the "
    "source; digits that Excel has dropped cannot be brought back"
)

TEXTS: Final[dict[Code, tuple[str, str]]] = {
    Code.NOT_WHAT_ITS_NAME_SAYS: (
        "the name ends in %(ending)s but the content is %(content)s",
        "open it in the program that made it and save it as CSV or Excel workbook (.xlsx)",
    ),
    Code.OLD_EXCEL: (
        "this is an old Excel file (.xls)",
        "open it in Excel and save it as Excel workbook (.xlsx)",
    ),
    Code.ZIP_BOMB: (
        "it would unpack to far more than it says or than a list of cards needs (it has %(packed)s "
        "bytes, unpacked more than %(unpacked)s)",
        "open it in Excel, copy only the table into a new workbook and save that",
    ),
    Code.SHEET_TOO_LARGE: (
        "sheet %(sheet)s spans %(rows)s rows and %(columns)s columns, far beyond its table",
        "copy only the table into a new workbook, or save the sheet as CSV",
    ),
    Code.DAMAGED_FILE: (
        "the workbook cannot be read (%(why)s)",
        "open it in Excel and save it again, or fetch it again from where it came",
    ),
    Code.PASSWORD: (
        "the file is protected with a password, or is an old Excel file",
        "open it in Excel, take the password off and save it as Excel workbook (.xlsx)",
    ),
    Code.UNKNOWN_ENCODING: (
        "its bytes are no text in UTF-8, UTF-16 or Windows-1252",
        "save it as CSV UTF-8 from the program that made it",
    ),
    Code.SEVERAL_SHEETS: (
        "sheets %(first)s and %(second)s both hold a list of cards",
        "put all cards on one sheet, or save each sheet as a file of its own",
    ),
    Code.EMPTY_FILE: (
        "there is nothing in it",
        "write a header line and one line for each card below it",
    ),
    Code.NO_LINES: (
        "there is no card below the header",
        "write one line for each card below the header",
    ),
    Code.MISSING_HEADER: (
        "there is no header line that names the columns",
        "put one above the first card, for example: nik,nama,alamat,kecamatan,kategori",
    ),
    Code.MISSING_IDENTIFIER_COLUMN: (
        "no column is named as the card's number; the header has %(columns)s",
        "name the column with the numbers nik (or nomor kartu)",
    ),
    Code.AMBIGUOUS_COLUMNS: (
        "the columns %(first)s and %(second)s mean the same thing",
        "keep the one that counts; delete the other or give it another name",
    ),
    Code.WRONG_DELIMITER: (
        "the columns seem to be separated by %(found)s, expected was %(expected)s",
        "save it as CSV with comma, semicolon or tab, the same one on every line",
    ),
    Code.LINE_ABOVE_HEADER: (
        "a card stands above the header in line %(header)s",
        "move it below the header",
    ),
    Code.BROKEN_QUOTES: (
        "a quotation mark is opened and not closed, or closed in the middle of a field",
        "take the quotation mark out, or write it twice inside a quoted field",
    ),
    Code.TOO_FEW_FIELDS: (
        "it has %(found)s fields, the header %(expected)s",
        "add what is missing; leave a field empty rather than out",
    ),
    Code.TOO_MANY_FIELDS: (
        "it has %(found)s fields, the header %(expected)s",
        "put a text that holds the separator in quotation marks",
    ),
    Code.CONTROL_CHARACTER: (
        "it holds a character that is no text (%(character)s)",
        "delete it; it often comes from copying out of another program",
    ),
    Code.TEXT_TOO_LONG: (
        "the text has %(length)s characters, at most %(most)s are taken",
        "shorten it; a missing quotation mark in an earlier line can be the cause",
    ),
    Code.REPEATED_HEADER: (
        "the header is repeated here",
        "delete this line",
    ),
    Code.COLUMN_NUMBERS: (
        "the line numbers the columns and is no card",
        "delete this line",
    ),
    Code.TOTAL_ROW: (
        "the line is a total (%(found)s), not a card",
        "delete it; the station adds up by itself",
    ),
    Code.EMPTY_IDENTIFIER: (
        "the card's number is missing",
        "write it, or delete the line if it is no card",
    ),
    Code.MALFORMED_IDENTIFIER: (
        "it is no card number of this batch: %(expected)s expected, found %(digits)s digits in "
        "%(length)s characters",
        "compare it with the card; write no spaces or dots, and 0, not the letter O; missing "
        "digits are never guessed",
    ),
    Code.IMPOSSIBLE_NIK: (
        "no NIK can be so: %(why)s",
        "compare it with the card and correct it",
    ),
    Code.EXCEL_DAMAGE: (
        "Excel has turned the number into a calculation value and dropped digits",
        _AS_TEXT,
    ),
    Code.EXCEL_TEXT_MARK: (
        'the number is wrapped in an Excel text mark (\' or ="")',
        "take the mark off so that only the number stands there",
    ),
    Code.EXCEL_ROUNDING: (
        "all %(lines)s numbers end in 0, as they do once Excel has cut them to 15 digits",
        _AS_TEXT,
    ),
    Code.NUMERIC_CELL: (
        "the cell is a number, not text, so Excel keeps only 15 of its digits",
        _AS_TEXT,
    ),
    Code.DATE_CELL: (
        "the cell is a date, not a card's number",
        _AS_TEXT,
    ),
    Code.DUPLICATE_IDENTIFIER: (
        "the same number stands in line %(first)s already",
        "keep line %(first)s, write %(pieces)s in its column keping (add the column if there is "
        "none) and delete this line: nik %(value)s, keping %(pieces)s",
    ),
    Code.DUPLICATE_CARD: (
        "the same number stands in line %(first)s already, and it names one card for ever",
        "delete one of the two lines",
    ),
    Code.INVALID_PIECES: (
        "the number of pieces must be a whole number from 1 to %(most)s",
        "write how many cards with this number there are, or leave the field empty for 1",
    ),
    Code.PIECES_OF_ONE_CARD: (
        "this number names one card for ever, so there cannot be %(pieces)s pieces of it",
        "write 1, or leave the field empty",
    ),
    Code.IDENTITY_NUMBER_IN_TEXT: (
        "a category or district must not hold an identity number; everyone at the fire sees it",
        "take it out, or check whether the columns are mixed up",
    ),
    Code.TOO_MANY_CATEGORIES: (
        "the file names more than %(most)s different categories and districts",
        "check whether the columns are mixed up; a remark belongs in a column of its own",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that stops the import, with where it is and how to mend it.

    `line` is the line (CSV) or row (workbook) from 1, 0 for the whole file; `cell` like `B17`,
    '' in CSV; `column` the header's own word, '' for the whole line. `value_masked` is fit for
    any screen. `values` fill the templates and hold no identifier either.
    """

    code: Code
    line: int = 0
    cell: str = ""
    column: str = ""
    value_masked: str = ""
    values: Values = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The English template of why; `values` fill it."""
        return TEXTS[self.code][0]

    @property
    def remedy(self) -> str:
        """The English template of what to do; `values` fill it."""
        return TEXTS[self.code][1]

    @property
    def where(self) -> str:
        """The place in words: `line 17, column nik`, `cell B17`, or '' for the whole file."""
        if self.cell:
            return f"cell {self.cell}"
        if not self.line:
            return ""
        return f"line {self.line}" + (f", column {self.column}" if self.column else "")

    def as_json(self) -> dict[str, object]:
        """Return the problem with stable keys."""
        return {
            "code": self.code.value,
            "line": self.line,
            "cell": self.cell,
            "column": self.column,
            "value": self.value_masked,
            "reason": self.reason % self.values,
            "remedy": self.remedy % self.values,
            "values": dict(self.values),
        }

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        value = f" [{self.value_masked}]" if self.value_masked else ""
        return f"{where}{self.reason % self.values}{value}; {self.remedy % self.values}"

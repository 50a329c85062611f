"""Tables of text, streamed: which encoding, which delimiter, where the headings stand, and then row by row."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from core.errors import InvalidInput
from core.settings import settings
from geodata.exchange import CHUNK_ROWS, Chunk, Layout, unique_headings

BLOCK_BYTES: Final = 8 << 20
_HEAD_BYTES: Final = 1 << 18
_HEAD_ROWS: Final = 30
_PIECE: Final = 4 << 20
_UNPACKED: Final = 100
_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030", "cp1252": "Windows-1252"}
_NUMBER = re.compile(r"^[-+]?[\d.,]+([eE][-+]?\d+)?$")
_BINARY: Final = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f"


class TextSource:
    """A table of text: what it looks like, and its rows.

    Raises
    ------
    InvalidInput
        When it is empty, no text, or packed and broken.
    """

    def __init__(self, path: Path, *, encoding: str = "", delimiter: str = "", form: str = "CSV") -> None:
        self._path = path
        self._most = settings().upload_max_mib * 16 << 20
        self._encoding, why = (_known(encoding, path.name), "as said") if encoding else self._detect()
        head = self._head()
        if not head.strip("\ufeff \r\n\t"):
            raise InvalidInput(
                f"{path.name} is empty.", hint="Was the download complete?", zh=f"{path.name} 是空文件。"
            )
        self._delimiter = delimiter or _delimiter(head)
        self._skip, headings, where = _headings(head, self._delimiter)
        shown = {"\t": "tab"}.get(self._delimiter, self._delimiter)
        self.layout = Layout(
            form=form,
            headings=tuple(headings),
            encoding=_NAMES.get(self._encoding, self._encoding),
            delimiter=self._delimiter,
            remarks=(
                ("encoding", _NAMES.get(self._encoding, self._encoding), why),
                (
                    "delimiter",
                    shown,
                    "as said" if delimiter else f"it parts the first lines into {len(headings)} cells",
                ),
                *where,
            ),
        )

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows; a row with more or fewer cells than headings comes among ``broken``."""
        names, broken = list(self.layout.headings), _Broken(self._skip)
        reader = self._reader(names, broken)
        first = 1
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                break
            except (pa.ArrowInvalid, OSError, EOFError, zlib.error) as error:
                raise self._said(error, first) from error
            numbers, first = broken.numbers(first, batch.num_rows)
            if not batch.num_rows and not broken.rows:
                continue
            for start in range(0, max(1, batch.num_rows), CHUNK_ROWS):
                columns = {name: batch.column(place).slice(start, CHUNK_ROWS) for place, name in enumerate(names)}
                some = numbers[start : start + CHUNK_ROWS]
                yield Chunk(int(some[0]) if len(some) else first, columns, None, some, tuple(broken.take()))
        if broken.rows:
            empty = {name: pa.array([], pa.string()) for name in names}
            yield Chunk(first, empty, None, np.empty(0, dtype=np.int64), tuple(broken.take()))

    def _reader(self, names: list[str], broken: _Broken) -> arrow_csv.CSVStreamingReader:
        try:
            return arrow_csv.open_csv(
                self._utf8(),
                read_options=arrow_csv.ReadOptions(
                    column_names=names, skip_rows=self._skip, block_size=BLOCK_BYTES, use_threads=False
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=broken.add
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
                ),
            )
        except (pa.ArrowInvalid, OSError, EOFError, zlib.error) as error:
            raise self._said(error, 1) from error

    def _said(self, error: Exception, row: int) -> InvalidInput:
        name = self._path.name
        told = str(error).split("\n", maxsplit=1)[0]
        if "straddling" in told or "out of sync" in told:
            return InvalidInput(
                f"{name}: a row after row {row:,} is longer than {BLOCK_BYTES >> 20} MB.",
                hint="Look for a missing quotation mark there.",
                zh=f"{name}：第 {row:,} 行之后有一行超过 {BLOCK_BYTES >> 20} MB，请检查是否缺少引号。",
            )
        if "Empty CSV" in told:
            return InvalidInput(f"{name} has headings and no rows.", zh=f"{name} 只有表头，没有数据行。")
        if isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)) or "gzip" in told.lower():
            return InvalidInput(
                f"{name} is cut short or is no gzip file ({told}).",
                hint="Fetch it again; nothing was loaded.",
                zh=f"{name} 不完整或不是 gzip 文件，请重新获取；未写入任何数据。",
            )
        return InvalidInput(
            f"{name} breaks as a table after row {row:,}: {told}.",
            hint="Look for a missing or an extra quotation mark there.",
            zh=f"{name}：第 {row:,} 行之后表格结构损坏，请检查引号。",
        )

    def _open(self) -> Any:
        if self._path.suffix.lower() == ".gz":
            return _Bounded(gzip.open(self._path), self._path.name, self._most)
        return self._path.open("rb")

    def _utf8(self) -> Any:
        """Return the file as UTF-8 without a mark, whatever it is written in."""
        if self._encoding == "utf-8":
            return self._open()
        return _Recoded(self._open(), self._encoding)

    def _head(self) -> str:
        with self._open() as file:
            try:
                raw = file.read(_HEAD_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise self._said(error, 1) from error
        return str(raw.decode(self._encoding, errors="replace"))

    def _detect(self) -> tuple[str, str]:
        """Return the encoding and why, from the whole file."""
        with self._open() as file:
            try:
                start = file.read(_HEAD_BYTES)
                marked = _marked(start)
                if marked:
                    return marked, "the mark at its beginning says so"
                self._refuse_binary(start)
                decoder, piece = codecs.getincrementaldecoder("utf-8")(), start
                while piece:
                    decoder.decode(piece)
                    piece = file.read(_PIECE)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                pass
            except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
                raise self._said(error, 1) from error
            else:
                return "utf-8", "all of it reads as UTF-8"
        return self._not_utf8()

    def _not_utf8(self) -> tuple[str, str]:
        wrong = many = foreign = common = 0
        chinese = True
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        gb = codecs.getincrementaldecoder("gb18030")()
        with self._open() as file:
            while piece := file.read(_PIECE):
                text = utf8.decode(piece)
                wrong += text.count("\ufffd")
                many += sum(each > "\x7f" for each in text[:_PIECE]) if many < _PIECE else 0
                if chinese and foreign < _HEAD_BYTES:
                    try:
                        signs = [each for each in gb.decode(piece) if each > "\x7f"]
                    except UnicodeDecodeError:
                        chinese = False
                    else:
                        foreign, common = foreign + len(signs), common + sum(map(_is_common, signs))
        if many - wrong > 10 * wrong:
            return "utf-8-sig", f"it reads as UTF-8 but for {wrong:,} broken signs; their rows go to quarantine"
        if chinese and foreign and common > 0.9 * foreign:
            return "gb18030", f"it is no UTF-8, and read as Chinese {common:,} of {foreign:,} signs are common ones"
        return "cp1252", "it is neither UTF-8 nor Chinese"

    def _refuse_binary(self, start: bytes) -> None:
        if start and sum(start.count(sign) for sign in _BINARY) > max(8, len(start) // 200):
            name = self._path.name
            raise InvalidInput(
                f"{name} is no text table: it holds binary data.",
                hint="Save it as CSV in UTF-8.",
                zh=f"{name} 不是文本表格，含有二进制数据。请另存为 UTF-8 的 CSV。",
            )


class _Broken:
    """Rows that have another number of cells than there are headings."""

    def __init__(self, above: int) -> None:
        self._above = above
        self.rows: list[tuple[int, str, str]] = []
        self._all: list[int] = []

    def add(self, row: arrow_csv.InvalidRow) -> str:
        number = int(row.number or 0) - self._above  # counted with the lines above the first row
        self._all.append(number)
        told = f"The row has {row.actual_columns} cells, and there are {row.expected_columns} headings."
        self.rows.append((number, str(row.text)[:2000], told))
        return "skip"

    def numbers(self, first: int, count: int) -> tuple[np.ndarray, int]:
        """Return the numbers of the next ``count`` whole rows, and where the ones after begin."""
        gone = np.array([each for each in self._all if each >= first], dtype=np.int64)
        made = np.arange(first, first + count + len(gone), dtype=np.int64)
        made = made[~np.isin(made, gone)][:count]
        return made, (int(made[-1]) + 1 if len(made) else first)

    def take(self) -> list[tuple[int, str, str]]:
        taken, self.rows = self.rows, []
        return taken


class _Recoded(io.RawIOBase):
    """Bytes of a file in another encoding, as UTF-8; what cannot be read becomes the sign for that."""

    def __init__(self, source: Any, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._left) < size:
            piece = self._source.read(_PIECE)
            self._left += self._decoder.decode(piece, final=not piece).encode()
            if not piece:
                break
        size = len(self._left) if size < 0 else size
        given, self._left = self._left[:size], self._left[size:]
        return given


class _Bounded(io.RawIOBase):
    """A packed file that is refused when it unpacks to far more than a table has."""

    def __init__(self, source: Any, name: str, most: int) -> None:
        self._source, self._name, self._left, self._most = source, name, most, most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        given: bytes = self._source.read(min(size, _PIECE) if size >= 0 else _PIECE)
        self._left -= len(given)
        if self._left < 0:
            raise InvalidInput(
                f"{self._name} unpacks to more than {self._most >> 20:,} MB.",
                hint="Split it, or have the limit on uploads raised.",
                zh=f"{self._name} 解压后超过 {self._most >> 20:,} MB，请拆分文件或调高上传上限。",
            )
        return given

    def close(self) -> None:
        self._source.close()
        super().close()


def _known(encoding: str, name: str) -> str:
    try:
        found = codecs.lookup(encoding).name
    except LookupError:
        raise InvalidInput(
            f"{name}: there is no encoding {encoding!r}.", hint="Known are utf-8, gb18030, gbk, cp1252, utf-16."
        ) from None
    return "gb18030" if found in {"gbk", "gb2312"} else found


def _marked(start: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if start.startswith(mark):
            return encoding
    return ""


def _is_common(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def _rows(head: str, delimiter: str) -> list[list[str]]:
    try:
        read = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        rows = [row for row, _ in zip(read, range(_HEAD_ROWS), strict=False)]
    except csv.Error:
        return [line.split(delimiter) for line in head.splitlines()[:_HEAD_ROWS]]
    return rows[:-1] if len(rows) > 1 and len(head) >= _HEAD_BYTES // 4 else rows


def _delimiter(head: str) -> str:
    """Return the sign that parts most lines into the same, largest number of cells."""

    def worth(sign: str) -> tuple[float, int]:
        widths = [len(row) for row in _rows(head, sign) if row]
        most = max(widths, default=1)
        usual = max(set(widths), key=widths.count) if widths else 1
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0, min(usual, most))

    return max(",;\t|", key=worth)


def _headings(head: str, delimiter: str) -> tuple[int, list[str], list[tuple[str, str, str]]]:
    """Return how many lines to skip, the headings, and what was found about them."""
    rows = _rows(head.removeprefix("\ufeff"), delimiter)
    taken, names, said = find_headings(rows)
    lines = _lines_of(head, delimiter, taken)
    return lines, names, said


def _lines_of(head: str, delimiter: str, records: int) -> int:
    """Return how many lines of the file the first records take, blank lines among them."""
    if not records:
        return 0
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    for number, _ in enumerate(reader, start=1):
        if number == records:
            break
    return reader.line_num


def find_headings(rows: Sequence[Sequence[object]]) -> tuple[int, list[str], list[tuple[str, str, str]]]:
    """Return how many rows the head takes, the headings, and what was found about them.

    A title above the table is skipped; of headings in two rows, of which the upper is merged over several columns,
    both are said. A table that begins with numbers has none.
    """
    shown = [["" if cell is None else str(cell).strip() for cell in row] for row in rows]
    width = max((len(row) for row in shown), default=0)
    start = 0
    while start < len(shown) - 1 and sum(map(bool, shown[start])) <= (1 if width > 2 else 0):
        start += 1
    said = [("headings", f"row {start + 1}", f"what stands above it ({start}) is a title")] if start else []
    if not shown:
        return 0, [], []
    first, after = shown[start], shown[start + 1] if start + 1 < len(shown) else []
    if _is_data(first, after):
        return 0, unique_headings("" for _ in range(width)), [("headings", "none", "the first row holds numbers")]
    if _is_merged(first, after, shown[start + 2] if start + 2 < len(shown) else []):
        upper, last = [], ""
        for cell in [*first, *[""] * (width - len(first))]:
            last = cell or last
            upper.append(last)
        joined = [f"{a} {b}".strip() if a != b else a for a, b in zip(upper, [*after, *[""] * width], strict=False)]
        said.append(("headings", f"rows {start + 1} and {start + 2}", "the upper row is merged over several columns"))
        return start + 2, unique_headings(joined), said
    names = unique_headings([*first, *[""] * (width - len(first) if len(after) > len(first) else 0)])
    return start + 1, names, said


def _is_data(first: Sequence[str], after: Sequence[str]) -> bool:
    filled = [cell for cell in first if cell]
    if not filled or not all(_NUMBER.match(cell) for cell in filled):
        return False
    labels = len(set(filled)) == len(filled) and all(cell.isdigit() for cell in filled) and len(filled) > 1
    return not (labels and any("." in cell for cell in after))


def _is_merged(first: Sequence[str], after: Sequence[str], below: Sequence[str]) -> bool:
    gaps = [place for place, cell in enumerate(first) if not cell and place < len(after) and after[place]]
    if not gaps or (not first[0] and not after[:1]):
        return False
    texts = [cell for cell in after if cell and not _NUMBER.match(cell)]
    looks_like_names = len(texts) == sum(map(bool, after))
    return looks_like_names and any(_NUMBER.match(cell) for cell in below if cell)

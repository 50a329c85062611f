"""Data by address, brought near as a file: OGC API Features, WFS, or a file that a server of the web gives.

Asked through `geodata.outward` alone: bounded in time and size, never redirected, never on to another server. What
came is a file like any other, and goes the way of all files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.progress import Progress
from geodata.outward import check_address, fetch, same_server

PAGE_FEATURES: Final = 1_000
PAGES_AT_MOST: Final = 5_000
PAGE_BYTES: Final = 64 << 20
ASK_S: Final = 60.0
ALL_S: Final = 1_800.0
"""For all pages of one source: a server that drips each of them is not waited for all day."""
_NAMED_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was brought near: where it lies, what it is called, and how many rows it has where that is known."""

    path: Path
    name: str
    rows: int | None


def fetched(
    address: str, folder: Path, progress: Progress, *, most_bytes: int, endings: tuple[str, ...]
) -> Fetched:  # fmt: skip
    """Return what an address gives, as a file in a folder.

    Parameters
    ----------
    most_bytes
        In all.
    endings
        Of files that are read here.

    Raises
    ------
    InvalidInput
        When the address is none, or of a kind that is not read.
    NotFound
        When the server has nothing there; SourceUnavailable when it does not answer as such a server does.
    """
    parts = check_address(address)
    given = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    progress.step("Fetching from the server")
    if given.get("service", "").lower() == "wfs" or "typenames" in given or "typename" in given:
        return _wfs(address, given, folder, progress, most_bytes)
    if "/collections/" in parts.path:
        return _features(address, folder, progress, most_bytes)
    name = unquote(PurePosixPath(parts.path).name)
    ending = next((each for each in sorted(endings, key=len, reverse=True) if name.lower().endswith(each)), None)
    if ending is None:
        raise InvalidInput(
            "This address leads to nothing that is read here.",
            hint="Give a collection (…/collections/NAME), a WFS (…?service=WFS&typeNames=NAME) or a file"
            " (…/lamps.geojson).",
            zh="无法读取该地址。请给出 OGC API 要素集（…/collections/名称）、WFS（…?typeNames=名称）或文件地址。",
        )
    path = folder / f"fetched{ending}"
    path.write_bytes(fetch(address, most_bytes=most_bytes, whole_s=ASK_S).body)
    return Fetched(path, name, None)


def _features(address: str, folder: Path, progress: Progress, most_bytes: int) -> Fetched:
    """Bring a collection of an OGC API Features near, page after page."""
    parts = urlsplit(address)
    before, _, rest = parts.path.partition("/collections/")
    name = rest.split("/", 1)[0]
    base = urlunsplit((parts.scheme, parts.netloc, f"{before}/collections/{name}", "", ""))
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() not in {"f", "limit", "offset"}]
    about = _json(base + "?f=json", PAGE_BYTES)
    if not isinstance(about, dict) or "id" not in about:
        raise _other(address, "OGC API Features")
    first = f"{base}/items?{urlencode([*kept, ('f', 'json'), ('limit', str(PAGE_FEATURES))], quote_via=quote)}"

    def pages() -> Iterator[list[Any]]:
        asked, seen = first, set()
        while asked:
            if asked in seen or not same_server(address, asked):
                raise _other(address, "OGC API Features", "its pages lead in a circle or to another server")
            seen.add(asked)
            page = _json(asked, PAGE_BYTES)
            yield _listed(page, address, "OGC API Features")
            asked = next(
                (urljoin(asked, str(each["href"])) for each in page.get("links", ())
                 if isinstance(each, dict) and each.get("rel") == "next" and each.get("href")), "",
            )  # fmt: skip

    path = folder / "fetched.geojsonl"
    return Fetched(path, unquote(name), _write(path, pages(), progress, most_bytes, address))


def _wfs(address: str, given: Mapping[str, str], folder: Path, progress: Progress, most_bytes: int) -> Fetched:
    """Bring a type of features of a WFS near, page after page, as GeoJSON; as GML where the server knows no other."""
    parts = urlsplit(address)
    name = given.get("typenames") or given.get("typename") or ""
    own = {"service", "version", "request", "typenames", "typename", "outputformat", "srsname", "count", "startindex",
           "maxfeatures"}  # fmt: skip
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() not in own]

    def ask(**more: str) -> str:
        query = urlencode([*kept, ("service", "WFS"), ("version", "2.0.0"), *more.items()], quote_via=quote)
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    if not name:
        known = ", ".join(_types(fetch(ask(request="GetCapabilities"), most_bytes=PAGE_BYTES, whole_s=ASK_S).body))
        raise InvalidInput(
            "Which of its data? The address names no type of features.",
            hint=f"Add &typeNames= and one of: {known or 'those of its GetCapabilities'}.",
            zh=f"地址未指定要素类型，请加上 &typeNames=，可选：{known}。",
        )
    more = {"request": "GetFeature", "typeNames": name, "srsName": "EPSG:4326"}
    body = fetch(
        ask(**more, outputFormat="application/json", count=str(PAGE_FEATURES), startIndex="0"),
        most_bytes=PAGE_BYTES, whole_s=ASK_S,
    ).body  # fmt: skip
    if body.lstrip()[:1] != b"{":
        return _gml(ask(**more), name, folder, most_bytes)

    def pages() -> Iterator[list[Any]]:
        start, page, last = 0, _read(body, address), b""
        while True:
            listed = _listed(page, address, "WFS")
            told = json.dumps(listed[:3], sort_keys=True).encode()
            if start and listed and told == last:
                raise _other(address, "WFS", "it gives the same page again and again")
            last = told
            yield listed
            start += len(listed)
            total = page.get("numberMatched", page.get("totalFeatures"))
            if not listed or (isinstance(total, int) and start >= total):
                return
            if not isinstance(total, int) and len(listed) < PAGE_FEATURES:
                return
            page = _json(
                ask(**more, outputFormat="application/json", count=str(PAGE_FEATURES), startIndex=str(start)),
                PAGE_BYTES,
            )

    path = folder / "fetched.geojsonl"
    return Fetched(path, name, _write(path, pages(), progress, most_bytes, address))


def _gml(asked: str, name: str, folder: Path, most_bytes: int) -> Fetched:
    body = fetch(asked, most_bytes=most_bytes, whole_s=ASK_S).body
    said = _exception(body)
    if said or b"FeatureCollection" not in body[:4096]:
        raise SourceUnavailable(
            f"The server does not give {name[:80]}: {said or 'it answers with no features'}.",
            hint="Check the name of the type of features.",
            zh=f"服务器未返回 {name[:80]}：{said or '没有要素'}。请核对要素类型名称。",
        )
    path = folder / "fetched.gml"
    path.write_bytes(body)
    return Fetched(path, name, None)


def _write(path: Path, pages: Iterator[list[Any]], progress: Progress, most_bytes: int, address: str) -> int:
    """Write features a line each, and return how many."""
    rows, written, end = 0, 0, time.monotonic() + ALL_S
    with path.open("wb") as file:
        for number, page in enumerate(pages, start=1):
            for each in page:
                if not isinstance(each, dict):
                    continue
                told = dict(each.get("properties") or {})
                if each.get("id") is not None and "id" not in told:
                    told = {"id": each["id"], **told}
                line = json.dumps({"type": "Feature", "properties": told, "geometry": each.get("geometry")},
                                  ensure_ascii=False)  # fmt: skip
                written += file.write(line.encode("utf-8", "replace") + b"\n")
                rows += 1
            if written > most_bytes or number >= PAGES_AT_MOST:
                raise InvalidInput(
                    f"{urlsplit(address).hostname} gives more than is taken at once ({rows:,} features so far).",
                    hint="Narrow it, e.g. by bbox=WEST,SOUTH,EAST,NORTH, or have the limit on uploads raised.",
                    zh=f"该服务返回的数据过多（已读 {rows:,} 个要素），请以 bbox 缩小范围或调高上传上限。",
                )
            if time.monotonic() > end:
                raise SourceUnavailable(
                    f"{urlsplit(address).hostname} takes too long: {rows:,} features in {ALL_S / 60:.0f} minutes.",
                    hint="Narrow it, e.g. by bbox=WEST,SOUTH,EAST,NORTH.",
                    zh=f"该服务过慢：{ALL_S / 60:.0f} 分钟仅返回 {rows:,} 个要素，请以 bbox 缩小范围。",
                )
            progress.advance(len(page))
    if not rows:
        raise NotFound(
            f"{urlsplit(address).hostname} has no features there.",
            hint="Is the box or the filter of the address right?",
            zh="该地址没有要素，请核对范围或筛选条件。",
        )
    return rows


def _json(asked: str, most_bytes: int) -> Any:
    return _read(fetch(asked, most_bytes=most_bytes, whole_s=ASK_S).body, asked)


def _read(body: bytes, address: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _other(address, "OGC API Features or WFS", "it answers with no JSON") from error


def _listed(page: Any, address: str, kind: str) -> list[Any]:
    listed = page.get("features") if isinstance(page, dict) else None
    if not isinstance(listed, list):
        raise _other(address, kind)
    return listed


def _types(body: bytes) -> list[str]:
    """Return the names of types of features in the capabilities of a WFS; an answer with entities is not read."""
    import re

    names = re.findall(rb"<(?:\w+:)?FeatureType\b[^>]*>\s*<(?:\w+:)?Name>([^<]{1,200})</", body)
    return [each.decode("utf-8", "replace").strip() for each in names[:_NAMED_SHOWN]]


def _exception(body: bytes) -> str:
    import re

    found = re.search(rb"<(?:\w+:)?(?:ExceptionText|ServiceException)\b[^>]*>([^<]{1,400})", body)
    return " ".join(found.group(1).decode("utf-8", "replace").split())[:200] if found else ""


def _other(address: str, kind: str, why: str = "it does not answer as one") -> SourceUnavailable:
    host = urlsplit(address).hostname
    return SourceUnavailable(
        f"{host} is no {kind} that can be read: {why}.", hint="Open the address in a browser and check it.",
        zh=f"{host} 不是可读取的 {kind} 服务，请在浏览器中核对地址。",
    )  # fmt: skip

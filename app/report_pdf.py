"""A report on paper: HTML laid out as PDF, with a plain sentence where the machine lacks what that needs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import ImageFile

from core.errors import SourceUnavailable

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-wqy-microhei"
"""Of Debian; setup.sh installs the same."""
FONT_FACE = '@font-face {{ font-family: "Report Sans"; font-weight: 200 900; src: url("{}") format("woff2"); }}'


def pdf(html: str) -> bytes:
    """Return the report as PDF.

    Raises
    ------
    SourceUnavailable
        When the libraries that lay out text are not on this machine.
    """
    made: bytes = document(html).write_pdf()
    return made


def document(html: str) -> Any:
    """Return the pages of a report; nothing is read but the page itself and the font of the pages.

    Raises
    ------
    SourceUnavailable
        When the libraries that lay out text are not on this machine.
    """
    ready()
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    font, fonts = _font(), FontConfiguration()
    closed = URLFetcher(allowed_protocols=())
    sheets = []
    if font is not None:
        face = FONT_FACE.format(font.as_uri())
        sheets = [CSS(string=face, url_fetcher=URLFetcher(allowed_protocols=("file",)), font_config=fonts)]
    return HTML(string=html, url_fetcher=closed).render(stylesheets=sheets, font_config=fonts)


def ready() -> None:
    """Return when this machine can make a PDF.

    Raises
    ------
    SourceUnavailable
        When the libraries that lay out text are not on this machine.
    """
    try:
        import_module("weasyprint")
    except OSError as error:
        raise missing(error) from error
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # it sets this for the whole process; photos cut short would pass as whole


def _font() -> Path | None:
    """Return the font of the pages, which Streamlit brings; None where it is elsewhere."""
    found = find_spec("streamlit")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "static" / "static" / "media"
    return next(iter(sorted(folder.glob("SourceSansVF-Upright*.woff2"))), None)


def missing(error: OSError) -> SourceUnavailable:
    """Return in words which library is missing, and the way out."""
    library = str(error).split("'")[1] if "'" in str(error) else "pango"
    return SourceUnavailable(
        f"A PDF cannot be made on this machine: the library {library} is missing. The report as HTML needs nothing.",
        hint=f"On Debian run: apt-get install {PACKAGES} (as root). Or print the HTML file from a browser.",
        zh=f"本机无法生成 PDF：缺少程序库 {library}。HTML 版报告不需要它，可在浏览器中打印。",
    )

"""Photos as evidence: what comes in is checked and drawn anew, so that nothing but the picture is kept (pure)."""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from core.errors import InvalidInput

MOST_BYTES: Final = 12 << 20
"""Of an upload; looked at before a byte of it is read as a picture."""
MOST_PIXELS: Final = 50_000_000
"""More than any telephone takes; looked at in the header, before anything is unpacked."""
MOST_WHOLE: Final = 16_000_000
"""Of what is unpacked whole: everything but a JPEG, which is unpacked at a half, a quarter or an eighth."""
AT_WORK: Final = threading.BoundedSemaphore(2)
"""So many pictures are worked on at once, since each takes memory; the others wait."""
IN_PARTS: Final = frozenset({"JPEG", "MPO"})
SIDE_PX: Final = 1600
LEAST_PX: Final = 32
QUALITY: Final = 82
SMALL_PX: Final = 480
FORMATS: Final = ("JPEG", "PNG", "WEBP")
HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif"})
DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, AttributeError,
    ArithmeticError, RuntimeError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
"""What the reader of pictures raises on bytes that are none, or are cut short."""
MARGINS: Final = {"face": (0.3, 0.35), "plate": (0.15, 0.35), "hand": (0.0, 0.0)}
"""How far a box is enlarged on each side, as a share of its width and height."""
CELLS: Final = 4
"""A blurred box keeps at most so many patches along its longer side: fewer than a plate has characters."""
STEP: Final = 32
"""Steps of brightness of a patch: eight are left."""
SQUARES: Final = (12, 9)
"""Columns A to L and rows 1 to 9, by which a person names what shall be blurred."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a stored picture, in pixels; ``kind`` is ``face``, ``plate`` or ``hand`` (put by a person)."""

    x: int
    y: int
    width: int
    height: int
    kind: str = "hand"

    def as_list(self) -> list[int | str]:
        """Return the box as it is stored."""
        return [self.x, self.y, self.width, self.height, self.kind]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as it is kept: JPEG without any metadata, named by the SHA-256 of its bytes."""

    jpeg: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Return the name: the hash of the bytes."""
        return hashlib.sha256(self.jpeg).hexdigest()


def clean(data: bytes) -> Photo:
    """Return an uploaded picture as it is kept: upright, at most `SIDE_PX` on a side, nothing but the picture.

    Place, time, camera, thumbnail, colour profile, comments, and whatever else was in the file or behind its end are
    gone, since the picture is drawn anew.

    Raises
    ------
    InvalidInput
        When it is too large, no JPEG, PNG or WebP by its content, damaged, or too small to show anything.
    """
    if len(data) > MOST_BYTES:
        raise InvalidInput(
            f"The photo has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES >> 20} MB are taken.",
            hint="Send it in a smaller size.",
            zh=f"照片大小超过 {MOST_BYTES >> 20} MB，请缩小后再上传。",
        )
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        raise InvalidInput(
            "HEIC and AVIF photos are not read here.",
            hint="Choose “Most compatible” in the settings of the camera, or send it as JPEG.",
            zh="暂不支持 HEIC 与 AVIF 格式。请在相机设置中选择“兼容性最佳”，或转为 JPEG 后上传。",
        )
    try:
        with AT_WORK:
            return as_photo(_upright(data))
    except DAMAGED as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            "This is no photo that can be read: JPEG, PNG and WebP are, by what is in the file and not by its name.",
            hint="It may be cut short; send it again.",
            zh="无法读取该照片：仅支持 JPEG、PNG、WebP（以文件内容为准）。文件可能不完整，请重新上传。",
        ) from error


def _upright(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        most = MOST_PIXELS if opened.format in IN_PARTS else MOST_WHOLE
        if width * height > most:
            raise InvalidInput(
                f"The photo has {width} × {height} points; at most {most // 1_000_000} million are taken"
                f"{'' if opened.format in IN_PARTS else ' that are no JPEG'}.",
                hint="Send it in a smaller size, or as JPEG.",
                zh=f"照片像素过多（{width} × {height}），请缩小后再上传。",
            )
        if min(width, height) < LEAST_PX:
            raise InvalidInput(
                f"The photo has {width} × {height} points; that shows nothing.",
                hint=f"At least {LEAST_PX} on each side are needed.",
                zh=f"照片过小（{width} × {height}），看不出内容。",
            )
        share = min(1.0, SIDE_PX / max(width, height))
        opened.draft("RGB", (max(1, round(width * share)), max(1, round(height * share))))
        opened.load()
        image = _smooth(opened)
        image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)  # before anything copies it
        return _plain(ImageOps.exif_transpose(image))


def _smooth(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that is made smaller without steps; most are left as they are."""
    if image.mode.startswith("I") or image.mode == "F":
        return image.convert("I") if image.mode.startswith("I;16") else image
    if image.mode == "PA" or (image.mode != "RGBA" and "transparency" in image.info):
        return image.convert("RGBA")
    return image.convert({"1": "L", "P": "RGB"}[image.mode]) if image.mode in {"1", "P"} else image


def _plain(image: Image.Image) -> Image.Image:
    """Return a small picture in red, green and blue; what is transparent becomes white, sixteen bits become eight."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.array(image, dtype=np.float32)
        values -= values.min()
        values *= 255.0 / max(1.0, float(values.max()))
        image = Image.fromarray(values.astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")


def as_photo(image: Image.Image, side: int = SIDE_PX) -> Photo:
    """Return the picture as JPEG; drawn on a new sheet first, which carries nothing else."""
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    width, height = image.size
    sheet = Image.new("RGB", (max(1, width), max(1, height)))
    sheet.paste(image)
    out = BytesIO()
    sheet.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Photo(out.getvalue(), *sheet.size)


def stored(jpeg: bytes) -> Image.Image:
    """Return a picture that `clean` or `blurred` made, opened."""
    with Image.open(BytesIO(jpeg), formats=("JPEG",)) as opened:
        opened.load()
        return opened.convert("RGB")


def small(jpeg: bytes, side: int = SMALL_PX) -> bytes:
    """Return a stored picture in a small size, for lists."""
    with Image.open(BytesIO(jpeg), formats=("JPEG",)) as opened:
        opened.draft("RGB", (side, side))
        return as_photo(opened.convert("RGB"), side).jpeg


def blurred(jpeg: bytes, boxes: Iterable[Box]) -> Photo:
    """Return a stored picture with every box made unreadable for good.

    Each box, enlarged, is reduced to at most `CELLS` patches along its longer side in coarse steps of brightness, and
    these are blurred into each other: what is left holds too little to tell one face or plate from another.
    """
    with AT_WORK:
        image = stored(jpeg)
        for box in boxes:
            _blur(image, box)
        return as_photo(image)


def _blur(image: Image.Image, box: Box) -> None:
    left, top, right, bottom = enlarged(box, image.size)
    if right - left < 1 or bottom - top < 1:
        return
    part = image.crop((left, top, right, bottom))
    cell = max(1.0, max(part.size) / CELLS)
    cells = (max(1, round(part.width / cell)), max(1, round(part.height / cell)))
    few = part.resize(cells, Image.Resampling.BOX)
    coarse = Image.fromarray((np.asarray(few) // STEP * STEP + STEP // 2).astype(np.uint8))
    patches = coarse.resize(part.size, Image.Resampling.NEAREST)
    image.paste(patches.filter(ImageFilter.GaussianBlur(cell / 3)), (left, top))


def enlarged(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a box with its margin, inside a picture of ``size``."""
    wide, high = MARGINS.get(box.kind, MARGINS["hand"])
    across, along = round(box.width * wide), round(box.height * high)
    left, top = max(0, box.x - across), max(0, box.y - along)
    right, bottom = min(size[0], box.x + box.width + across), min(size[1], box.y + box.height + along)
    return left, top, max(left, right), max(top, bottom)


def merged(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return boxes without those that lie mostly inside a larger one."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda each: (-each.width * each.height, each.x, each.y)):
        if not any(_inside(box, other) > 0.6 for other in kept):
            kept.append(box)
    return tuple(sorted(kept, key=lambda each: (each.y, each.x)))


def _inside(box: Box, other: Box) -> float:
    """Return the share of a box that lies in another one."""
    across = min(box.x + box.width, other.x + other.width) - max(box.x, other.x)
    along = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
    return max(0, across) * max(0, along) / max(1, box.width * box.height)


def named_squares(text: str, width: int, height: int) -> tuple[Box, ...]:
    """Return the parts of a picture that a person named by squares: "C4", "C4-E6", several by comma.

    Raises
    ------
    InvalidInput
        Naming the first that is no square.
    """
    boxes = []
    for part in text.upper().replace("，", ",").replace("；", ",").replace(";", ",").split(","):
        if not part.strip():
            continue
        first, dash, last = part.replace("–", "-").partition("-")
        (left, top), (right, bottom) = _square(first.strip()), _square((last if dash else first).strip())
        left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
        xs = [round(column * width / SQUARES[0]) for column in (left, right + 1)]
        ys = [round(row * height / SQUARES[1]) for row in (top, bottom + 1)]
        boxes.append(Box(xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0]))
    return tuple(boxes)


def _square(name: str) -> tuple[int, int]:
    columns = [chr(ord("A") + number) for number in range(SQUARES[0])]
    rows = [str(number + 1) for number in range(SQUARES[1])]
    column, row = name[:1], name[1:]
    if column in columns and row in rows:
        return columns.index(column), rows.index(row)
    raise InvalidInput(
        f"{name[:10]!r} is no square of the picture.",
        hint=f"Columns are A to {columns[-1]}, rows 1 to {SQUARES[1]}: C4, or C4-E6.",
        zh=f"“{name[:10]}”不是图上的方格。列为 A 至 {columns[-1]}，行为 1 至 {SQUARES[1]}，如 C4 或 C4-E6。",
    )


def with_squares(jpeg: bytes, boxes: Iterable[Box] = ()) -> bytes:
    """Return a stored picture with the named squares drawn over it, and the outlines of boxes, numbered."""
    image = stored(jpeg)
    draw = ImageDraw.Draw(image, "RGBA")
    width, height = image.size
    for column in range(SQUARES[0]):
        x = column * width / SQUARES[0]
        draw.line([(x, 0), (x, height)], fill=(255, 255, 255, 110))
        draw.line([(x + 1, 0), (x + 1, height)], fill=(0, 0, 0, 90))
    for row in range(SQUARES[1]):
        y = row * height / SQUARES[1]
        draw.line([(0, y), (width, y)], fill=(255, 255, 255, 110))
        draw.line([(0, y + 1), (width, y + 1)], fill=(0, 0, 0, 90))
    size = max(10, min(width, height) // 38)
    for column in range(SQUARES[0]):
        for row in range(SQUARES[1]):
            at = (column * width / SQUARES[0] + 4, row * height / SQUARES[1] + 3)
            draw.text(at, f"{chr(ord('A') + column)}{row + 1}", fill="white", font_size=size, stroke_width=2,
                      stroke_fill=(0, 0, 0, 150))  # fmt: skip
    for number, box in enumerate(boxes, 1):
        left, top, right, bottom = enlarged(box, image.size)
        draw.rectangle([left, top, max(left, right - 1), max(top, bottom - 1)], outline=(179, 38, 30, 255), width=3)
        draw.text((left + 4, max(0, bottom - 2 * size)), f"#{number}", fill="white", font_size=round(size * 1.4),
                  stroke_width=3, stroke_fill=(179, 38, 30, 255))  # fmt: skip
    return as_photo(image).jpeg

"""Photos: bombs, forgeries and halves are refused; what is kept is a plain upright JPEG; boxes are blurred for good."""

from __future__ import annotations

import contextlib
import struct
import threading
import tracemalloc
import zlib
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from app import report_pdf
from core.errors import InvalidInput
from incidents import evidence_rules as rules
from incidents.evidence import (
    AT_WORK,
    MOST_BYTES,
    MOST_PIXELS,
    MOST_WHOLE,
    SIDE_PX,
    STEP,
    Box,
    Photo,
    blurred,
    clean,
    enlarged,
    merged,
    named_squares,
    small,
    stored,
    with_squares,
)
from tests.photos import FACE, PLATE, as_bytes, find, prepared, street


def segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """Return marker and content of each segment up to the picture itself."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        length = struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        found.append((jpeg[at + 1], jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def is_plain(photo: Photo) -> bool:
    """Return whether a JPEG holds the picture, the header every JPEG has, and nothing else, nothing behind it."""
    for marker, content in segments(photo.jpeg):
        if marker == 0xE0:
            assert content[:5] == b"JFIF\0"
            assert len(content) == 14
        else:
            assert marker in {0xDB, 0xC0, 0xC4}, hex(marker)
    return photo.jpeg.startswith(b"\xff\xd8") and photo.jpeg.endswith(b"\xff\xd9")


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = "SecretCamera"
    made[0x8825] = {1: "N", 2: (50.0, 41.0, 58.0), 3: "W", 4: (1.0, 17.0, 40.0)}
    return made


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_the_picture_is_kept(form: str) -> None:
    more: dict[str, object] = {"exif": exif(), "icc_profile": b"SecretProfile" * 20}
    if form == "JPEG":
        more["comment"] = b"SecretComment"
    if form == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_text("Comment", "SecretComment")
        more["pnginfo"] = told
    data = as_bytes(street(), form, **more)
    assert b"Secret" in data
    photo = clean(data)
    assert is_plain(photo)
    assert b"Secret" not in photo.jpeg
    assert (photo.width, photo.height) == street().size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_upright_before_its_orientation_is_forgotten(orientation: int) -> None:
    lying = Image.new("RGB", (120, 80), "white")
    lying.paste((200, 0, 0), (0, 0, 60, 40))
    photo = clean(as_bytes(lying, "JPEG", exif=exif(orientation), quality=95))
    assert (photo.width, photo.height) == ((120, 80) if orientation < 5 else (80, 120))
    upright = stored(photo.jpeg)
    right, low = photo.width * 3 // 4, photo.height * 3 // 4
    corners = {1: (10, 10), 2: (right, 10), 3: (right, low), 4: (10, low)}
    corners |= {5: (10, 10), 6: (right, 10), 7: (right, low), 8: (10, low)}
    red, green, _ = upright.getpixel(corners[orientation])
    assert red > 150
    assert green < 90


def test_a_large_picture_is_made_small_and_named_by_what_is_kept() -> None:
    photo = clean(as_bytes(street(size=(4000, 1000))))
    assert (photo.width, photo.height) == (SIDE_PX, SIDE_PX // 4)
    assert clean(as_bytes(street(size=(4000, 1000)))).sha256 == photo.sha256
    assert max(stored(small(photo.jpeg)).size) == 480


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16", "YCbCr"])
def test_every_kind_of_colour_becomes_a_jpeg(mode: str) -> None:
    image = street(size=(64, 48))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 200)
    else:
        image = image.convert("RGB").convert("L").convert("LA") if mode == "LA" else image.convert(mode)
    photo = clean(as_bytes(image, "JPEG" if mode in {"CMYK", "YCbCr"} else "PNG"))
    assert is_plain(photo)
    assert stored(photo.jpeg).convert("L").getextrema()[1] > 100


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that would unpack to a picture of ``side`` squared."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_000, 20_000, 60_000, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    assert side * side > MOST_PIXELS
    with pytest.raises(InvalidInput):
        clean(bomb(side))


def test_what_is_unpacked_whole_may_be_less_large_than_a_jpeg() -> None:
    with pytest.raises(InvalidInput, match="at most 16 million"):
        clean(bomb(4001))
    wide = Image.new("L", (12_000, 1_500), 90)
    assert wide.width * wide.height > MOST_WHOLE
    for form in ("PNG", "WEBP"):
        with pytest.raises(InvalidInput, match="at most 16 million"):
            clean(as_bytes(wide.resize((6_000, 3_000)), form))
    photo = clean(as_bytes(wide))
    assert (photo.width, photo.height) == (SIDE_PX, SIDE_PX // 8)


def test_sixteen_bits_are_made_small_before_they_are_reckoned_with() -> None:
    grey = np.linspace(0, 65_535, 3_900, dtype=np.uint16)[None, :].repeat(4_000, axis=0)
    data = as_bytes(Image.fromarray(grey), "PNG")
    del grey
    tracemalloc.start()
    try:
        photo = clean(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert max(photo.width, photo.height) == SIDE_PX
    assert peak < 48 << 20
    assert stored(photo.jpeg).convert("L").getextrema() == (0, 255)


def test_two_pictures_at_most_are_worked_on_at_once() -> None:
    data, photo = as_bytes(street(size=(64, 48))), prepared().photo
    for work in (lambda: clean(data), lambda: find(photo.jpeg), lambda: blurred(photo.jpeg, [FACE])):
        done = threading.Event()
        thread = threading.Thread(target=lambda work=work, done=done: (work(), done.set()))
        with AT_WORK, AT_WORK:
            thread.start()
            assert not done.wait(0.1)
        thread.join()
        assert done.is_set()


def test_a_text_that_unpacks_to_many_megabytes_is_refused_or_left() -> None:
    packed = zlib.compress(b"x" * (16 << 20), 9)
    data = as_bytes(street(size=(64, 48)), "PNG")
    with contextlib.suppress(InvalidInput):
        assert is_plain(clean(data[:33] + chunk(b"zTXt", b"Comment\0\0" + packed) + data[33:]))


def test_what_is_too_large_is_not_even_looked_at() -> None:
    with pytest.raises(InvalidInput, match="at most 12 MB"):
        clean(as_bytes(street()) + bytes(MOST_BYTES))


@pytest.mark.parametrize("size", [(8, 4000), (31, 31), (1, 1)])
def test_what_shows_nothing_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="shows nothing"):
        clean(as_bytes(Image.new("RGB", size), "PNG"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_cut_short_is_refused(form: str) -> None:
    data = as_bytes(street(), form)
    for part in (2, 20, len(data) // 3, len(data) * 3 // 4):
        with pytest.raises(InvalidInput):
            clean(data[:part])


def test_what_lays_out_reports_does_not_let_cut_photos_pass() -> None:
    report_pdf.ready()
    with pytest.raises(InvalidInput):
        clean(as_bytes(street(), "JPEG")[:-2000])


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO", "PPM", "PDF", "EPS"])
def test_other_formats_are_refused_whatever_their_name(form: str) -> None:
    with pytest.raises(InvalidInput, match="by what is in the file"):
        clean(as_bytes(street(size=(64, 48)), form))


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_heic_is_refused_with_the_way_out(brand: bytes) -> None:
    with pytest.raises(InvalidInput, match="HEIC") as refused:
        clean(b"\0\0\0\x18ftyp" + brand + bytes(100))
    assert "Most compatible" in (refused.value.hint or "")


def test_what_else_a_file_is_does_not_live_on() -> None:
    """A photo that is also a page, an archive or a program becomes a photo alone."""
    page = b"<html><script>alert(1)</script></html>"
    archive = b"PK\x03\x04" + page
    jpeg = as_bytes(street(), "JPEG", comment=page)
    for data in (jpeg + page, jpeg + archive, as_bytes(street(), "PNG") + archive, as_bytes(street(), "WEBP") + page):
        photo = clean(data)
        assert is_plain(photo)
        assert b"<script>" not in photo.jpeg
        assert b"PK\x03\x04" not in photo.jpeg
    for data in (page + jpeg, b"%PDF-1.7 " + jpeg, b"", b"\xff\xd8", b"\xff\xd8\xff\xd9"):
        with pytest.raises(InvalidInput):
            clean(data)


# --- Blurring


def test_what_is_blurred_holds_too_little_to_tell_one_plate_from_another() -> None:
    """Of two plates no stroke is left, and what differs is less than one step of brightness on the whole."""
    texts = ("KF63 BZA", "MN84 XRW")
    place = enlarged(PLATE, street().size)
    plain = [np.asarray(street(3, text=text).crop(place), dtype=int) for text in texts]
    copies = [stored(blurred(clean(as_bytes(street(3, text=text))).jpeg, [PLATE]).jpeg) for text in texts]
    one, other = (np.asarray(copy.crop(place), dtype=int) for copy in copies)
    assert abs(one.mean() - other.mean()) < STEP
    assert [np.abs(np.diff(each, axis=1)).mean() > 6 for each in plain] == [True, True]
    assert [np.abs(np.diff(each, axis=1)).mean() < 2 for each in (one, other)] == [True, True]


def test_blurring_changes_the_boxes_and_nothing_else() -> None:
    photo = prepared().photo
    copy = blurred(photo.jpeg, [FACE])
    left, top, right, bottom = enlarged(FACE, (photo.width, photo.height))
    before, after = (np.asarray(stored(each.jpeg), dtype=int) for each in (photo, copy))
    apart = np.abs(before - after).mean(axis=2)
    assert apart[top:bottom, left:right].mean() > 8
    apart[max(0, top - 16) : bottom + 16, max(0, left - 16) : right + 16] = 0
    assert apart.mean() < 2
    assert is_plain(copy)


def test_boxes_at_the_edge_and_beyond_it_do_no_harm() -> None:
    photo = prepared().photo
    boxes = [Box(-50, -50, 100, 100), Box(photo.width - 5, 5, 500, 500, "face"), Box(0, 0, 0, 0), Box(9999, 9999, 5, 5)]
    assert is_plain(blurred(photo.jpeg, boxes))


def test_faces_and_plates_that_are_drawn_are_found_with_room_around() -> None:
    photo = prepared().photo
    for wanted in (FACE, PLATE):
        hit = [enlarged(box, (photo.width, photo.height)) for box in prepared().found if box.kind == wanted.kind]
        assert any(
            left <= wanted.x + 4
            and top <= wanted.y + wanted.height // 4
            and right >= wanted.x + wanted.width - 4
            and bottom >= wanted.y + wanted.height - 4
            for left, top, right, bottom in hit
        ), wanted.kind


def test_nothing_is_found_in_a_plain_picture() -> None:
    assert find(clean(as_bytes(Image.new("RGB", (400, 300), "grey"))).jpeg) == ()


def test_a_box_inside_another_is_one() -> None:
    outer, inner, apart = Box(0, 0, 100, 100), Box(10, 10, 40, 40), Box(300, 0, 50, 50)
    assert merged([inner, outer, apart]) == (outer, apart)


def test_squares_are_named_as_on_a_map() -> None:
    assert named_squares("a1", 1200, 900) == (Box(0, 0, 100, 100),)
    assert named_squares(" C4 , L9", 1200, 900) == (Box(200, 300, 100, 100), Box(1100, 800, 100, 100))
    assert named_squares("E6-C4", 1200, 900) == named_squares("C4–E6", 1200, 900) == (Box(200, 300, 300, 300),)
    assert named_squares("", 1200, 900) == ()
    boxes = named_squares("A1-L9", 1601, 1199)
    assert boxes == (Box(0, 0, 1601, 1199),)
    for first, second in pairwise(named_squares("A1,B1,C1", 1601, 1199)):
        assert first.x + first.width == second.x


@pytest.mark.parametrize("text", ["M1", "A0", "A10", "1A", "A", "A1-", "-A1", "A1--B2", "<b>", "A٣", "Ａ1", "A²"])
def test_what_is_no_square_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no square"):
        named_squares(text, 1200, 900)


def test_the_squares_are_drawn_over_the_picture() -> None:
    photo = prepared().photo
    drawn = stored(with_squares(photo.jpeg, prepared().found))
    assert drawn.size == (photo.width, photo.height)


# --- What a class demands


def test_a_demand_is_written_one_way() -> None:
    assert rules.written({"place", "after", "before", "other"}) == "before after place"
    assert rules.demanded("before after place") == ("before", "after", "place")
    assert rules.is_demand("")
    assert rules.is_demand("after place")
    assert not rules.is_demand("after before")
    assert not rules.is_demand("after  place")
    assert not rules.is_demand("video")
    assert rules.lacking("before after", {"before", "other"}) == ("after",)
    assert rules.in_words(("after", "before")) == ("photo before, photo after", "处置前照片、处置后照片")


def test_bytes_of_a_stored_photo_are_read_again() -> None:
    with Image.open(BytesIO(prepared().photo.jpeg)) as opened:
        assert opened.format == "JPEG"
        assert opened.info.get("exif") is None

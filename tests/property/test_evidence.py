"""Whatever bytes come: a sentence, or a plain JPEG of a bounded size without anything else in it."""

from __future__ import annotations

from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from incidents.evidence import LEAST_PX, SIDE_PX, Box, blurred, clean, enlarged, merged, named_squares, stored
from tests.photos import as_bytes, prepared, street
from tests.unit.incidents.test_evidence import exif, is_plain

FORMS = ("JPEG", "PNG", "WEBP")
BOXES = st.builds(
    Box,
    st.integers(-50, 700),
    st.integers(-50, 500),
    st.integers(0, 700),
    st.integers(0, 500),
    st.sampled_from(["face", "plate", "hand"]),
)


@cache
def valid(form: str) -> bytes:
    more = {"exif": exif(6)} if form != "PNG" else {}
    return as_bytes(street(size=(96, 64)), form, **more)


def kept_or_refused(data: bytes) -> None:
    try:
        photo = clean(data)
    except InvalidInput:
        return
    assert is_plain(photo)
    assert min(photo.width, photo.height) >= LEAST_PX
    assert max(photo.width, photo.height) <= SIDE_PX
    assert stored(photo.jpeg).size == (photo.width, photo.height)


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x24\0\0\0WEBPVP8 "])
)
@example(b"", b"\xff\xd8\xff")
def test_any_bytes_are_refused_or_kept_clean(data: bytes, head: bytes) -> None:
    kept_or_refused(head + data)


@settings(max_examples=150)
@given(
    st.sampled_from(FORMS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6),
    st.integers(0, 40),
)
def test_a_damaged_photo_is_refused_or_kept_clean(form: str, hits: list[tuple[float, bytes]], cut: int) -> None:
    data = bytearray(valid(form))
    for where, what in hits:
        at = int(where * len(data))
        data[at : at + len(what)] = what
    kept_or_refused(bytes(data[: len(data) - cut]))


@settings(max_examples=40)
@given(st.lists(BOXES, max_size=5))
def test_any_boxes_leave_a_plain_photo_of_the_same_size(boxes: list[Box]) -> None:
    photo = prepared().photo
    copy = blurred(photo.jpeg, boxes)
    assert is_plain(copy)
    assert (copy.width, copy.height) == (photo.width, photo.height)
    for box in boxes:
        left, top, right, bottom = enlarged(box, (photo.width, photo.height))
        assert 0 <= left <= right
        assert 0 <= top <= bottom
    assert set(merged(boxes)) <= set(boxes)


@given(st.text(max_size=12))
def test_any_words_name_squares_inside_the_picture_or_are_refused(text: str) -> None:
    try:
        boxes = named_squares(text, 1600, 1200)
    except InvalidInput:
        return
    for box in boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= 1600
        assert box.y + box.height <= 1200
        assert min(box.width, box.height) > 0

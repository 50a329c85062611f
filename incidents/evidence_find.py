"""Faces and number plates in a photo, found so that they can be blurred; never told apart, never searched (pure).

The detectors of faces and plates come with the library itself. They miss much (docs/figures/bench_evidence.md); what
they miss, a person blurs by hand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from incidents.evidence import AT_WORK, SIDE_PX, Box, merged

Grey = NDArray[np.uint8]
FACES = (
    ("haarcascade_frontalface_alt2.xml", 1.1, 3),
    ("haarcascade_frontalface_default.xml", 1.15, 4),
    ("haarcascade_profileface.xml", 1.15, 3),
)
PLATES = (("haarcascade_russian_plate_number.xml", 1.1, 3), ("haarcascade_license_plate_rus_16stages.xml", 1.1, 3))
"""File, step between sizes, and how many hits beside each other are needed."""
LOOK_PX = 1200
"""The detectors look at the picture in this size: at the full one they take three times as long."""
LEAST_FACE_PX, LEAST_PLATE_PX = 24, 40
ASPECT = (1.9, 6.0)
"""Width to height of a plate, seen straight or a little from the side."""
_one_at_a_time = threading.Lock()


@lru_cache(maxsize=8)
def _detector(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))


def find(jpeg: bytes) -> tuple[Box, ...]:
    """Return what looks like a face or a number plate in a stored picture, from top to bottom.

    Parameters
    ----------
    jpeg
        As `incidents.evidence.clean` returns it; larger ones are not expected.
    """
    with AT_WORK:
        return _found(jpeg)


def _found(jpeg: bytes) -> tuple[Box, ...]:
    colour = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if colour is None or max(colour.shape[:2]) > SIDE_PX:
        return ()
    scale = min(1.0, LOOK_PX / max(colour.shape[:2]))
    seen = cv2.resize(colour, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else colour
    grey = np.asarray(cv2.equalizeHist(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)), np.uint8)
    with _one_at_a_time:  # a detector keeps what it is working on in itself
        hits = [*_faces(grey), *_plates(grey)]
    found = [*(_scaled(box, 1 / scale) for box in hits), *_lettered(colour)]
    faces = merged([box for box in found if box.kind == "face"])
    return merged([*faces, *merged([box for box in found if box.kind == "plate"])])


def _scaled(box: Box, by: float) -> Box:
    return Box(round(box.x * by), round(box.y * by), round(box.width * by), round(box.height * by), box.kind)


def _faces(grey: Grey) -> Iterator[Box]:
    width = grey.shape[1]
    for name, step, hits in FACES:
        yield from _hits(grey, (name, step, hits), LEAST_FACE_PX, "face")
        if "profile" in name:
            mirrored = np.ascontiguousarray(grey[:, ::-1])
            for box in _hits(mirrored, (name, step, hits), LEAST_FACE_PX, "face"):
                yield Box(width - box.x - box.width, box.y, box.width, box.height, "face")


def _plates(grey: Grey) -> Iterator[Box]:
    for detector in PLATES:
        yield from _hits(grey, detector, LEAST_PLATE_PX // 3, "plate")


def _hits(grey: Grey, detector: tuple[str, float, int], least: int, kind: str) -> Iterator[Box]:
    name, step, hits = detector
    for x, y, width, height in _detector(name).detectMultiScale(grey, step, hits, minSize=(least, least)):
        yield Box(int(x), int(y), int(width), int(height), kind)


def _lettered(colour: Any) -> Iterator[Box]:
    """Return long low shapes full of upright strokes, as plates of any country are; signs are hit too."""
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    strokes = np.abs(cv2.Sobel(cv2.GaussianBlur(grey, (3, 3), 0), cv2.CV_32F, 1, 0))
    sharp = (strokes > max(60.0, float(np.percentile(strokes, 94)))).astype(np.uint8) * 255
    for reach in (9, 17, 31):
        joined = cv2.morphologyEx(sharp, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (reach, 3)))
        joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, (reach, 5)))
        outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in outlines:
            (_, _), (one, other), _ = cv2.minAreaRect(outline)
            long, low = max(one, other), min(one, other)
            x, y, width, height = (int(value) for value in cv2.boundingRect(outline))
            if low < 7 or width < LEAST_PLATE_PX or not ASPECT[0] <= long / low <= ASPECT[1]:
                continue
            if width < height or cv2.contourArea(outline) < 0.55 * long * low:
                continue
            if _strokes(grey[y : y + height, x : x + width]) >= 4:
                yield Box(x, y, width, height, "plate")


def _strokes(part: Any) -> int:
    """Return how many times a line through the middle goes from dark to light."""
    middle = part[part.shape[0] // 3 : 2 * part.shape[0] // 3].mean(axis=0)
    dark = middle < (middle.max() + middle.min()) / 2
    return int(np.count_nonzero(dark[1:] & ~dark[:-1]))

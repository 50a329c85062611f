"""How much heavy work of phones is done at once: photos and ways have threads of their own, and a queue with an end."""

from __future__ import annotations

from app.api.busy import Busy


class Gate(Busy):
    """Lets so many phones in at once; who finds no place sends it later by itself."""

    SAY = "Too many phones send at once."
    HINT = "It is sent again in a moment."
    ZH = "同时提交的手机过多，稍后将自动重试。"


PHOTOS = Gate("photos of phones", at_work=2, inside=10, each=2)
WAYS = Gate("ways of phones", at_work=2, inside=600, each=6)

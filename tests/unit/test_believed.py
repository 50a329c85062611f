"""What is believed for a few seconds: kept so long, dropped when told, and never that there is nothing."""

from __future__ import annotations

from app.believed import Believed


def test_an_answer_is_asked_for_once_while_it_is_believed_and_again_after_it_was_dropped():
    asked: list[str] = []
    believed: Believed[str] = Believed(seconds=1e6, size=10)

    def ask() -> str:
        asked.append("once")
        return f"answer {len(asked)}"

    assert [believed.get("key", ask), believed.get("key", ask), believed.known("key")] == ["answer 1"] * 3
    believed.forget()
    assert believed.known("key") is None
    assert believed.get("key", ask) == "answer 2"


def test_what_ended_and_what_is_not_there_are_asked_for_each_time():
    answers = iter(["a", "b", None, None, "c"])
    believed: Believed[str] = Believed(seconds=0, size=10)
    assert [believed.get("key", lambda: next(answers)) for _ in range(5)] == ["a", "b", None, None, "c"]
    kept: Believed[str] = Believed(seconds=1e6, size=10)
    nothing = iter([None, "there now"])
    assert [kept.get("key", lambda: next(nothing)) for _ in range(2)] == [None, "there now"]


def test_no_more_is_kept_than_said():
    believed: Believed[int] = Believed(seconds=1e6, size=3)
    for number in range(10):
        believed.get(str(number), lambda number=number: number)
    assert sum(believed.known(str(number)) is not None for number in range(10)) <= 3

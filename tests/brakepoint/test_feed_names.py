"""Which videos are feeds."""

from pathlib import Path

import pytest

from brakepoint import feeds
from brakepoint.feeds import feed_names, harder_feeds


def test_a_video_that_is_being_rendered_and_a_hidden_file_are_no_feeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mine.mp4", "mine.0af1.part.mp4", "._mine.mp4"):
        (tmp_path / name).touch()
    monkeypatch.setattr(feeds, "own_or_shipped", lambda _: [tmp_path])

    assert feed_names() == ["mine"]
    assert harder_feeds() == [tmp_path / "mine.mp4"]

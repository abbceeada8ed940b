"""Several feeds are driven in an order that keeps every core busy."""

from pathlib import Path

from brakepoint.mission.drive import Assignment, longest_first


def test_the_longest_feed_is_driven_first_so_that_no_core_is_left_with_it_at_the_end(tmp_path: Path):
    for name, size in (("short", 10), ("long", 1000), ("middle", 100)):
        (tmp_path / name).write_bytes(bytes(size))
    feeds = [
        Assignment(tmp_path / name, "solutions", "oracle", tmp_path) for name in ("short", "long", "middle")
    ]

    assert [feed.feed for feed in longest_first(feeds)] == ["long", "middle", "short"]
    assert [feed.feed for feed in feeds] == ["short", "long", "middle"]

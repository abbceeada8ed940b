import subprocess
import sys

import pytest

from brakepoint.adapters import open_camera, open_hub
from brakepoint.errors import UserError
from stubs.printing_hub import PrintingHub


def test_a_hub_is_chosen_by_its_scheme():
    assert isinstance(open_hub("print:"), PrintingHub)


@pytest.mark.parametrize("uri", ["", "print", "smoke:signals", ":", "PRINT:"])
def test_an_unknown_hub_is_answered_with_what_there_is(uri):
    with pytest.raises(UserError, match="print:"):
        open_hub(uri)


def test_an_unknown_camera_is_answered_with_what_there_is():
    with pytest.raises(UserError, match="video:"):
        open_camera("eye:left")


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "a\0b.mp4", "y/" * 3000 + "z.mp4", "", "."])
def test_a_name_that_no_feed_can_have_is_refused_as_any_other(name):
    with pytest.raises(UserError) as caught:
        open_camera(f"video:{name}")
    assert caught.value.key == "feed.missing"


def test_a_feed_that_is_not_there_is_named():
    with pytest.raises(UserError, match="no-such-feed"):
        open_camera("video:no-such-feed")


def test_choosing_adapters_loads_no_library_of_theirs():
    forbidden = {"av", "cv2", "torch", "bleak"}
    code = (
        f"import sys, brakepoint.adapters, brakepoint.locomotive; assert not {forbidden} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)

import sys

import pytest
import rich
from rich.file_proxy import FileProxy

from brakepoint.bars import progress_bar


@pytest.fixture
def console():
    """Rich's own console, as it was before behind the test."""
    before = rich.get_console().__dict__.copy()
    yield rich
    rich.get_console().__dict__ = before


def test_in_a_notebook_half_a_line_is_left_to_the_kernel(console):
    console.reconfigure(force_jupyter=True)

    with progress_bar():
        assert not isinstance(sys.stdout, FileProxy)
        assert not isinstance(sys.stderr, FileProxy)


def test_in_a_terminal_what_is_printed_stands_above_the_bar(console):
    console.reconfigure(force_terminal=True, force_jupyter=False)

    with progress_bar():
        assert isinstance(sys.stdout, FileProxy)

"""`make workshop-check`: runs all proofs of the workshop, and shows a table of them with their minutes."""

import sys
from collections import defaultdict
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from brakepoint.texts import text

ROOT = Path(__file__).parent
ROOMS = (
    "brakepoint/workshop",
    "brakepoint/store",
    "solutions",
    "system/test_torch_notebooks.py",
    "soak/test_notebooks_of_other_languages.py",
)
PROOFS = {
    "test_the_solution_passes": "solution",
    "test_a_lab_filled_so_far": "lab",
    "test_a_wrong_answer": "wrong",
    "test_a_notebook_": "notebook",
}
"""What a test proves, by the beginning of its name; others test the loop, the store and the solutions."""


class Tally:
    """Counts what passed, what failed and how long it took, by what it proves."""

    def __init__(self) -> None:
        self.passed: dict[str, int] = defaultdict(int)
        self.failed: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts each phase of each test that pytest reports."""
        name = report.nodeid.partition("::")[2]
        proof = next((proof for begin, proof in PROOFS.items() if name.startswith(begin)), "other")
        self.seconds[proof] += report.duration
        self.passed[proof] += report.when == "call" and report.passed
        self.failed[proof] += report.failed or report.skipped

    def table(self) -> Table:
        """A row for each kind of proof, and one for all."""
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        for column in ("proof", "passed", "failed", "minutes"):
            table.add_column(
                text(f"workshop.proofs.{column}"), justify="left" if column == "proof" else "right"
            )
        for proof in (*PROOFS.values(), "other"):
            minutes = f"{self.seconds[proof] / 60:.1f}"
            words = text(f"workshop.proofs.{proof}")
            table.add_row(words, str(self.passed[proof]), str(self.failed[proof]), minutes)
        sums = (sum(self.passed.values()), sum(self.failed.values()), sum(self.seconds.values()) / 60)
        table.add_row(text("workshop.proofs.all"), str(sums[0]), str(sums[1]), f"{sums[2]:.1f}", style="bold")
        return table


if __name__ == "__main__":
    tally = Tally()
    status = pytest.main(["-q", "--override-ini", "addopts=", *(str(ROOT / room) for room in ROOMS)], [tally])
    Console(highlight=False).print(tally.table())
    sys.exit(status)

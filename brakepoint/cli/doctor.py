"""`brakepoint doctor`: checks whether this machine can run each step, and shows what to do if not."""

from collections.abc import Iterable

import typer
from rich.console import Console
from rich.markup import escape

from brakepoint.extras import missing
from brakepoint.texts import text
from brakepoint.workshop.doctor import Finding, examine_machine


def doctor_command() -> None:
    """Prints a line for each check; exit status 1 if one fails."""
    console, findings = Console(highlight=False), list(examine_machine())
    _show(findings, console)
    well = all(finding.well for finding in findings)
    console.print(text("doctor.all_well" if well else "doctor.not_well"))
    if not missing("mission"):  # Without these packages, a train cannot be examined.
        _show_site(console)
    raise typer.Exit(0 if well else 1)


def _show_site(console: Console) -> None:
    """Shows the findings about the train of the current incident, if there is one."""
    from brakepoint.incidents import casebook
    from brakepoint.incidents.doctor import examine_site

    if casebook.CASE_PATH.exists():
        console.print(f"\n{text('doctor.site.heading')}")
        _show(examine_site(casebook.SITE_DIR), console)


def _show(findings: Iterable[Finding], console: Console) -> None:
    for finding in findings:
        mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
        console.print(f"{mark} {escape(finding.what)}")
        if not finding.well:
            console.print(f"  {escape(finding.remedy)}", style="bold")

"""`brakepoint doctor`: checks whether this machine can run each step, and what to do if not."""

import typer
from rich.console import Console
from rich.markup import escape

from brakepoint.texts import text
from brakepoint.workshop.doctor import examine_machine


def doctor_command() -> None:
    """Prints a line for each check; exit status 1 if one fails."""
    console, findings = Console(highlight=False), list(examine_machine())
    for finding in findings:
        mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
        console.print(f"{mark} {escape(finding.what)}")
        if not finding.well:
            console.print(f"  {escape(finding.remedy)}", style="bold")
    well = all(finding.well for finding in findings)
    console.print(text("doctor.all_well" if well else "doctor.not_well"))
    raise typer.Exit(0 if well else 1)

"""The page of a proof: one file with every score, and a picture of the worst moment of each failure."""

from pathlib import Path

from brakepoint.mission.page import environment, frame
from brakepoint.proving.ground import ENOUGH, PICTURES_NAME, Proof


def render_proof(proof: Proof) -> str:
    """Writes the page; the pictures are in the folder beside it."""
    candidate = proof.candidate
    return (
        environment(__package__)
        .get_template("proof.html.j2")
        .render(
            proof=proof,
            failures=proof.failures(),
            counts=proof.counts(),
            enough=ENOUGH,
            pictures=PICTURES_NAME,
            **frame("prove.title", candidate.steps, Path(candidate.model).name),
        )
    )

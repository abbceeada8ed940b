"""Scores of other trains and cameras, with and without calibration: `python -m hardware.rehearsal`.

The rehearsal drives every line of the kit with trains that are faster or slower than the kit assumes, with
other batteries and other cameras: once with the default figures, and once with the figures that `brakepoint
hub calibrate` and `brakepoint camera calibrate` find for that train. It uses the radio hub's dead reckoning,
on a virtual clock and without the radio; detections are computed from geometry, with errors.
"""

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from statistics import mean
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from brakepoint.calibration.camera import FURTHER_BY, RULER_CM, fit_eye, placed
from brakepoint.calibration.drive import POWERS, Leg, Seen, fit_drive, speed_of
from brakepoint.calibration.legs import Course, brake_ahead_cm, drive_leg, marks_in, start_cm
from brakepoint.cli.usage import run_alone
from brakepoint.cores import available_cores
from brakepoint.messages import SignClass, TrainState
from brakepoint.mission.fitted import fitted
from brakepoint.mission.scoring import score_run
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, PLATE_CENTRE_CM, PLATE_HEIGHT_CM
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.scenery.scenario import SCENARIOS_DIR, Scenario, load_scenario
from brakepoint.steps import load_step
from brakepoint.texts import number, text
from brakepoint.train_file import RECORDED, Drive, Eye, TrainFile
from brakepoint.truth import VISIBLE_HEIGHT_MIN_PX, GroundTruth
from hardware.reckoning import Reckoning
from hardware.simulation import (
    BESIDE_CM,
    FRESH_VOLTS,
    Lookout,
    ReckoningHub,
    TrueTrain,
    World,
    straight,
    true_run,
)

APART_CM = 60.0
"""Distance between an owner's marks."""
PICTURES = 30
"""Number of pictures taken at each place."""
ENOUGH = 95.0
"""Score that a calibrated train must reach on every line."""
FEEDS = tuple(sorted(path.stem for path in SCENARIOS_DIR.glob("*.yaml")))


class VirtualClock:
    """A clock that advances by one step of the control loop on request."""

    def __init__(self) -> None:
        self.now = 0.0

    def tick(self) -> float:
        """Advances by one step."""
        self.now += 1 / CONTROL_RATE_HZ
        return self.now


def marks(start_cm: float) -> dict[str, float]:
    """An owner's two marks, and their distances from the train."""
    return {"danger-train": start_cm, "limit-50": start_cm + APART_CM}


def calibrated(world: World, seed: int = 0) -> TrainFile:
    """The file that the owner of this train would get, with the errors of camera and ruler."""
    eye = _calibrated_eye(world, seed)
    return _calibrated_drive(world, eye, seed)


def _calibrated_eye(world: World, seed: int) -> Eye:
    random = np.random.default_rng(seed)
    placements = []
    for ahead_cm in places_cm(world):
        scene = straight({"danger-train": ahead_cm})
        lookout = Lookout(scene, world, RECORDED.focal_px, seed)
        seen = [item for number in range(PICTURES) for item in lookout.look(0.0, number).items]
        measured_cm = ahead_cm + random.normal(0, RULER_CM)
        placements.append(placed(seen, measured_cm, BESIDE_CM))
    size = RECORDED.width_px, RECORDED.height_px
    return fit_eye(placements, size, size).eye


def places_cm(world: World) -> tuple[float, float]:
    """Where an owner puts the plate, in cm from the lens, so that the plate is visible and large enough."""
    camera = world.camera
    far = min(camera.focal_px * PLATE_HEIGHT_CM[SignClass.DANGER_AHEAD] / (VISIBLE_HEIGHT_MIN_PX + 3), 60.0)
    lowest = camera.height_px / 2 / camera.focal_px - np.tan(np.radians(camera.pitch_deg))
    near = max((camera.height_cm - PLATE_CENTRE_CM + 2) / lowest, far / 2)
    return near, far * max(near / far * FURTHER_BY * 1.1, 1.0)


def _calibrated_drive(world: World, eye: Eye, seed: int) -> TrainFile:
    fresh = replace(world, volts=FRESH_VOLTS)
    clock, legs = VirtualClock(), list[Leg]()
    course = Course(APART_CM, brake_ahead_cm(eye))
    scene = straight(marks(start_cm(eye)))
    for power in POWERS:
        train = TrueTrain(fresh)
        train.at(clock.now)
        hub = ReckoningHub(train, fresh, Drive())
        lookout = Lookout(scene, fresh, eye.focal_px, seed + power)

        def look(state: TrainState, train: TrueTrain = train, lookout: Lookout = lookout) -> list[Seen]:
            return marks_in(lookout.look(train.pictured_at_cm(state.at), state.at), eye)

        legs.append(drive_leg(hub, power, look, clock.tick, course))
        if speed_of(legs[-1], APART_CM) >= FULL_SPEED_CM_S:
            break
    fit = fit_drive(legs, APART_CM, Reckoning, sight_cm=eye.sight_cm)
    return TrainFile(drive=fit.drive, camera=eye.model_copy(update={"latency_s": fit.latency_s}))


def worlds() -> Iterator[World]:
    """Every rehearsed train: each deviation from the default on its own, and then deviations combined."""
    yield World()
    yield from (World(speed=speed) for speed in (0.7, 0.85, 1.2, 1.4))
    yield from (World(volts=volts) for volts in (8.1, 7.2))
    cameras = [{"focal": focal} for focal in (0.6, 0.8, 1.5, 2.0)]
    cameras += [{"height_cm": height_cm} for height_cm in (-4.0, 4.0)]
    cameras += [{"pitch_deg": pitch_deg} for pitch_deg in (-5.0, 5.0)]
    yield from (_mounted(World(), **camera) for camera in cameras)
    yield World(latency_s=0.2)
    yield _mounted(World(speed=0.7, volts=7.2, latency_s=0.2), 0.6, 4.0, -5.0)
    yield _mounted(World(speed=1.4, volts=9.0, latency_s=0.2), 0.6, -4.0, 5.0)
    yield _mounted(World(speed=1.4, volts=7.2, latency_s=0.2), 2.0, 4.0, -5.0)


def _mounted(world: World, focal: float = 1.0, height_cm: float = 0.0, pitch_deg: float = 0.0) -> World:
    """A train whose camera differs in these ways from the camera in the recordings."""
    differences = {
        "focal_px": focal * RECORDED.focal_px,
        "height_cm": height_cm + RECORDED.height_cm,
        "pitch_deg": pitch_deg + RECORDED.pitch_deg,
    }
    return replace(world, camera=RECORDED.model_copy(update=differences))


@cache
def _line(feed: str) -> tuple[Scenario, GroundTruth]:
    scenario = load_scenario(SCENARIOS_DIR / f"{feed}.yaml")
    return scenario, synthetic_truth(scenario)


def scores(world: World, train: TrainFile) -> list[float]:
    """The scores of a train on each line with a given file.

    Args:
        world: The train's true figures.
        train: The figures that the kit assumes.
    """
    step = load_step("step6_autopilot", "solutions").step
    eye = train.camera
    found = []
    for feed in FEEDS:
        scenario, truth = _line(feed)
        true = TrueTrain(world)
        hub = ReckoningHub(true, world, train.drive)
        lookout = Lookout(scenario, world, eye.focal_px if eye else RECORDED.focal_px)
        run = true_run(truth, true, hub, lookout.look, fitted(step, eye) if eye else step)
        found.append(score_run(run, truth, train.drive.full_speed_cm_s).score)
    return found


@dataclass(frozen=True)
class Rehearsal:
    """One train: its scores on each line with the default figures, and with its own figures."""

    world: World
    by_default: list[float]
    calibrated: list[float]


def rehearse(world: World) -> Rehearsal:
    """Drives one train on every line, uncalibrated and calibrated."""
    return Rehearsal(world, scores(world, TrainFile()), scores(world, calibrated(world)))


def as_table(rehearsals: list[Rehearsal]) -> Table:
    """Formats the rehearsals as a table, with a row for each train."""
    table = Table(title=text("rehearsal.title", feeds=len(FEEDS)))
    for column in ("speed", "volts", "focal", "height", "pitch", "latency"):
        table.add_column(text(f"rehearsal.{column}"), justify="right")
    for column in ("default", "calibrated"):
        table.add_column(text(f"rehearsal.{column}"), justify="right")
    for each in rehearsals:
        world = each.world
        other = (
            f"× {number(world.speed, 2)}",
            number(world.volts, 1),
            f"× {number(world.camera.focal_px / RECORDED.focal_px, 1)}",
            f"{world.camera.height_cm - RECORDED.height_cm:+.0f}",
            f"{world.camera.pitch_deg - RECORDED.pitch_deg:+.0f}",
            number(1000 * world.latency_s),
        )
        table.add_row(*other, *(_summary(found) for found in (each.by_default, each.calibrated)))
    return table


def _summary(found: list[float]) -> str:
    """The minimum and the mean of the scores."""
    return f"{number(min(found))} ({number(mean(found))})"


def main(
    lines: Annotated[int, typer.Option("--first", min=1, help="rehearsal.option.first")] = 99,
) -> None:
    """Rehearses every train; exit status 1 if a calibrated train scores too low on any line."""
    chosen = list(worlds())[:lines]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(available_cores(), len(chosen)), context) as pool:
        rehearsals = list(pool.map(rehearse, chosen))
    Console(highlight=False).print(as_table(rehearsals))
    is_enough = all(min(each.calibrated) >= ENOUGH for each in rehearsals)
    typer.echo(text("rehearsal.holds" if is_enough else "rehearsal.fails", score=ENOUGH))
    raise typer.Exit(0 if is_enough else 1)


if __name__ == "__main__":
    sys.exit(run_alone(main, "rehearsal.help", sys.argv[1:]))

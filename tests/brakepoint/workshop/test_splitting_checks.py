"""The check of the split, where a wrong answer is nearly right."""

import itertools
from types import SimpleNamespace

import pytest

from brakepoint.workshop.checks.step1_dataset import check_split
from brakepoint.workshop.verdicts import Wrong
from solutions import step1_dataset as solution

seeds = itertools.count()


def loses_one(pictures, share, seed):
    training, validation = solution.split(pictures, share, seed)
    return training[1:], validation


def doubles_one(pictures, share, seed):
    training, validation = solution.split(pictures, share, seed)
    return [*training, training[0]], validation


def shuffles_what_it_is_given(pictures, share, seed):
    answer = solution.split(pictures, share, seed)
    pictures.reverse()
    return answer


def a_fourth_for_even_seeds(pictures, share, seed):
    return solution.split(pictures, share if seed % 2 else 0.25, seed)


def never_the_first_scene(pictures, share, seed):
    draws = (solution.split(pictures, share, 1000 * seed + try_) for try_ in itertools.count())
    return next(draw for draw in draws if pictures[0] not in draw[1])


@pytest.mark.parametrize(
    ("split", "mistake"),
    [
        (loses_one, "lost"),
        (doubles_one, "lost"),
        (lambda pictures, share, seed: list(solution.split(pictures, share, seed)), "type"),
        (lambda pictures, share, seed: (pictures,), "type"),
        (lambda pictures, share, seed: solution.split(pictures, 0.5, seed), "share"),
        (lambda pictures, share, seed: solution.split(pictures, 0.01, seed), "share"),
        (lambda pictures, share, seed: solution.split(pictures, share, next(seeds)), "not_repeatable"),
        (shuffles_what_it_is_given, "shuffled"),
        (a_fourth_for_even_seeds, "share_varies"),
        (never_the_first_scene, "never_held_out"),
    ],
    ids=[
        "loses one",
        "doubles one",
        "a list",
        "one side",
        "half",
        "a hundredth",
        "another each time",
        "shuffles",
        "now more, now less",
        "never the first",
    ],
)
def test_each_mistake_in_a_split_is_reported_as_what_it_is(split, mistake):
    with pytest.raises(Wrong) as caught:
        check_split(SimpleNamespace(split=split, __file__=solution.__file__))

    assert caught.value.key == f"check.step1.split.{mistake}"


def test_a_right_split_passes():
    check_split(solution)

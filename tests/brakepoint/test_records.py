"""What is read from a file or the network is immutable, and most of it accepts no extra fields."""

from data_classes import models, records

KEPT_UP_TO_DATE = {
    "board.watcher.Seat",
    "incidents.casebook.Case",
    "incidents.casebook.Entry",
    "incidents.casebook.Record",
    "room.accounts.Accounts",
    "room.history.History",
    "room.kept.Kept",
    "room.outcomes.Scores",
    "room.rulings.Rulings",
    "workshop.progress.Progress",
    "workshop.progress.StepProgress",
}
"""Files that grow while the workshop goes on."""
LENIENT = {
    "evaluation.Evaluation",
    "evaluation.Found",
    "evaluation.mean_average_precision.ClassMetrics",
    "labels.coco._Annotation",
    "labels.coco._Category",
    "labels.coco._Coco",
    "labels.coco._Image",
    "labels.coco._Record",
    "labels.label_studio_export.Annotation",
    "labels.label_studio_export.Rectangle",
    "labels.label_studio_export.RectangleValue",
    "labels.label_studio_export.Task",
    "labels.label_studio_export._Record",
    "pipeline.comparison.ProductionComparison",
    "room.accounts.Account",
    "room.history.Heard",
    "room.history.Solved",
    "room.history._Incidents",
    "room.outcomes.Marks",
    "room.outcomes.SubmissionOutcome",
    "room.submission.Answer",
    "workshop.progress.Attempt",
    "workshop.verdicts.Verdict",
}
"""Others write these, or may write more into them one day."""
UNDER_WAY = {
    "cluster.kit.Kit",
    "labels.folder._Found",
    "proving.ground.Ledger",
    "rollout.execution.Execution",
    "rollout.pods.Pods",
    "rollout.train.Train",
    "rollout.workplace.Workplace",
    "services.supervisor.Child",
    "synthesis.picture.Placed",
    "workshop.checks.answers.Touched",
}
"""What something under way has collected, or built, so far."""


def test_what_was_read_is_not_changed() -> None:
    changing = {name for name, model in models().items() if not model.model_config.get("frozen")}

    assert changing == KEPT_UP_TO_DATE


def test_a_record_is_not_changed_once_it_is_made() -> None:
    changing = {name for name, record in records().items() if not vars(record)["__dataclass_params__"].frozen}

    assert changing == UNDER_WAY


def test_a_record_with_a_word_that_nobody_knows_is_refused() -> None:
    accepting = {name for name, model in models().items() if model.model_config.get("extra") != "forbid"}

    assert accepting == LENIENT | KEPT_UP_TO_DATE

"""Training as a pipeline: the fixed parts behind step 4. Nothing here imports kfp before it is used."""

PIPELINE_NAME = "brakepoint-training"

"""From a push to a driving train on one machine, by running the pipeline's own scripts step by step."""

"""From a push to a driving train on one machine: the pipeline's own scripts are run, step by step."""

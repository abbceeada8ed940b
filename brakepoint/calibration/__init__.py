"""From what an owner shows to camera and hub to the figures of `brakepoint.train_file`."""

"""The page on which a person shows signs to a model, and labels the pictures in which the model is wrong."""

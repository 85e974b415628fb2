"""Retraining: recipes, data, training, the gate, publishing, and the run that ties them together."""

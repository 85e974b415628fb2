"""The app's screens and dialogs. A dialog returns a typed value, or None if it was left."""

"""The terminal that the app is shown in: what is typed there, and how it is left."""

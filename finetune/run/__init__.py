"""One retraining from its data to its verdict, in a process of its own (``worker``); ``client`` starts and ends it."""

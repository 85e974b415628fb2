"""Where a training runs: ``launcher`` says what every place offers; ``here`` is this machine."""

"""Where a training runs: ``launcher`` says what every place offers, ``here`` is this machine, and ``stillness`` tells
when a process does not move."""

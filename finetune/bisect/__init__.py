"""Which of its pairs taught a version a wrong answer: first by words (:mod:`words`), which takes no time, then for a
shortlist by gradients (:mod:`gradients`), in a process of its own (:mod:`process`) that :mod:`client` starts."""

"""The gate: is a candidate good enough to answer? From answers to numbers and a verdict.

Begin at :mod:`finetune.gate.judging`, which asks both versions (``questions`` is what is asked, ``answers`` asks it and
keeps what was answered) and hands the answers to ``verdict``. That compares them (``comparison``, on the numbers of
``scores``, each language by the tokenizer that ``languages`` names), looks up the corrections (``outcomes``), and says
in ``sentences`` what it came to. ``taught`` chooses what the candidate is asked of its lessons, and ``recall`` says
what that adds to the verdict. ``margins`` holds every threshold with its reason, ``words`` the words, and ``report``
and ``measures`` the records that are kept. ``general`` measures drift.

Nothing is imported here, so that whoever reads a report loads neither the verdict nor the scores.
"""

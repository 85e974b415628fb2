"""One retraining from its data to its verdict: :mod:`prepare`, :mod:`train`, :mod:`publish`, :mod:`judge`,
:mod:`conclude`, each a step over one :class:`finetune.run.context.RunContext`.

``worker`` takes the steps in a process of its own and writes how they ended; ``client`` is the app's side, which starts
and ends that process. ``leash`` and ``wishes`` say what is wanted of it meanwhile, ``ladder`` what becomes of a
training that does not fit into the memory, ``serving`` which engine judges, ``troubles`` what was wrong with a run that
came to its end, ``shelf`` what lies among the published versions."""

"""The store: everything a desk knows, in one SQLite file. Imports none of deskloop's other packages.

Begin at :mod:`store.desk`: a :class:`store.desk.Desk` is one home directory and everything kept in it. What it hands
out is in :mod:`store.records`, in the words of :mod:`store.words`; what goes wrong is in :mod:`store.errors`. Each
subject has a room: :mod:`store.conversations`, :mod:`store.pairs`, :mod:`store.runs`, :mod:`store.versions`,
:mod:`store.settings`, :mod:`store.importing`, :mod:`store.erasing`, :mod:`store.personal`. Under them lies
:mod:`store.database`.

Nothing is imported here, so that whoever needs only the words loads only the words.
"""

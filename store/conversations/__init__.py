"""Conversations: what was said, and what operators think of it.

``conversations`` holds them, with ``replies`` (how turns come in) and ``turns`` (how they are read), ``drafts`` what
was being written when the app ended, ``judgements`` the corrections, approvals and rejections, ``mistakes`` the wrong
replies as something to learn from, ``review`` the replies that wait for a judgement or a correction, ``quality`` what
judgements say of the versions, ``shadows`` what a version answers unseen, ``listing`` shows conversations in windows,
``transcripts`` writes one to a file.
"""

from store.conversations.conversations import Conversations, conversation_of, one_line
from store.conversations.replies import Measured

__all__ = ["Conversations", "Measured", "conversation_of", "one_line"]

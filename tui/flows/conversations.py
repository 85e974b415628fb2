"""What is done with a whole conversation, and with what is being written in it."""

from __future__ import annotations

from textual.app import SuspendNotSupported

from store.records import Conversation
from tui import requests as ask
from tui.core import DeskError
from tui.core.editor import edit, editor_command
from tui.flows.stage import Stage
from tui.messages import ConversationArchived, TextEdited
from tui.screens.dialog import Ask


def _meant(stage: Stage, request: ask.OfConversation) -> Conversation:
    if request.conversation is None:
        raise DeskError(
            "There is no conversation here yet. Send a message, or choose one in the list ({desk.conversations})."
        )
    return stage.desk.conversations.get(request.conversation)


async def rename(stage: Stage, request: ask.Rename) -> None:
    """Ask for another title."""
    conversation = _meant(stage, request)
    title = await stage.open(
        Ask("Rename the conversation", "Its title in the list.", "Rename", "Title", value=conversation.title)
    )
    if title is not None:
        stage.desk.conversations.rename(conversation.id, title)
        stage.store_changed()


async def archive(stage: Stage, request: ask.Archive) -> None:
    """Out of the list, or back into it."""
    conversation = _meant(stage, request)
    back = conversation.archived_at is not None
    stage.desk.conversations.archive(conversation.id, restore=back)
    if back:
        stage.say("The conversation is back in the list.")
    else:
        stage.say(
            "Archived, not deleted. {desk.show_list} shows archived conversations, and {desk.archive} puts this one "
            "back."
        )
        stage.host.broadcast(ConversationArchived(conversation.id))
    stage.store_changed()


async def export_conversation(stage: Stage, request: ask.ExportConversation) -> None:
    """Ask for a file and write the conversation to it."""
    desk, reach, conversation = stage.desk, stage.desk.reach, _meant(stage, request)
    text = "A new file: .md for reading, .json for programs."
    given = str(reach.proposed(desk.conversations.file_name(conversation)))
    while (typed := await stage.open(Ask("Export the conversation", text, "Export", "Path", value=given))) is not None:
        given = typed
        try:
            path = reach.to_write(given)
            desk.conversations.export(conversation, path)
        except DeskError as error:
            text = error.sentence
        else:
            stage.say(f"Written to {path}.")
            return


async def edit_outside(stage: Stage, request: ask.EditOutside) -> None:
    """What is being written, in the operator's own editor; the app waits meanwhile."""
    text, trouble = request.text, ""
    try:
        if not stage.desk.reach.own_programs:
            raise SuspendNotSupported
        command = editor_command()
        with stage.app.suspend():
            try:
                text = edit(text, command, stage.desk.home.root)
            except DeskError as error:  # caught here: the app takes the terminal back only from a block that ends
                trouble = error.sentence
    except SuspendNotSupported:
        trouble = "An editor can't be opened here (a browser, or this kind of terminal). Your text is still here."
    if trouble:
        raise DeskError(trouble)
    stage.host.broadcast(TextEdited(text))

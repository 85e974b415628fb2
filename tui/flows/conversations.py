"""What is done with a whole conversation: the one highlighted in the list, else the open one."""

from __future__ import annotations

from store.conversations.transcripts import as_json, as_markdown, file_name, write_new
from store.records import Conversation
from store.writing import TargetRefused
from tui.core import DeskError
from tui.flows.stage import Stage
from tui.screens.dialog import Ask


def _meant(stage: Stage) -> Conversation:
    number = stage.chat.meant
    if number is None:
        raise DeskError(
            "There is no conversation here yet. Say something, or choose one in the list ({desk.conversations})."
        )
    return stage.service.desk.conversations.get(number)


async def rename(stage: Stage) -> None:
    """Ask for another title."""
    conversation = _meant(stage)
    title = await stage.show(
        Ask("Rename the conversation", "Its title in the list.", "Rename", "Title", value=conversation.title)
    )
    if title is not None:
        stage.service.desk.conversations.rename(conversation.id, title)
        stage.chat.follows.refresh_list()


async def archive(stage: Stage) -> None:
    """Out of the list, or back into it."""
    service, chat = stage.service, stage.chat
    conversation = _meant(stage)
    back = conversation.archived_at is not None
    service.desk.conversations.archive(conversation.id, service.who, restore=back)
    if back:
        stage.say("The conversation is back in the list.")
    else:
        stage.say(
            "Archived; nothing is deleted. {desk.show_list} shows the archived ones, and {desk.archive} puts it back."
        )
        if chat.conversation == conversation.id:
            latest = service.desk.conversations.list(limit=1)
            await chat.open(latest[0].id if latest else None)
    chat.follows.refresh_list()


async def export_conversation(stage: Stage) -> None:
    """Ask for a file and write the conversation to it."""
    desk, reach, conversation = stage.service.desk, stage.service.reach, _meant(stage)
    text = "A file that does not exist yet: .md for reading, .json for programs."
    given = str(reach.proposed(file_name(conversation)))
    while (given := await stage.show(Ask("Export the conversation", text, "Export", "Path", value=given))) is not None:
        try:
            path = reach.to_write(given)
        except DeskError as error:
            text = error.sentence
            continue
        turns = desk.conversations.turns(conversation.id)
        whole = (as_json if path.suffix.lower() == ".json" else as_markdown)(conversation, turns)
        try:
            write_new(path, whole)
        except TargetRefused as refused:
            text = refused.sentence
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            text = f"{path} can't be written: {why}. Nothing was lost; give another name."
        else:
            stage.say(f"Written to {path}.")
            return

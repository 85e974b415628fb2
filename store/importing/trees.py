"""Trees of messages, as chat programs keep them where an answer was asked for again: the path that was taken."""

from __future__ import annotations

from typing import Any

from store.importing.names import first, folded

_PARENT = ("parent", "parent_id")
_CURRENT = ("current_node", "current_id", "currentnode")
LONGEST = 10_000  # messages on a path: a circle ends here


def path_of(row: dict[str, Any]) -> list[Any] | None:
    """The messages on the path to the newest one in *row* (folded), None if it holds no tree."""
    nodes = row.get("mapping")
    current = first(row, _CURRENT)
    history = row.get("history")
    if nodes is None and isinstance(history, dict):
        nodes, current = history.get("messages"), first(folded(history), _CURRENT)
    if isinstance(nodes, dict) and nodes and all(isinstance(node, dict) for node in nodes.values()):
        return _up(nodes, current)
    root = row.get("prompt")
    if isinstance(root, dict) and isinstance(root.get("replies"), list):
        return _down(root)
    return _down(row) if isinstance(row.get("replies"), list) and "role" in row else None


def _up(nodes: dict[str, dict[str, Any]], current: Any) -> list[Any]:
    """From the current node to the root, turned round. Without a current one: from the last leaf."""
    parents = {str(first(folded(node), _PARENT)) for node in nodes.values()}
    if not isinstance(current, str) or current not in nodes:
        current = next((name for name in reversed(nodes) if name not in parents), None)
    path: list[Any] = []
    while isinstance(current, str) and current in nodes and len(path) < LONGEST:
        path.append(nodes[current])
        current = first(folded(nodes[current]), _PARENT)
    messages = [node["message"] if "message" in node and "content" not in node else node for node in reversed(path)]
    return [message for message in messages if isinstance(message, dict) and _says(message)]


def _says(message: dict[str, Any]) -> bool:
    """Whether there is anything in it: programs keep empty nodes at the root and before tools."""
    content = message.get("content")
    if isinstance(content, dict):
        parts = content.get("parts", [content.get("text")])
        return not isinstance(parts, list) or any(part not in ("", None) for part in parts)
    return content not in ("", None)


def _down(root: dict[str, Any]) -> list[Any]:
    """From the first message along the best-ranked replies."""
    path: list[Any] = [root]
    while len(path) < LONGEST:
        replies = path[-1].get("replies")
        fitting = [reply for reply in replies if isinstance(reply, dict)] if isinstance(replies, list) else []
        if not fitting:
            break
        path.append(min(fitting, key=lambda reply: reply["rank"] if isinstance(reply.get("rank"), int) else 0))
    return [{name: value for name, value in message.items() if name != "replies"} for message in path]

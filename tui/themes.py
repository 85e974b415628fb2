"""The colours of the app: textual's own, and one for eyes or screens that need more contrast."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

HIGH_CONTRAST = Theme(
    name="deskloop-high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#00ffff",
    warning="#ffd700",
    error="#ff9090",
    success="#60ff60",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    dark=True,
    variables={
        "text-muted": "#e0e0e0",
        "text-disabled": "#b0b0b0",
        "foreground-muted": "#e0e0e0",
        "border": "#ffffff",
        "border-blurred": "#c0c0c0",
        "input-cursor-background": "#ffff00",
        "input-cursor-foreground": "#000000",
        "input-selection-background": "#0050c0",
        "block-cursor-background": "#ffff00",
        "block-cursor-foreground": "#000000",
        "block-cursor-blurred-background": "#505050",
        "block-cursor-blurred-foreground": "#ffffff",
        "button-color-foreground": "#000000",
        "footer-key-foreground": "#ffff00",
        "footer-description-foreground": "#ffffff",
        "footer-background": "#202020",
        "scrollbar": "#c0c0c0",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#ffff00",
    },
)
OWN = (HIGH_CONTRAST,)


def names() -> tuple[str, ...]:
    """Every theme that can be chosen: dark, light and high contrast first, then textual's others."""
    first = ("textual-dark", "textual-light", HIGH_CONTRAST.name)
    return (*first, *sorted(set(BUILTIN_THEMES) - set(first)))

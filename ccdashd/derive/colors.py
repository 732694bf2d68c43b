"""Colors of tags. Pure."""

from __future__ import annotations

import re

_BASIC = {
    "black": "#000000",
    "silver": "#c0c0c0",
    "gray": "#808080",
    "grey": "#808080",
    "white": "#ffffff",
    "maroon": "#800000",
    "red": "#ff0000",
    "purple": "#800080",
    "fuchsia": "#ff00ff",
    "green": "#008000",
    "lime": "#00ff00",
    "olive": "#808000",
    "yellow": "#ffff00",
    "navy": "#000080",
    "blue": "#0000ff",
    "teal": "#008080",
    "aqua": "#00ffff",
}
"""The sixteen basic colors, one of them in two spellings (https://www.w3.org/TR/css-color-4/#named-colors)."""


def normalised(color: str) -> str:
    """The color as ``#rrggbb``, or ``""`` for none. Raises ValueError, with what is wrong, where it is no color."""
    color = color.strip().lower()
    if not color:
        return ""
    if re.fullmatch(r"#[0-9a-f]{6}", color):
        return color
    if re.fullmatch(r"#[0-9a-f]{3}", color):
        return "#" + "".join(digit * 2 for digit in color[1:])
    if color in _BASIC:
        return _BASIC[color]
    raise ValueError(f"must be #rrggbb, #rgb or one of {', '.join(sorted(_BASIC))}")

"""Flags as alwaysAI's command takes them: lists with spaces, switches with or without a word."""

from collections.abc import Callable, Sequence
from typing import Any

from typer.core import TyperCommand

NUMBERS = frozenset({"--mean", "--size"})
NAMES = frozenset({"--output_layer_names"})
SWITCHES = frozenset(
    {"--crop", "--swaprb", "--softmax", "--public", "--quantize_input", "--quantize_output"}
)
_WORDS = frozenset({"true", "false"})


class AlwaysAIFlags(TyperCommand):
    """Turns `--mean 104 117 123` into `--mean 104,117,123` and `--crop` into `--crop true`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join what belongs together, then parse as usual."""
        return super().parse_args(ctx, joined(args))


def joined(arguments: Sequence[str]) -> list[str]:
    """The arguments with one word behind each list and each switch."""
    result: list[str] = []
    rest = list(arguments)
    while rest:
        flag, given, word = rest.pop(0).partition("=")
        flag = flag.replace("-", "_").replace("__", "--", 1) if flag.startswith("--") else flag
        values = [word] if given else []
        if not given and flag in NUMBERS:
            values = _taken(rest, _is_number)
        elif not given and flag in NAMES:
            values = _taken(rest, lambda word: not word.startswith("-"))
        elif not given and flag in SWITCHES:
            values = [rest.pop(0)] if rest and rest[0].lower() in _WORDS else ["true"]
        result += [flag, ",".join(values)] if values else [flag]
    return result


def _taken(words: list[str], belongs: Callable[[str], bool]) -> list[str]:
    """Take the words off the front that belong to a flag."""
    taken = []
    while words and belongs(words[0]):
        taken.append(words.pop(0))
    return taken


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True

"""Walls of CONTRIBUTING: a function body has at most 40 lines, a module at most 500."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BODY_WALL, MODULE_WALL = 40, 500
PLACES = ("proto", "services", "tests", "benchmarks", "tools")


def sources() -> Iterator[Path]:
    """All Python files that people write."""
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            if "_generated" not in path.parts and ".venv" not in path.parts:
                yield path


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its head and docstring."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def faults() -> Iterator[str]:
    """Every function and module over its wall."""
    for path in sources():
        text = path.read_text()
        name = path.relative_to(ROOT)
        if (length := text.count("\n")) > MODULE_WALL:
            yield f"{name}: {length} lines, wall {MODULE_WALL}: split it by idea"
        for node in functions(ast.parse(text)):
            if (lines := body_lines(node)) > BODY_WALL:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, wall {BODY_WALL}"


def main() -> int:
    """Print the faults; 1 when there are any."""
    found = list(faults())
    sys.stdout.writelines(line + "\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

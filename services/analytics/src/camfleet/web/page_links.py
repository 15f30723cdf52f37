"""What an HTML file of the page names: one style sheet, and at once every script it will need.

A browser learns of an imported script only when the one that imports it has come. On a slow line
that is a round trip for each step of the chain, and each file of its own is one more to wait for.
"""

import re
from pathlib import Path

_STYLE = re.compile(r'^ *<link rel="stylesheet" href="/static/(css/[\w-]+\.css)">\n', re.MULTILINE)
_SCRIPT = re.compile(
    r'^ *<script type="module" src="/static/(js/[\w/-]+\.js)"></script>\n', re.MULTILINE
)
_IMPORT = re.compile(r'^(?:import|export) [^"]*"(\.{1,2}/[\w./-]+)"', re.MULTILINE)


def joined_styles(html: Path) -> str:
    """The style sheets that an HTML file of the page names, in its order."""
    folder = html.parent
    return "".join((folder / name).read_text() for name in _STYLE.findall(html.read_text()))


def linked(html: Path) -> str:
    """The HTML with one link in place of its style sheets, and one to each imported script."""
    text = html.read_text()
    style = f'  <link rel="stylesheet" href="/static/{html.stem}.css">\n'
    text = _STYLE.sub("", _STYLE.sub(style, text, count=1))
    return _SCRIPT.sub(lambda found: found[0] + _preloads(html.parent, found[1]), text)


def imported(script: Path) -> list[Path]:
    """The scripts that one imports, directly or by others, nearest first."""
    found = [script]
    for one in found:  # it grows meanwhile
        named = [(one.parent / name).resolve() for name in _IMPORT.findall(one.read_text())]
        found += [path for path in dict.fromkeys(named) if path not in found]
    return found[1:]


def _preloads(folder: Path, script: str) -> str:
    folder = folder.resolve()
    names = [path.relative_to(folder).as_posix() for path in imported(folder / script)]
    return "".join(f'  <link rel="modulepreload" href="/static/{name}">\n' for name in names)

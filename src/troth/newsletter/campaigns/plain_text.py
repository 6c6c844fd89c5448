"""The plain-text part of a campaign, made from its Markdown.

A paragraph is one line, however long: mail programs wrap it, at the width of the screen. A link is its text and its
address in brackets. A table becomes columns where it is narrow, and a list of `heading: cell` where it is not.
Touches nothing.
"""

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from troth.core.lazy import lazy

if TYPE_CHECKING:
    from markdown_it import tree
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode
else:
    tree = lazy("markdown_it.tree")

type Fill = Callable[[str], str]
"""Gives a text with marks the fallbacks in their place, to measure it."""

WIDEST_TABLE = 72
RULE = "-" * 24


def text(tokens: "list[Token]", fill: Fill) -> str:
    """Return Markdown as plain text. Marks of merge fields stay marks."""
    return _Writer(fill).blocks(tree.SyntaxTreeNode(tokens).children)


class _Writer:
    def __init__(self, fill: Fill) -> None:
        self._fill = fill

    def blocks(self, nodes: "list[SyntaxTreeNode]", gap: str = "\n\n") -> str:
        return gap.join(written for node in nodes if (written := self._block(node)))

    def _block(self, node: "SyntaxTreeNode") -> str:
        match node.type:
            case "heading":
                return self._heading(node)
            case "bullet_list":
                return self._list(node, lambda number: "- ")
            case "ordered_list":
                first = int(node.attrs.get("start", 1))
                return self._list(node, lambda number: f"{first + number}. ")
            case "blockquote":
                return _indented(self.blocks(node.children), "> ", "> ")
            case "fence" | "code_block":
                return _indented(node.content.rstrip("\n"), "    ", "    ")
            case "hr":
                return RULE
            case "table":
                return self._table(node)
            case _:
                return self._inline(node.children)

    def _heading(self, node: "SyntaxTreeNode") -> str:
        words = self._inline(node.children).replace("\n", " ")
        if node.tag not in {"h1", "h2"} or not words:
            return words
        return f"{words}\n{('=' if node.tag == 'h1' else '-') * min(WIDEST_TABLE, self._width(words))}"

    def _list(self, node: "SyntaxTreeNode", bullet: Callable[[int], str]) -> str:
        items = []
        loose = any(child.type == "paragraph" and not child.hidden for item in node.children for child in item.children)
        for number, item in enumerate(node.children):
            first = bullet(number)
            items.append(_indented(self.blocks(item.children, "\n\n" if loose else "\n"), first, " " * len(first)))
        return ("\n\n" if loose else "\n").join(items)

    def _table(self, node: "SyntaxTreeNode") -> str:
        rows = [
            [self._inline(cell.children).replace("\n", " ") for cell in row.children]
            for part in node.children
            for row in part.children
        ]
        widths = [max(map(self._width, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + 3 * len(widths) <= WIDEST_TABLE:
            rows.insert(1, ["-" * width for width in widths])
            return "\n".join(self._row(row, widths) for row in rows)
        head, *body = rows
        return "\n\n".join(
            "\n".join(f"{name}: {cell}" if name else cell for name, cell in zip(head, row, strict=True) if cell)
            for row in body
        )

    def _row(self, cells: list[str], widths: list[int]) -> str:
        padded = (f"{cell}{' ' * (width - self._width(cell))}" for cell, width in zip(cells, widths, strict=True))
        return "   ".join(padded).rstrip()

    def _width(self, words: str) -> int:
        """Columns on a terminal: East Asian letters take two, combining marks none."""
        return sum(_columns(char) for char in self._fill(words))

    def _inline(self, nodes: "list[SyntaxTreeNode]") -> str:
        """The words of an inline node, or of what stands in one."""
        return "".join(map(self._word, nodes)).strip(" \n")

    def _word(self, node: "SyntaxTreeNode") -> str:
        match node.type:
            case "text" | "code_inline":
                return node.content
            case "softbreak":
                return " "
            case "hardbreak":
                return "\n"
            case "image":
                alt = self._within(node)
                return f"[{alt}]" if alt else ""
            case "link":
                return self._link(node)
            case "s":
                return f"~~{self._within(node)}~~"
            case _:
                return self._within(node)

    def _within(self, node: "SyntaxTreeNode") -> str:
        return "".join(map(self._word, node.children))

    def _link(self, node: "SyntaxTreeNode") -> str:
        url = str(node.attrs["href"]).removeprefix("mailto:").removeprefix("tel:")
        words = self._within(node).strip()
        if not words or words in {url, url.partition("://")[2]}:
            return url
        return f"{words} ({url.replace('(', '%28').replace(')', '%29')})"


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _indented(written: str, first: str, other: str) -> str:
    lines = [f"{other}{line}".rstrip() for line in written.split("\n")]
    return first + "\n".join(lines)[len(other) :] if written else first.rstrip()

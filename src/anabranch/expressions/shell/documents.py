"""Here-documents: announced on one line, read from the next."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from anabranch.expressions.shell.holes import Write
from anabranch.expressions.shell.tape import Tape
from anabranch.expressions.shell.words import Quotes, Word, Words

_QUOTED: Final = re.compile(r"[\\'\"]")
_UNQUOTE: Final = re.compile(r"\\(.)|'([^']*)'|\"([^\"]*)\"", re.DOTALL)
_ODD_BACKSLASHES: Final = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_INERT: Final = re.compile(r"[^$`\\{]+")
_PLAIN: Final = re.compile(r"\w+", re.ASCII)


@frozen(kw_only=True)
class _Document:
    start: int
    delimiter: str
    quoted: bool
    tabs: bool
    slot: int
    body: Word


class Documents:
    """The here-documents of one list of commands."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._pending: list[_Document] = []

    def announce(self, raw: str, *, tabs: bool) -> Word:
        """Take over the delimiter after `<<`; the body that will be read comes back, as a word."""
        tape, body = self._tape, Word(self._tape.pos)
        if not raw:
            raise tape.refusal("no delimiter after `<<`")
        self._pending.append(
            _Document(
                start=tape.pos,
                delimiter=_UNQUOTE.sub(lambda m: m[1] or m[2] or m[3] or "", raw),
                quoted=bool(_QUOTED.search(raw)),
                tabs=tabs,
                slot=len(tape.out),
                body=body,
            )
        )
        tape.copy(len(raw))
        return body

    def refuse_newline(self, start: int) -> None:
        """Refuse a word that goes over a line's end while a document waits for that line."""
        if self._pending and "\n" in self._tape.since(start).replace("\\\n", ""):
            raise self._tape.refusal(
                "a line ends inside this while a here-document waits", at=start
            )

    def refuse_pending(self) -> None:
        """Refuse a list of commands that ends before its documents."""
        if self._pending:
            raise self._tape.refusal("this here-document never begins", at=self._pending[0].start)

    def read(self, words: Words) -> None:
        """Take over the bodies that begin here, at the start of a line."""
        for document in self._pending:
            words.word = document.body
            words.subscripts = False
            self._read_one(document, words)
        self._pending = []

    def _read_one(self, document: _Document, words: Words) -> None:
        tape = self._tape
        end, after = self._end(document)
        stop, tape.stop = tape.stop, end
        delimiter = tape.text[end:after]
        if document.quoted:
            delimiter = self._quoted_body(document, words) or delimiter
        else:
            while not tape.done:
                words.inside(Quotes.HERE, Write.INSIDE)
        tape.stop = stop
        tape.pos = after
        tape.put(delimiter)
        tape.copy()

    def _end(self, document: _Document) -> tuple[int, int]:
        """Where the body ends, and where the line of the delimiter ends."""
        text, stop, line = self._tape.text, self._tape.stop, self._tape.pos
        joined: str | None = None
        while line <= stop:
            newline = text.find("\n", line, stop)
            end = stop if newline < 0 else newline
            content = text[line:end].lstrip("\t" if document.tabs else "")
            if joined is None and content == document.delimiter:
                return line, end
            content = (joined or "") + content
            if content == document.delimiter:
                raise self._tape.refusal("sh and bash disagree where this ends", at=document.start)
            continued = not document.quoted and _ODD_BACKSLASHES.search(content)
            joined = content[:-1] if continued else None
            line = end + 1
        raise self._tape.refusal("this here-document is never closed", at=document.start)

    def _quoted_body(self, document: _Document, words: Words) -> str:
        """A body in which nothing is special, written as one in which expansions are.

        Only if it holds a reference of ours: then what would become special gets a backslash,
        and the delimiter loses its quotes. The new delimiter, or nothing, comes back.
        """
        tape, start, mark, found = self._tape, self._tape.pos, len(self._tape.out), False
        while not tape.done:
            if tape.at("$${"):
                tape.pos += 2
                tape.put("\\$")
            elif words.reference(Write.INSIDE):
                found = True
            elif not tape.copy_match(_INERT):
                tape.put("" if tape.at("{") else "\\")
                tape.copy()
        if not found:
            del tape.out[mark:]
            tape.put(tape.since(start).replace("$${", "${"))
            return ""
        delimiter = document.delimiter
        if not _PLAIN.fullmatch(delimiter):
            delimiter = _free_word(tape.text)
        tape.out[document.slot] = delimiter
        return delimiter


def _free_word(text: str) -> str:
    """A delimiter that is no part of a text."""
    word = "ANABRANCH_END"
    while word in text:
        word += "_"
    return word

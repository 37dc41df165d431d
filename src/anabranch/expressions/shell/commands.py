"""Commands: where words, comments, here-documents and case patterns begin and end.

This is no parser of the shell, only as much of one as it takes to know, for each character,
which rules of quoting hold there: which word is a reserved one, which `)` closes a `$(`, and
which words are patterns, targets of redirections or operands of `[[ … ]]`.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from anabranch.expressions.scanner import refuse
from anabranch.expressions.shell.documents import Documents
from anabranch.expressions.shell.holes import Piece, Write
from anabranch.expressions.shell.interpreters import check_command, check_inputs, check_test
from anabranch.expressions.shell.tape import Tape
from anabranch.expressions.shell.words import ASSIGNMENT, Quotes, Word, Words
from anabranch.values import ConfigError


class Expect(Enum):
    """What the next word is."""

    COMMAND = auto()
    ARGUMENT = auto()
    CASE_SUBJECT = auto()
    CASE_IN = auto()
    PATTERN = auto()
    NAME = auto()
    FOR_IN = auto()
    FOR_WORD = auto()
    FUNCTION_NAME = auto()
    AFTER = auto()


_BLANK: Final = re.compile(r"(?:[ \t]|\\\n)+")
_SPACE: Final = re.compile(r"(?:[ \t\n]|\\\n)+")
_COMMENT: Final = re.compile(r"#[^\n]*")
_REDIRECTION: Final = re.compile(r"&>>?|<<<|<<-?|<>|<&|>&|>>|>\||<|>")
_CONTROL: Final = re.compile(r";;&|;;|;&|;|&&|&|\|\||\|&|\|")
_DELIMITER: Final = re.compile(r"(?:\\.|'[^']*'|\"[^\"]*\"|[^ \t\n;&|()<>'\"\\])+", re.DOTALL)
_EMPTY: Final = re.compile(r"\([ \t]*\)")
_PLAIN: Final = re.compile(r"[^\s;&|()<>\"'\\$`{]+")
_ARRAY: Final = re.compile(r"[A-Za-z_]\w*\+?=", re.ASCII)
_BEFORE_COMMAND: Final = frozenset(
    {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc"}
)
_RESERVED_AFTER: Final = frozenset({"then", "do", "else", "elif", "fi", "done", "esac", "}"})
_AFTER_COMPOUND: Final = frozenset({"fi", "done", "}"})
_OPENS: Final = {
    "case": Expect.CASE_SUBJECT,
    "for": Expect.NAME,
    "select": Expect.NAME,
    "function": Expect.FUNCTION_NAME,
}
_NEXT: Final = {
    Expect.CASE_SUBJECT: Expect.CASE_IN,
    Expect.CASE_IN: Expect.PATTERN,
    Expect.NAME: Expect.FOR_IN,
    Expect.FOR_IN: Expect.FOR_WORD,
    Expect.FUNCTION_NAME: Expect.COMMAND,
}
_ONE_WORD: Final = {
    Expect.CASE_SUBJECT: "the subject of `case`",
    Expect.PATTERN: "a pattern of `case`",
    Expect.NAME: "a name",
    Expect.FUNCTION_NAME: "a name",
}
_WORD_ENDS: Final = frozenset(" \t\n;&|()<>")


class Frame:
    """One list of commands: the whole script, or what is inside a pair of parentheses.

    Attributes:
        expect: what the next word is.
        cases: how many `case` are open.
        words: the words of the simple command so far.
        inputs: its here-strings and here-documents so far.
        waiting: commands whose here-documents are not all read.
        documents: the here-documents that begin at the next line.
    """

    __slots__ = ("cases", "documents", "expect", "inputs", "waiting", "words")

    def __init__(self, tape: Tape) -> None:
        self.expect = Expect.COMMAND
        self.cases = 0
        self.words: list[Word] = []
        self.inputs: list[Word] = []
        self.waiting: list[tuple[list[Word], list[Word]]] = []
        self.documents = Documents(tape)


class Commands:
    """Reads commands and writes the script."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.words = Words(tape, substitution=self._substitution, nested=self._compile_copy)

    def script(self) -> None:
        """Read to the end.

        Raises:
            ConfigError: something is not closed, or not clear.
        """
        self._commands("")

    def _compile_copy(self, tape: Tape) -> None:
        Commands(tape).script()

    def _substitution(self) -> None:
        """What is inside `$(…)`, `(…)`, `<(…)`: commands with words of their own."""
        outer, subscripts = self.words.word, self.words.subscripts
        with self.tape.deeper():
            self._commands(")")
        self.words.word, self.words.subscripts = outer, subscripts

    # --- a list of commands ----------------------------------------------------------------------

    def _commands(self, closing: str) -> None:
        start, frame = self.tape.pos, Frame(self.tape)
        while not self.tape.done:
            if self.tape.at(")"):
                if frame.expect is Expect.PATTERN:
                    self.tape.copy()
                    frame.expect = Expect.COMMAND
                    continue
                break
            self._token(frame)
        self._finish(frame)
        self._check_inputs(frame)
        if self.tape.at(")") and not closing:
            raise self.tape.refusal("nothing is open that this would close")
        if self.tape.done and closing:
            raise self.tape.refusal("this parenthesis is never closed", at=max(start - 1, 0))
        if frame.cases:
            raise self.tape.refusal("a `case` is never closed", at=start)
        frame.documents.refuse_pending()
        self.tape.copy(len(closing))

    def _token(self, frame: Frame) -> None:
        tape = self.tape
        if tape.match(_BLANK):
            tape.copy_match(_BLANK)
        elif tape.at("#"):
            tape.copy_match(_COMMENT)
        elif tape.at("\n"):
            self._newline(frame)
        elif tape.at("<(", ">("):
            self._word(frame)
        elif tape.match(_REDIRECTION):
            self._redirection(frame)
        elif tape.match(_CONTROL):
            self._control(frame)
        elif tape.at("("):
            self._parenthesis(frame)
        else:
            self._word(frame)

    def _newline(self, frame: Frame) -> None:
        self.tape.copy()
        frame.documents.read(self.words)
        self._end_command(frame)
        self._check_inputs(frame)

    def _end_command(self, frame: Frame) -> None:
        self._finish(frame)
        if frame.expect in {Expect.ARGUMENT, Expect.FOR_WORD, Expect.AFTER}:
            frame.expect = Expect.COMMAND

    def _finish(self, frame: Frame) -> None:
        check_command(frame.words, self.tape)
        frame.waiting.append((frame.words, frame.inputs))
        frame.words, frame.inputs = [], []

    def _check_inputs(self, frame: Frame) -> None:
        for words, inputs in frame.waiting:
            check_inputs(words, inputs, self.tape)
        frame.waiting = []

    def _control(self, frame: Frame) -> None:
        operator = self.tape.copy_match(_CONTROL)
        if frame.expect is Expect.PATTERN and operator == "|":
            return
        self._finish(frame)
        ends_branch = operator in {";;", ";&", ";;&"} and frame.cases
        frame.expect = Expect.PATTERN if ends_branch else Expect.COMMAND

    def _parenthesis(self, frame: Frame) -> None:
        start = self.tape.pos
        if frame.expect is Expect.PATTERN:
            self.tape.copy()
        elif self.tape.match(_EMPTY) and (len(frame.words) == 1 or frame.expect is Expect.COMMAND):
            self.tape.copy_match(_EMPTY)
            frame.words = []
            frame.expect = Expect.COMMAND
        elif self.tape.at("((") and frame.expect in {Expect.COMMAND, Expect.NAME}:
            self.tape.copy(2)
            self.words.word = Word(start)
            self.words.arithmetic("))", start)
            frame.documents.refuse_newline(start)
            frame.expect = Expect.FOR_IN if frame.expect is Expect.NAME else Expect.AFTER
        elif frame.expect is Expect.COMMAND:
            self.tape.copy()
            self._substitution()
            frame.documents.refuse_newline(start)
            frame.expect = Expect.AFTER
        else:
            raise self.tape.refusal("a parenthesis where the shell expects a word")

    def _redirection(self, frame: Frame) -> None:
        operator = self.tape.copy_match(_REDIRECTION)
        self.tape.copy_match(_BLANK)
        if operator in {"<<", "<<-"}:
            raw = self.tape.match(_DELIMITER) or ""
            frame.inputs.append(frame.documents.announce(raw, tabs=operator == "<<-"))
        elif not self.tape.done and self.tape.text[self.tape.pos] not in "\n;&|)":
            target = self._read_word("the target of a redirection", frame)
            if operator == "<<<":
                frame.inputs.append(target)

    # --- words -----------------------------------------------------------------------------------

    def _word(self, frame: Frame) -> None:
        command = frame.expect is Expect.COMMAND
        word = self._read_word(_ONE_WORD.get(frame.expect, ""), frame, subscripts=command)
        reserved = "" if word.quoted else word.plain
        match frame.expect:
            case Expect.COMMAND:
                self._first_word(frame, word, reserved)
            case Expect.ARGUMENT:
                frame.words.append(word)
            case Expect.CASE_IN if reserved != "in":
                raise self.tape.refusal("`case` without `in`", at=word.start)
            case Expect.NAME | Expect.FUNCTION_NAME:
                self._refuse_holes(word)
                frame.expect = _NEXT[frame.expect]
            case Expect.FOR_IN if reserved == "do":
                frame.expect = Expect.COMMAND
            case Expect.PATTERN if reserved == "esac":
                self._first_word(frame, word, reserved)
            case Expect.AFTER if reserved in _RESERVED_AFTER:
                self._first_word(frame, word, reserved)
            case _:
                frame.cases += frame.expect is Expect.CASE_IN
                frame.expect = _NEXT.get(frame.expect, frame.expect)

    def _refuse_holes(self, word: Word) -> None:
        for _, hole in word.holes:
            self.tape.note(hole, "no-place-for-value", "the shell wants a plain name here")

    def _first_word(self, frame: Frame, word: Word, reserved: str) -> None:
        frame.expect = Expect.AFTER
        if reserved in _OPENS:
            frame.expect = _OPENS[reserved]
        elif reserved == "esac" and frame.cases:
            frame.cases -= 1
        elif reserved == "[[":
            self._double_brackets(frame)
        elif reserved in _BEFORE_COMMAND:
            frame.expect = Expect.COMMAND
        elif reserved not in _AFTER_COMPOUND:
            frame.words.append(word)
            assigns = ASSIGNMENT.match(word.plain)
            frame.expect = Expect.COMMAND if assigns else Expect.ARGUMENT

    def _double_brackets(self, frame: Frame) -> None:
        """`[[ … ]]`: only white space ends a word in it."""
        start, operands = self.tape.pos, list[Word]()
        while not operands or operands[-1].plain != "]]":
            self._space(frame)
            if self.tape.done or self.tape.at("#"):
                raise self.tape.refusal("this `[[` is never closed", at=start - 2)
            operands.append(self._read_word("an operand of `[[`", frame, ends=" \t\n"))
        check_test(operands, self.tape)

    def _read_word(
        self, single: str, frame: Frame, *, subscripts: bool = False, ends: str = ""
    ) -> Word:
        word = self.words.word = Word(self.tape.pos, single)
        self.words.subscripts = subscripts
        stops = ends or _WORD_ENDS
        while not self.tape.done and (
            self.tape.text[self.tape.pos] not in stops or self.tape.at("<(", ">(")
        ):
            self._piece()
        if (
            not ends
            and self.tape.at("(")
            and not word.quoted
            and _ARRAY.fullmatch(self.tape.since(word.start))
        ):
            self._array(frame)
            self.words.word = word
        frame.documents.refuse_newline(word.start)
        return word

    def _piece(self) -> None:
        tape, words = self.tape, self.words
        if tape.at('"'):
            words.double()
        elif tape.at("'"):
            words.single()
        elif tape.at("\\"):
            words.backslash()
        elif tape.at("<(", ">("):
            tape.copy(2)
            self._substitution()
        elif tape.at("$", "`", "{{"):
            words.expansion(Quotes.NONE, Write.WORDS)
        else:
            words.literal(len(tape.match(_PLAIN) or " "))

    def _array(self, frame: Frame) -> None:
        """`name=(…)`: words, or `[subscript]=word`."""
        start = self.tape.pos
        self.tape.copy()
        while not self.tape.at(")"):
            if self.tape.done:
                raise self.tape.refusal("this parenthesis is never closed", at=start)
            if self.tape.at("#"):
                self.tape.copy_match(_COMMENT)
            elif not self._space(frame):
                word = self._read_word("", frame, subscripts=True)
                if word.start == self.tape.pos:
                    raise self.tape.refusal("this cannot stand in an array")
        self.tape.copy()

    def _space(self, frame: Frame) -> bool:
        """White space where the end of a line ends nothing; whether there was any."""
        start = self.tape.pos
        self.tape.copy_match(_SPACE)
        frame.documents.refuse_newline(start)
        return self.tape.pos > start


def read_commands(tape: Tape) -> tuple[Piece, ...]:
    """The script as pieces: each reference of ours is a hole.

    Raises:
        ConfigError: references that stand where no value can, and the place that is unclear.
    """
    try:
        Commands(tape).script()
    except ConfigError as error:
        raise ConfigError(*tape.problems, *error.problems) from None
    refuse(tape.problems)
    return tuple(tape.out)

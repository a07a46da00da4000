"""Reading a pickle without running it.

A pickle is a program for a machine with a stack (PEP 3154; CPython's `pickletools`), and two of its
instructions call whatever Python function they name. Here they call nothing: a name becomes a
`Name`, and a call or an object becomes an `Inert`, which holds what it was given and does nothing.
Only the names in an allow-list mean something, functions of ours that make plain data.

No object is ever compared, hashed or shown, but texts and numbers: a small pickle may hold
structures that are endless to walk through.
"""

import pickletools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 16_000_000  # bytes, and
MOST = 500_000  # instructions, of a pickle: ten times what the largest GPT-2 takes

NUMBERS_AND_TEXTS = frozenset(
    ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
     "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE",
     "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
)  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
PUT = ("PUT", "BINPUT", "LONG_BINPUT")
GET = ("GET", "BINGET", "LONG_BINGET")
NOTHING_TO_DO = ("PROTO", "FRAME")


@dataclass(frozen=True, eq=False)
class Name:
    """A class or function that a pickle speaks of: `os.system` is these nine letters."""

    text: str


@dataclass(eq=False)
class Inert:
    """An object that a pickle wants made, which is not made.

    name: of its class, or of what makes it. arguments: what that would be given. state: what the
    object would hold.
    """

    name: str
    arguments: Any = ()
    state: Any = None


@dataclass(frozen=True, eq=False)
class Mark:
    """Where a list of unknown length begins on the stack."""


Functions = Mapping[str, Callable[[tuple[Any, ...]], Any]]


def read(data: bytes, functions: Functions, persistent: Callable[[Any], Any] = Inert) -> Any:
    """What the pickle describes, in lists, tuples, dictionaries, texts, numbers, Name and Inert.

    functions: the allow-list, full name -> what takes the arguments and gives plain data.
    persistent: what stands for something that lies outside of the pickle.
    Of a dictionary only entries with a text or a short number as key are kept; of a set nothing.

    Raises ValueError, with half a sentence, for what is no pickle or too much of one.
    """
    if len(data) > LONGEST:
        raise ValueError(f"it has {len(data)} bytes, more than any checkpoint's")
    machine = _Machine(functions, persistent)
    try:
        return _run(machine, data)
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("its instructions do not fit together") from error


def _run(machine: "_Machine", data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of texts that nobody writes so any more
        for count, (instruction, argument, _) in enumerate(pickletools.genops(data)):
            if count >= MOST:
                raise ValueError(f"it has more than {MOST:,} instructions")
            if instruction.name == "STOP":
                return machine.pop()
            machine.run(instruction.name, argument)
    raise ValueError("it has no end")


class _Machine:
    """The stack and the memory of one reading."""

    def __init__(self, functions: Functions, persistent: Callable[[Any], Any]) -> None:
        self.functions, self.persistent = functions, persistent
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def pop(self) -> Any:
        return self.stack.pop()

    def since_mark(self) -> list[Any]:
        """What has been put on the stack since the last mark, which goes, too."""
        found: list[Any] = []
        while not isinstance(top := self.stack.pop(), Mark):
            found.append(top)
        return found[::-1]

    def run(self, name: str, argument: Any) -> None:
        """One instruction."""
        stack = self.stack
        if name in NUMBERS_AND_TEXTS:
            stack.append(argument)
        elif name in PUT:
            self.memory[_short(int(argument))] = stack[-1]
        elif name == "MEMOIZE":
            self.memory[len(self.memory)] = stack[-1]
        elif name in GET:
            stack.append(self.memory[int(argument)])
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in self.INSTRUCTIONS:
            self.INSTRUCTIONS[name](self)
        elif name == "GLOBAL":
            stack.append(Name(argument.replace(" ", ".")))
        elif name == "INST":
            stack.append(Inert(argument.replace(" ", "."), tuple(self.since_mark())))
        elif name == "PERSID":
            stack.append(self.persistent(argument))
        elif name not in NOTHING_TO_DO:
            raise ValueError(f"it has the instruction {name}, which no checkpoint has")

    def _tuple(self, length: int) -> None:
        items = tuple(self.stack[-length:])
        if len(items) < length:
            raise IndexError
        del self.stack[-length:]
        self.stack.append(items)

    def _call(self) -> None:
        arguments, function = self.pop(), self.pop()
        name = function.text if isinstance(function, Name) else "something"
        if name in self.functions and isinstance(arguments, tuple):
            self.stack.append(self.functions[name](arguments))
        else:
            self.stack.append(Inert(name, arguments))

    def _object(self) -> None:
        function, *arguments = self.since_mark()
        self.stack += [function, tuple(arguments)]
        self._call()

    def _object_with_keywords(self) -> None:
        self.pop()
        self._call()

    def _build(self) -> None:
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, Inert):
            target.state = state

    def _append(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    def _set(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], dict):
            self.stack[-1].update(entries(items))

    def _name(self) -> None:
        text, module = self.pop(), self.pop()
        self.stack.append(Name(f"{module}.{text}" if type(module) is type(text) is str else "?"))

    INSTRUCTIONS: Mapping[str, Callable[["_Machine"], None]] = {
        "MARK": lambda self: self.stack.append(Mark()),
        "POP": lambda self: self.stack.__delitem__(-1),
        "POP_MARK": lambda self: self.since_mark().clear(),
        "DUP": lambda self: self.stack.append(self.stack[-1]),
        "EMPTY_LIST": lambda self: self.stack.append([]),
        "EMPTY_TUPLE": lambda self: self.stack.append(()),
        "EMPTY_DICT": lambda self: self.stack.append({}),
        "EMPTY_SET": lambda self: self.stack.append(Inert("set")),
        "LIST": lambda self: self.stack.append(self.since_mark()),
        "TUPLE": lambda self: self.stack.append(tuple(self.since_mark())),
        "TUPLE1": lambda self: self._tuple(1),
        "TUPLE2": lambda self: self._tuple(2),
        "TUPLE3": lambda self: self._tuple(3),
        "DICT": lambda self: self.stack.append(entries(self.since_mark())),
        "FROZENSET": lambda self: self.stack.append(Inert("frozenset", self.since_mark())),
        "ADDITEMS": lambda self: self.since_mark().clear(),
        "APPEND": lambda self: self._append([self.pop()]),
        "APPENDS": lambda self: self._append(self.since_mark()),
        "SETITEM": lambda self: self._set([self.pop(), self.pop()][::-1]),
        "SETITEMS": lambda self: self._set(self.since_mark()),
        "STACK_GLOBAL": lambda self: self._name(),
        "REDUCE": lambda self: self._call(),
        "NEWOBJ": lambda self: self._call(),
        "NEWOBJ_EX": lambda self: self._object_with_keywords(),
        "OBJ": lambda self: self._object(),
        "BUILD": lambda self: self._build(),
        "BINPERSID": lambda self: self.stack.append(self.persistent(self.pop())),
    }


def _short(number: int) -> int:
    if not 0 <= number < 1 << 32:
        raise ValueError(f"it has a place of {len(bin(number)) - 2} bits in its memory")
    return number


def entries(items: list[Any]) -> dict[str | int, Any]:
    """Keys and values in turn, as a dictionary of those keys that cost nothing to look up.

    Numbers can be chosen so that every look-up in a dictionary takes long; short ones cannot.
    """
    pairs = zip(items[::2], items[1::2], strict=True)
    return {
        key: value
        for key, value in pairs
        if type(key) is str or (type(key) is int and abs(key) < 1 << 32)
    }

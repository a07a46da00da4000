"""The small grammar that writes every sentence nano learns from, and every question it is asked.

A document is a line of plain English in which square brackets mark the words that have one right
answer:

    Mike is quick. He[ moves][ quickly]. Who is quick?[ Mike].

Training reads the marks as what matters most; the evaluation cuts the text at a mark and asks for
the word. So both come from one sentence, written once.

Where a family combines two lists (a name and an adjective, an object and a colour), some of the
combinations are held out: training never shows them, and the evaluation asks for them separately.
"Mike is quick" is one of those.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")
Row = TypeVar("Row")
Column = TypeVar("Column")

# ---------------------------------------------------------------------------------------- words


class Person(NamedTuple):
    """Somebody in the stories; the habit is the verb that usually follows the pronoun."""

    name: str
    pronoun: str
    habit: str


PEOPLE = (
    Person("Mike", "He", "moves"),
    Person("Sara", "She", "speaks"),
    Person("Tom", "He", "works"),
    Person("Anna", "She", "sings"),
    Person("Ben", "He", "runs"),
    Person("Emma", "She", "reads"),
    Person("Sam", "He", "plays"),
    Person("Lucy", "She", "writes"),
    Person("Paul", "He", "cooks"),
    Person("Mary", "She", "walks"),
    Person("Jack", "He", "answers"),
    Person("Kate", "She", "dances"),
)

ADVERB = {
    "quick": "quickly",
    "quiet": "quietly",
    "slow": "slowly",
    "happy": "happily",
    "careful": "carefully",
    "loud": "loudly",
    "gentle": "gently",
    "brave": "bravely",
    "calm": "calmly",
    "proud": "proudly",
    "sad": "sadly",
    "polite": "politely",
}


class Verb(NamedTuple):
    """One verb in the three forms of the sentences about today, yesterday and tomorrow."""

    today: str
    yesterday: str
    tomorrow: str


VERBS = (
    Verb("moves", "moved", "move"),
    Verb("speaks", "spoke", "speak"),
    Verb("works", "worked", "work"),
    Verb("sings", "sang", "sing"),
    Verb("runs", "ran", "run"),
    Verb("reads", "read", "read"),
    Verb("plays", "played", "play"),
    Verb("writes", "wrote", "write"),
    Verb("cooks", "cooked", "cook"),
    Verb("walks", "walked", "walk"),
    Verb("answers", "answered", "answer"),
    Verb("dances", "danced", "dance"),
)

THINGS = ("hat", "ball", "cup", "car", "book", "boat", "door", "lamp", "kite", "shoe")
COLOURS = ("red", "blue", "green", "yellow", "black", "white", "pink", "brown")

COLOUR_OF = {
    "snow": "white",
    "grass": "green",
    "coal": "black",
    "milk": "white",
    "chocolate": "brown",
    "the sky": "blue",
    "the sun": "yellow",
    "a tomato": "red",
    "a banana": "yellow",
    "a frog": "green",
}

CAPITAL = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Germany": "Berlin",
    "Japan": "Tokyo",
    "China": "Beijing",
    "Korea": "Seoul",
    "India": "Delhi",
    "Egypt": "Cairo",
    "Greece": "Athens",
    "Norway": "Oslo",
    "Poland": "Warsaw",
    "Austria": "Vienna",
    "Russia": "Moscow",
    "Portugal": "Lisbon",
    "Ireland": "Dublin",
    "England": "London",
    "Peru": "Lima",
    "Canada": "Ottawa",
    "Finland": "Helsinki",
}

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SEASONS = ("spring", "summer", "autumn", "winter")

OPPOSITES = (
    ("big", "small"), ("hot", "cold"), ("up", "down"), ("day", "night"), ("old", "new"),
    ("happy", "sad"), ("long", "short"), ("light", "dark"), ("wet", "dry"), ("left", "right"),
    ("high", "low"), ("loud", "quiet"), ("black", "white"), ("early", "late"), ("full", "empty"),
    ("hard", "soft"), ("quick", "slow"), ("open", "closed"), ("good", "bad"), ("yes", "no"),
)  # fmt: skip

SOUND = {
    "cat": "meow",
    "dog": "woof",
    "cow": "moo",
    "duck": "quack",
    "sheep": "baa",
    "pig": "oink",
    "bee": "buzz",
    "lion": "roar",
    "mouse": "squeak",
    "owl": "hoot",
    "hen": "cluck",
    "horse": "neigh",
}

YOUNG = {
    "cat": "kitten",
    "dog": "puppy",
    "cow": "calf",
    "duck": "duckling",
    "sheep": "lamb",
    "pig": "piglet",
    "lion": "cub",
    "hen": "chick",
    "horse": "foal",
}

MANY = {
    "cat": "cats",
    "dog": "dogs",
    "cow": "cows",
    "duck": "ducks",
    "sheep": "sheep",
    "pig": "pigs",
    "bee": "bees",
    "lion": "lions",
    "mouse": "mice",
    "owl": "owls",
    "hen": "hens",
    "horse": "horses",
}

BY_SIZE = (
    "ant", "bee", "mouse", "duck", "cat", "dog", "sheep", "lion", "horse", "elephant", "whale",
)  # fmt: skip

NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip

PARROT_WORDS = THINGS + COLOURS + ("cat", "dog", "duck", "moon", "star", "tree")

ABOUT_ITSELF = (
    ("Who are you?", "I am a small language model."),
    ("Where do you live?", "I live in a spreadsheet."),
    ("What do you do?", "I guess the next word."),
    ("Can you dance?", "No, but Kate can dance."),
)

# ---------------------------------------------------------------------------------- the dice


def is_held_out(row: int, column: int) -> bool:
    """Whether entry `row` of one list and entry `column` of the other never meet in training."""
    return (row + column) % 7 == 0


class Draw:
    """Seeded choices; combinations come from those for training, or only from those held out."""

    def __init__(self, seed: int | str, held_out: bool = False) -> None:
        self.random = random.Random(seed)
        self.held_out = held_out

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def number(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return self.random.randint(low, high)

    def one(self, items: Sequence[Item]) -> Item:
        return self.random.choice(items)

    def either(self, *sentences: str) -> str:
        return self.random.choice(sentences)

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """Different items, in a random order."""
        return self.random.sample(items, count)

    def pairs(
        self, rows: Sequence[Row], columns: Sequence[Column], count: int
    ) -> list[tuple[Row, Column]]:
        """Combinations in which neither a row nor a column comes twice."""
        while True:
            chosen_rows = self.random.sample(range(len(rows)), count)
            chosen_columns = self.random.sample(range(len(columns)), count)
            chosen = list(zip(chosen_rows, chosen_columns, strict=True))
            if all(is_held_out(row, column) == self.held_out for row, column in chosen):
                return [(rows[row], columns[column]) for row, column in chosen]


# ---------------------------------------------------------------------------- people's sentences


def is_(person: Person, adjective: str) -> str:
    return f"{person.name} is {adjective}."


def does(person: Person, adjective: str) -> str:
    return f"{person.pronoun}[ {person.habit}][ {ADVERB[adjective]}]."


def does_anything(draw: Draw, person: Person, adjective: str) -> str:
    """Mostly the person's habit; at times any verb, so that the adverb never hangs on the habit."""
    if draw.chance(0.7):
        return does(person, adjective)
    return f"{person.pronoun} {draw.one(VERBS).today}[ {ADVERB[adjective]}]."


def who_is(person: Person, adjective: str) -> str:
    return f"Who is {adjective}?[ {person.name}]."


def is_it_so(person: Person, adjective: str, asked: str) -> str:
    pronoun = person.pronoun.lower()
    if asked == adjective:
        return f"Is {person.name} {asked}?[ Yes],[ {pronoun}][ is]."
    return f"Is {person.name} {asked}?[ No],[ {pronoun}][ is][ {adjective}]."


def draw_people(draw: Draw, count: int) -> list[tuple[Person, str]]:
    return draw.pairs(PEOPLE, tuple(ADVERB), count)


def draw_a_man_and_a_woman(draw: Draw) -> list[tuple[Person, str]]:
    """Two people whom a pronoun tells apart, in either order."""
    while True:
        people = draw_people(draw, 2)
        if people[0][0].pronoun != people[1][0].pronoun:
            return people


def adverbs(draw: Draw) -> str:
    people = draw_people(draw, draw.number(2, 3))
    return " ".join(f"{is_(*who)} {does_anything(draw, *who)}" for who in people)


def pronouns(draw: Draw) -> str:
    people = draw_a_man_and_a_woman(draw)
    told = [does(*who) for who in draw.some(people, 2)]
    return " ".join([is_(*who) for who in people] + told)


def questions(draw: Draw) -> str:
    people = draw_people(draw, draw.number(2, 3))
    asked = [who_is(*who) for who in draw.some(people, len(people))]
    return " ".join([is_(*who) for who in people] + asked)


def yes_or_no(draw: Draw) -> str:
    people = draw_people(draw, draw.number(1, 2))
    asked = []
    for person, adjective in draw.some(people, len(people)):
        # The tempting wrong question borrows the other person's adjective.
        wrong = [other for _, other in people if other != adjective] or list(ADVERB)
        question = adjective if draw.chance(0.5) else draw.one(wrong)
        asked.append(is_it_so(person, adjective, question))
    return " ".join([is_(*who) for who in people] + asked)


def stories(draw: Draw) -> str:
    people = draw_people(draw, 2)
    told = [f"{is_(*who)} {does_anything(draw, *who)}" for who in people]
    asked = [who_is(*who) for who in draw.some(people, 2)]
    person, adjective = draw.one(people)
    asked[-1:] = draw.one([asked[-1:], [is_it_so(person, adjective, draw.one(people)[1])]])
    return " ".join(told + asked)


def times(draw: Draw) -> str:
    ((person, verb),) = draw.pairs(PEOPLE, VERBS, 1)
    pronoun = person.pronoun.lower()
    sentences = [f"Today {person.name} {verb.today}."]
    sentences += draw.some(
        [f"Yesterday {pronoun}[ {verb.yesterday}].", f"Tomorrow {pronoun} will[ {verb.tomorrow}]."],
        draw.number(1, 2),
    )
    return " ".join(sentences)


# ------------------------------------------------------------------------- things and colours


def remembered_colours(draw: Draw) -> str:
    coloured = draw.pairs(THINGS, COLOURS, draw.number(2, 3))
    told = [f"The {thing} is {colour}." for thing, colour in coloured]
    asked = [
        draw.either(
            f"What colour is the {thing}? The {thing} is[ {colour}].",
            f"Which thing is {colour}? The[ {thing}].",
        )
        for thing, colour in draw.some(coloured, len(coloured))
    ]
    return " ".join(told + asked)


def belongings(draw: Draw) -> str:
    owned = draw.pairs(PEOPLE, THINGS, 2)
    told = [f"{person.name} has the {thing}." for person, thing in owned]
    asked = [
        draw.either(
            f"Who has the {thing}?[ {person.name}].",
            f"What does {person.name} have? The[ {thing}].",
        )
        for person, thing in draw.some(owned, 2)
    ]
    return " ".join(told + asked)


def known_colours(draw: Draw) -> str:
    return " ".join(
        f"What colour is {thing}? It is[ {COLOUR_OF[thing]}]."
        for thing in draw.some(tuple(COLOUR_OF), 2)
    )


def parrot(draw: Draw) -> str:
    words = draw.some(PARROT_WORDS, draw.number(2, 4))
    echo = ",".join(f"[ {word}]" for word in words)
    return f"The parrot hears {', '.join(words)}. The parrot says{echo}[.]"


# ---------------------------------------------------------------------------- facts by heart


def capitals(draw: Draw) -> str:
    sentences = []
    for country in draw.some(tuple(CAPITAL), draw.number(1, 3)):
        city = CAPITAL[country]
        sentences.append(
            draw.either(
                f"The capital of {country} is[ {city}].",
                f"What is the capital of {country}?[ {city}].",
                f"Where is {city}? In[ {country}].",
            )
        )
    return " ".join(sentences)


def calendar(draw: Draw) -> str:
    unit, names = draw.one([("day", DAYS), ("month", MONTHS), ("season", SEASONS)])
    start, count = draw.number(0, len(names) - 1), len(names)
    here, following = names[start], names[(start + 1) % count]
    if unit == "season":
        return draw.either(
            f"After {here} comes[ {following}].",
            f"Before {following} comes[ {here}].",
        )
    if draw.chance(0.5):
        run = [names[(start + step) % count] for step in range(draw.number(3, 5))]
        return f"{run[0]}, {run[1]}," + ",".join(f"[ {name}]" for name in run[2:]) + "."
    return draw.either(
        f"The {unit} after {here} is[ {following}].",
        f"The {unit} before {following} is[ {here}].",
    )


def opposites(draw: Draw) -> str:
    sentences = []
    for pair in draw.some(OPPOSITES, draw.number(1, 2)):
        one, other = draw.some(pair, 2)
        sentences.append(f"The opposite of {one} is[ {other}].")
    return " ".join(sentences)


def sounds(draw: Draw) -> str:
    sentences = []
    for animal in draw.some(tuple(SOUND), draw.number(1, 2)):
        sound = SOUND[animal]
        sentences.append(
            draw.either(
                f"The {animal} says[ {sound}].",
                f"What does the {animal} say? The {animal} says[ {sound}].",
                f"Who says {sound}? The[ {animal}].",
            )
        )
    return " ".join(sentences)


def young_animals(draw: Draw) -> str:
    return " ".join(
        f"A young {animal} is a[ {YOUNG[animal]}]." for animal in draw.some(tuple(YOUNG), 2)
    )


def many_animals(draw: Draw) -> str:
    return " ".join(
        f"One {animal}, {draw.one(NUMBERS[1:])}[ {MANY[animal]}]."
        for animal in draw.some(tuple(MANY), 2)
    )


def itself(draw: Draw) -> str:
    dialogue = draw.some(ABOUT_ITSELF, draw.number(1, 2))
    greeting = "Hello! " if draw.chance(0.3) else ""
    return greeting + " ".join(
        question + "".join(f"[{word}]" for word in re.findall(r" \w+|[.,]", " " + answer))
        for question, answer in dialogue
    )


# -------------------------------------------------------------------------------- numbers


def size_is_held_out(small: int, large: int) -> bool:
    """Only animals at least three ranks apart: what lies between them gives the order away."""
    return large - small >= 3 and (small + large) % 5 == 0


def sizes(draw: Draw) -> str:
    while True:
        small, large = sorted(draw.some(range(len(BY_SIZE)), 2))
        if size_is_held_out(small, large) == draw.held_out:
            break
    one, other = draw.some([BY_SIZE[small], BY_SIZE[large]], 2)
    word, answer = draw.one([("bigger", BY_SIZE[large]), ("smaller", BY_SIZE[small])])
    return f"Which is {word}, the {one} or the {other}? The[ {answer}]."


def count(draw: Draw) -> str:
    numbers = NUMBERS if draw.chance(0.4) else [str(number) for number in range(1, 21)]
    step = draw.one([1, 1, 2]) if len(numbers) == 20 else 1
    length = draw.number(3, 6)
    start = draw.number(0, len(numbers) - 1 - step * (length - 1))
    run = list(numbers[start : start + step * length : step])
    if draw.chance(0.4):
        run.reverse()
    first = run[0].capitalize()
    return f"{first}, {run[1]}," + ",".join(f"[ {number}]" for number in run[2:]) + "."


def sums(draw: Draw) -> str:
    sentences = []
    for _ in range(draw.number(1, 3)):
        one, other = draw.number(0, 10), draw.number(0, 10)
        sentences.append(f"{one} + {other} =[ {one + other}].")
    return " ".join(sentences)


def differences(draw: Draw) -> str:
    sentences = []
    for _ in range(draw.number(1, 3)):
        rest, taken = draw.number(0, 10), draw.number(0, 10)
        sentences.append(f"{rest + taken} - {taken} =[ {rest}].")
    return " ".join(sentences)


# ------------------------------------------------------------------------------- families


@dataclass(frozen=True)
class Family:
    """One kind of document: how it is written, and how large its share of the training is."""

    name: str
    write: Callable[[Draw], str]
    share: float
    held_out: str = ""  # which combinations training never shows; empty: all are shown


FAMILIES = (
    Family("adverbs", adverbs, 2, "name × adjective"),
    Family("pronouns", pronouns, 4, "name × adjective"),
    Family("questions", questions, 5, "name × adjective"),
    Family("yes or no", yes_or_no, 3.5, "name × adjective"),
    Family("stories", stories, 3, "name × adjective"),
    Family("times", times, 1, "name × verb"),
    Family("remembered colours", remembered_colours, 6, "thing × colour"),
    Family("belongings", belongings, 4, "name × thing"),
    Family("parrot", parrot, 1),
    Family("known colours", known_colours, 0.5),
    Family("capitals", capitals, 1.5),
    Family("calendar", calendar, 2.5),
    Family("opposites", opposites, 1),
    Family("sounds", sounds, 1),
    Family("young animals", young_animals, 0.5),
    Family("many animals", many_animals, 0.5),
    Family("sizes", sizes, 1.5, "animal × animal"),
    Family("counting", count, 1.5),
    Family("sums", sums, 2),
    Family("differences", differences, 2),
    Family("itself", itself, 0.5),
)


def training_documents(seed: int | str) -> Iterator[str]:
    """Documents with their marks, without end; nothing that is held out appears in them."""
    draw = Draw(seed)
    shares = [family.share for family in FAMILIES]
    while True:
        (family,) = draw.random.choices(FAMILIES, shares)
        yield family.write(draw)


# ------------------------------------------------------------------------- reading the marks


class Piece(NamedTuple):
    """A stretch of a document, and whether it is a marked word (one right answer)."""

    text: str
    marked: bool


def pieces(document: str) -> list[Piece]:
    """A document cut at its marks: "He[ moves]." -> "He", " moves" (marked), "."."""
    stretches = re.split(r"\[(.*?)\]", document)
    return [Piece(text, index % 2 == 1) for index, text in enumerate(stretches) if text]


def plain(document: str) -> str:
    """A document as a reader sees it, without its marks."""
    return "".join(piece.text for piece in pieces(document))


def documents_for_vocabulary(of_each: int) -> list[str]:
    """As many documents of each family, without marks: a vocabulary is learned from them."""
    texts = []
    for family in FAMILIES:
        draw = Draw(f"vocabulary of {family.name}")
        texts += [plain(family.write(draw)) for _ in range(of_each)]
    return texts


class Question(NamedTuple):
    """The beginning of a document, and the word that must come next."""

    prompt: str
    answer: str


def questions_in(document: str) -> list[Question]:
    """One question for each mark of a document."""
    found, so_far = [], ""
    for text, marked in pieces(document):
        if marked:
            found.append(Question(so_far, text))
        so_far += text
    return found


def evaluation_set(family: Family, held_out: bool = False, documents: int = 120) -> list[Question]:
    """Different questions of one family, always the same ones; answers from its documents."""
    draw = Draw(f"evaluation of {family.name}", held_out)
    asked = (q for _ in range(documents) for q in questions_in(family.write(draw)))
    return list(dict.fromkeys(asked))


# Prompts that documents, tests and teachers show, and the word that must come next.
SHOWCASE = (
    Question("Mike is quick. He moves", " quickly"),
    Question("Mike is quick. Sara is quiet. She speaks", " quietly"),
    Question("Mike is quick. Sara is quiet. Who is quiet?", " Sara"),
    Question("Mike is quick. Is Mike slow?", " No"),
    Question("The hat is red. The ball is blue. What colour is the hat? The hat is", " red"),
    Question("The capital of France is", " Paris"),
    Question("Monday, Tuesday,", " Wednesday"),
    Question("The opposite of hot is", " cold"),
    Question("The cat says", " meow"),
    Question("One, two, three,", " four"),
    Question("2 + 3 =", " 5"),
    Question("Who are you? I am a small language", " model"),
)

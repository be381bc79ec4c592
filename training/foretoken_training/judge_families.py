"""Families of questions, each with right answers in several wordings. A `Slot` is a value, and other values that would be wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Callable


@dataclass(frozen=True)
class Slot:
    value: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    question: str
    """Each is a text in parts."""
    answers: list[tuple[str | Slot, ...]]


NAMES = ["Emma", "Jack", "Olivia", "Harry", "Sophie", "Peter", "Clara", "David", "Julia", "Simon", "Helen", "Oscar"]
THINGS = ["marbles", "pencils", "oranges", "stickers", "tickets", "buttons", "cookies", "flowers", "keys", "boxes"]
WORDS = (
    "moon tree fish road milk glass chair bird rain shoe lake cake wall bell rope leaf sand coat boat desk fork nest wheel"
).split()
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = (
    "January February March April May June July August September October November December"
).split()
CAPITALS = dict(
    pair.split(":")
    for pair in (
        "France:Paris Italy:Rome Spain:Madrid Germany:Berlin Portugal:Lisbon Greece:Athens Austria:Vienna Norway:Oslo "
        "Sweden:Stockholm Finland:Helsinki Denmark:Copenhagen Poland:Warsaw Hungary:Budapest Ireland:Dublin Belgium:Brussels "
        "Japan:Tokyo China:Beijing India:Delhi Russia:Moscow Turkey:Ankara Egypt:Cairo Kenya:Nairobi Cuba:Havana Peru:Lima "
        "Canada:Ottawa Chile:Santiago Iran:Tehran Iraq:Baghdad Thailand:Bangkok Australia:Canberra"
    ).split()
)
OPPOSITES = dict(
    pair.split(":")
    for pair in (
        "hot:cold big:small fast:slow old:young light:dark wet:dry full:empty rich:poor hard:soft early:late high:low "
        "long:short strong:weak happy:sad open:closed clean:dirty loud:quiet thick:thin near:far deep:shallow"
    ).split()
)
YOUNG = dict(
    pair.split(":")
    for pair in "dog:puppy cat:kitten cow:calf horse:foal sheep:lamb pig:piglet duck:duckling bear:cub deer:fawn goat:kid hen:chick".split()
)
LEGS = {"spider": 8, "dog": 4, "bird": 2, "ant": 6, "cat": 4, "bee": 6, "horse": 4, "chicken": 2, "fly": 6, "cow": 4}
UNITS = [
    ("hours", "minutes", 60),
    ("weeks", "days", 7),
    ("meters", "centimeters", 100),
    ("kilometers", "meters", 1000),
    ("years", "months", 12),
    ("minutes", "seconds", 60),
    ("feet", "inches", 12),
    ("days", "hours", 24),
    ("yards", "feet", 3),
    ("pounds", "ounces", 16),
]


def number(value: int) -> Slot:
    """Others are as long as the value, as slips of calculation are."""
    near = {value + step for step in (-20, -10, -9, -7, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 7, 9, 10, 20)}
    return Slot(str(value), tuple(str(other) for other in sorted(near) if other > 0 and len(str(other)) == len(str(value))))


def among(value: str, values: list[str]) -> Slot:
    return Slot(value, tuple(other for other in values if other != value))


def two_steps(random: Random) -> Example:
    name, things = random.choice(NAMES), random.choice(THINGS)
    a, b = random.randint(5, 60), random.randint(2, 30)
    c = random.randint(1, a)
    plus, minus = among("+", ["-", "x"]), among("-", ["+", "x"])
    total, rest = number(a + b), number(a + b - c)
    pronoun = random.choice(["finds", "buys", "gets"])
    return Example(
        f"{name} has {a} {things}, {pronoun} {b} more and loses {c}. How many {things} does {name} have now?",
        [
            (f"{a} ", plus, f" {b} = ", total, " and ", total, " ", minus, f" {c} = ", rest, f". {name} has ", rest, f" {things}."),
            (f"First {name} has {a} + ", number(b), " = ", total, f" {things}. Then {c} are lost, and ", rest, " are left."),
            (f"{name} now has ", rest, f" {things}, because {a} + {b} is ", total, f" and ", total, f" - {c} is ", rest, "."),
        ],
    )


def conversions(random: Random) -> Example:
    large, small, factor = random.choice(UNITS)
    n = random.randint(2, 15)
    result, units = number(n * factor), [unit for names in UNITS for unit in names[:2]]
    return Example(
        f"How many {small} are there in {n} {large}?",
        [
            (f"{n} {large} are {n} x ", number(factor), " = ", result, " ", among(small, units), "."),
            ("There are ", result, " ", among(small, units), f" in {n} {large}."),
            (f"Each of the {n} {large} has ", number(factor), " ", among(small, units), ", which makes ", result, "."),
        ],
    )


def weekdays(random: Random) -> Example:
    start, days = random.randrange(7), random.randint(1, 6)
    today, then = DAYS[start], among(DAYS[(start + days) % 7], DAYS)
    plural = "day" if days == 1 else "days"
    return Example(
        f"Today is {today}. What day is it in {days} {plural}?",
        [
            (f"In {days} {plural} it is ", then, "."),
            (f"If today is {today}, then it will be ", then, f" in {days} {plural}."),
            (then, f" comes {days} {plural} after {today}."),
        ],
    )


def months(random: Random) -> Example:
    at = random.randrange(12)
    month, following, before = MONTHS[at], MONTHS[(at + 1) % 12], MONTHS[at - 1]
    return Example(
        f"Which months come before and after {month}?",
        [
            (among(before, MONTHS), f" comes before {month}, and ", among(following, MONTHS), f" comes after it."),
            (f"Before {month} comes ", among(before, MONTHS), " and after it comes ", among(following, MONTHS), "."),
            (f"{month} lies between ", among(before, MONTHS), " and ", among(following, MONTHS), "."),
        ],
    )


def capitals(random: Random) -> Example:
    country = random.choice(sorted(CAPITALS))
    city, countries = among(CAPITALS[country], sorted(CAPITALS.values())), sorted(CAPITALS)
    return Example(
        f"What is the capital of {country}?",
        [
            ("The capital of ", among(country, countries), " is ", city, "."),
            (city, " is the capital of ", among(country, countries), "."),
            ("It is ", city, ", the largest seat of government of ", among(country, countries), "."),
        ],
    )


def opposites(random: Random) -> Example:
    word = random.choice(sorted(OPPOSITES))
    other, words = OPPOSITES[word], sorted({*OPPOSITES, *OPPOSITES.values()})
    return Example(
        f"What is the opposite of {word}?",
        [
            ("The opposite of ", among(word, words), " is ", among(other, words), "."),
            (among(other, words), " is the opposite of ", among(word, words), "."),
            ("Something that is not ", among(word, words), " at all is ", among(other, words), "."),
        ],
    )


def animals(random: Random) -> Example:
    animal, young = random.choice(sorted(YOUNG.items()))
    animals, babies = sorted(YOUNG), sorted(YOUNG.values())
    return Example(
        f"What is a young {animal} called?",
        [
            ("A young ", among(animal, animals), " is called a ", among(young, babies), "."),
            ("It is called a ", among(young, babies), "."),
            ("People call a baby ", among(animal, animals), " a ", among(young, babies), "."),
        ],
    )


def legs(random: Random) -> Example:
    animal = random.choice(sorted(LEGS))
    count = random.randint(2, 9)
    each, total = LEGS[animal], LEGS[animal] * count
    others = tuple(str(n) for n in (2, 3, 4, 5, 6, 7, 8) if n != each)
    return Example(
        f"How many legs do {count} of these animals have together: {animal}?",
        [
            ("One ", among(animal, sorted(LEGS)), " has ", Slot(str(each), others), f" legs, so {count} have ", number(total), "."),
            ("Together they have ", number(total), f" legs: {count} times ", Slot(str(each), others), "."),
            (f"{count} x ", Slot(str(each), others), " = ", number(total), " legs."),
        ],
    )


def comparisons(random: Random) -> Example:
    first, second = random.sample(NAMES, 2)
    a, b = random.sample(range(4, 90), 2)
    things = random.choice(THINGS)
    more, less = (first, second) if a > b else (second, first)
    names = [first, second]
    return Example(
        f"{first} has {a} {things} and {second} has {b}. Who has more?",
        [
            (among(more, names), " has ", among("more", ["fewer", "less"]), f" {things} than ", among(less, names), "."),
            (f"{max(a, b)} is ", among("more", ["less", "smaller"]), f" than {min(a, b)}, so it is ", among(more, names), "."),
            (f"{first} has ", number(a), f" and {second} has ", number(b), ", so ", among(more, names), " has more."),
        ],
    )


def reading(random: Random) -> Example:
    """The answer stands in the question, among others that are wrong: what drafts copied from a prompt are like."""
    people = random.sample(NAMES, 3)
    cities = random.sample(sorted(CAPITALS.values()), 3)
    things = random.sample(THINGS, 3)
    counts = random.sample(range(3, 60), 3)
    pick = random.randrange(3)
    name, city, thing, count = people[pick], cities[pick], things[pick], counts[pick]
    text = " ".join(f"{p} lives in {c} and sells {n} {t}." for p, c, n, t in zip(people, cities, counts, things))
    amounts = Slot(str(count), tuple(str(n) for n in counts if n != count))
    return Example(
        f"{text} Where does {name} live, and what does {name} sell?",
        [
            (among(name, people), " lives in ", among(city, cities), " and sells ", amounts, " ", among(thing, things), "."),
            (among(city, cities), " is where ", among(name, people), " lives, selling ", amounts, " ", among(thing, things), "."),
            ("In ", among(city, cities), ", ", among(name, people), " sells ", amounts, " ", among(thing, things), "."),
        ],
    )


def orders(random: Random) -> Example:
    """A list in its order, in several formats; a wrong item is another one of the list, or one that was there."""
    words = random.sample(WORDS, random.randint(4, 6))
    items = [among(word, words) for word in words]
    joined = [part for item in items for part in (item, ", ")][:-1]
    lines = [part for item in items for part in ("- ", item, "\n")][:-1]
    numbered = [part for at, item in enumerate(items) for part in (Slot(str(at + 1), tuple(str(n) for n in range(1, 9) if n != at + 1)), ". ", item, "\n")][:-1]
    return Example(
        f"Write these words as a list, in this order: {' '.join(words)}",
        [tuple(joined), tuple(lines), tuple(numbered)],
    )


def sorting(random: Random) -> Example:
    numbers = random.sample(range(10, 99), random.randint(3, 5))
    texts = [str(n) for n in numbers]
    ordered = [among(str(n), texts) for n in sorted(numbers)]
    joined = [part for item in ordered for part in (item, ", ")][:-1]
    return Example(
        f"Sort these numbers from small to large: {', '.join(texts)}",
        [
            tuple(joined),
            ("From small to large: ", *joined, "."),
            ("The smallest is ", ordered[0], " and the largest is ", ordered[-1], ". In order: ", *joined, "."),
        ],
    )


FAMILIES: dict[str, Callable[[Random], Example]] = {
    "animals": animals,
    "capitals": capitals,
    "comparisons": comparisons,
    "conversions": conversions,
    "legs": legs,
    "months": months,
    "opposites": opposites,
    "orders": orders,
    "reading": reading,
    "sorting": sorting,
    "two-steps": two_steps,
    "weekdays": weekdays,
}

"""Which of OpenMoji's images differ in nothing but skin tones."""

import re

# Sequences of code points, by https://unicode.org/Public/emoji/latest/emoji-zwj-sequences.txt:
# where two people have skin tones of their own, the sequence spells out both, though without
# tones they are one code point.
TONES = re.compile(r"-1F3F[B-F]")  # the five modifiers
VARIATION = re.compile(r"-FE0F")  # "in colours"; a tone takes its place
MAN, WOMAN, PERSON = "1F468", "1F469", "1F9D1"
HANDS, KISS, HEART = "-200D-1F91D-200D-", "-200D-2764-200D-1F48B-200D-", "-200D-2764-200D-"
BUNNY_EARS, WRESTLING = "-200D-1F430-200D-", "-200D-1FAEF-200D-"
SPELLED_OUT = {
    WOMAN + HANDS + MAN: "1F46B",
    MAN + HANDS + MAN: "1F46C",
    WOMAN + HANDS + WOMAN: "1F46D",
    PERSON + KISS + PERSON: "1F48F",
    PERSON + HEART + PERSON: "1F491",
    PERSON + BUNNY_EARS + PERSON: "1F46F",
    MAN + BUNNY_EARS + MAN: "1F46F-200D-2642",
    WOMAN + BUNNY_EARS + WOMAN: "1F46F-200D-2640",
    PERSON + WRESTLING + PERSON: "1F93C",
    MAN + WRESTLING + MAN: "1F93C-200D-2642",
    WOMAN + WRESTLING + WOMAN: "1F93C-200D-2640",
    "1FAF1-200D-1FAF2": "1F91D",  # two hands: handshake
}


def group_of(name: str) -> str:
    """The image without skin tones that a file's name stands for."""
    plain = VARIATION.sub("", TONES.sub("", name.removesuffix(".svg")))
    return SPELLED_OUT.get(plain, plain)

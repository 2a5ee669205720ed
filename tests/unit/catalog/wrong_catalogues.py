"""A good catalogue's file, and wrong ones that differ from it in one place each."""

from dataclasses import dataclass

from services.catalog.importing.catalogue_yaml import KNOWN_VALUES

KINDS = ("text", "long_text", "email", "phone", "number", "date", "choice", "checkbox")

GOOD = """\
language: fr
shared:
  contact:
    title: Pour vous recontacter
    fields:
      - {key: phone, kind: phone, label: Téléphone, prefill: person.phone}
categories:
  - slug: logiciel
    title: {fr: Logiciel, en: Software}
    about: tout le logiciel
    procedures:
      - slug: anomalie
        title: Anomalie
        description: Signalez un dysfonctionnement.
        minutes: 8
        sections:
          - key: facts
            title: Les faits
            fields:
              - key: happened
                kind: long_text
                label: Ce qui s’est passé
              - key: blocking
                kind: choice
                label: Le travail est-il arrêté ?
                required: false
                choices:
                  - {value: "yes", label: Oui}
                  - {value: no, label: Non}
          - use: contact
  - slug: compte
    title: Votre compte
    procedures:
      - {slug: creation, title: Création, description: Création., minutes: 3, opens: registration}
"""


@dataclass(frozen=True)
class Wrong:
    """A file with one mistake, and what its author is told."""

    text: str
    line: int
    what: str
    mend: str


def but(old: str, new: str) -> str:
    """The good file with one place changed."""
    assert GOOD.count(old) == 1, f"{old!r} stands {GOOD.count(old)} times"
    return GOOD.replace(old, new)


WRONG = {
    "an empty file": Wrong(
        "",
        1,
        "The file is empty.",
        "Begin with `language:`.",
    ),
    "a list": Wrong(
        "- a\n",
        1,
        "The file is no mapping.",
        "Begin with `language:`, then `categories:`.",
    ),
    "a colon in a plain text": Wrong(
        but("description: Signalez", "description: Aide : signalez"),
        14,
        "This is no YAML: mapping values are not allowed here.",
        "Put a text that holds `: ` between quotes, and check the indentation.",
    ),
    "a tab": Wrong(
        but("    about: tout", "\tabout: tout"),
        10,
        "This is no YAML: found character '\\t' that cannot start any token.",
        "Indent with spaces, not with tabs.",
    ),
    "an open quote": Wrong(
        but("tout le logiciel", '"tout le logiciel'),
        28,
        "This is no YAML: expected <block end>, but found '<scalar>'.",
        "Check the indentation and the quotes above this line.",
    ),
    "a control character": Wrong(
        but("tout le", "tout\x07le"),
        10,
        "The character U+0007 can't stand in YAML.",
        "Take it out.",
    ),
    "a tag": Wrong(
        but("minutes: 8", "minutes: !!python/name:os.system 8"),
        15,
        "The tag `tag:yaml.org,2002:python/name:os.system` is not known here.",
        "Take the tag out.",
    ),
    "a key twice": Wrong(
        but("        minutes: 8\n", "        minutes: 8\n        minutes: 9\n"),
        16,
        "`minutes` stands here a second time (first on line 15).",
        "Keep one of the two.",
    ),
    "an alias within its anchor": Wrong(
        but("title: Les faits", "title: &a [*a]"),
        18,
        "An alias stands inside its own anchor.",
        "Take it out.",
    ),
    "a key that is a list": Wrong(
        but("        minutes: 8\n", "        minutes: 8\n        ? [a]\n        : b\n"),
        16,
        "A key must be a word.",
        "Check the brackets.",
    ),
    "no language": Wrong(
        but("language: fr\n", ""),
        1,
        "`language` is missing in the file.",
        "Add `language:`, the language of the texts that are given without one, such as `fr`.",
    ),
    "a wrong language": Wrong(
        but("language: fr", "language: français"),
        1,
        "`français` can't be a name here.",
        "Write a code such as `fr`, `en` or `pt-BR`.",
    ),
    "a text without the file's language": Wrong(
        but("{fr: Logiciel, en: Software}", "{en: Software}"),
        9,
        "The text is not given in `fr`, the file's language.",
        "Add `fr:`.",
    ),
    "a text in no language": Wrong(
        but("{fr: Logiciel, en: Software}", "{fr: Logiciel, English: Software}"),
        9,
        "`English` is no language.",
        "Write a code such as `fr`, `en` or `pt-BR`.",
    ),
    "an empty text": Wrong(
        but("title: Anomalie", 'title: " "'),
        13,
        "The text is empty.",
        "Write it, or take the line out.",
    ),
    "a boolean for a text": Wrong(
        but("title: Anomalie", "title: true"),
        13,
        "This is no text.",
        "Write it in words, between quotes if need be.",
    ),
    "a missing key": Wrong(
        but("        minutes: 8\n", ""),
        12,
        "`minutes` is missing in a procedure.",
        "Add `minutes:`, how long it takes, in whole minutes.",
    ),
    "a misspelt key": Wrong(
        but("        minutes: 8", "        minuts: 8"),
        15,
        "`minuts` is not known in a procedure.",
        "Did you mean `minutes`?",
    ),
    "a key of elsewhere": Wrong(
        but("    about: tout le logiciel", "    colour: blue"),
        10,
        "`colour` is not known in a category.",
        "Known are: slug, title, about, procedures.",
    ),
    "minutes in words": Wrong(
        but("minutes: 8", "minutes: huit"),
        15,
        "`minutes` is no whole number.",
        "Write it in digits, as in `8`.",
    ),
    "no minute at all": Wrong(
        but("minutes: 8", "minutes: 0"),
        15,
        "`minutes` is too small.",
        "Write 1 or more.",
    ),
    "a week": Wrong(
        but("minutes: 8", "minutes: 10080"),
        15,
        "`minutes` is too great.",
        "Write 240 or less.",
    ),
    "an accent in a slug": Wrong(
        but("slug: anomalie", "slug: Anomalie été"),
        12,
        "`Anomalie été` can't be a name here.",
        "Use small letters without accents, digits and single hyphens, as in `ma-demarche`.",
    ),
    "a hyphen in a key": Wrong(
        but("key: happened", "key: what-happened"),
        20,
        "`what-happened` can't be a name here.",
        "Use small letters, digits and underscores, a letter first, 40 at most.",
    ),
    "an unknown kind": Wrong(
        but("kind: long_text", "kind: textarea"),
        21,
        "`kind` can't be `textarea`.",
        f"Use one of: {', '.join(f'`{kind}`' for kind in KINDS[:-1])} or `{KINDS[-1]}`.",
    ),
    "neither true nor false": Wrong(
        but("required: false", "required: peut-être"),
        26,
        "`required` is neither true nor false.",
        "Write `true` or `false`.",
    ),
    "an unknown value to fill in": Wrong(
        but("prefill: person.phone", "prefill: person.mobile"),
        6,
        "Nothing is known as `person.mobile`.",
        f"Use one of: {', '.join(KNOWN_VALUES)}.",
    ),
    "a choice without choices": Wrong(
        but("kind: long_text", "kind: choice"),
        20,
        "`happened` is a choice without choices.",
        "Add `choices:`, a list of `{value: …, label: …}`.",
    ),
    "choices of a text": Wrong(
        but("kind: choice", "kind: text"),
        23,
        "`blocking` is a text, and has choices.",
        "Write `kind: choice`, or take `choices` and `widget` out.",
    ),
    "two choices of one value": Wrong(
        but("value: no", 'value: "yes"'),
        23,
        "Two choices of `blocking` have the value `yes`.",
        "Give each a value of its own.",
    ),
    "bounds of a text": Wrong(
        but("label: Ce qui s’est passé", "label: Ce qui s’est passé\n                minimum: 3"),
        20,
        "`happened` is a long_text, and has bounds of a number.",
        "Write `kind: number`, or take `minimum`, `maximum` and `decimals` out.",
    ),
    "bounds the wrong way round": Wrong(
        but(
            "kind: long_text",
            "kind: number\n                minimum: 3\n                maximum: 2",
        ),
        20,
        "The least that `happened` takes is more than the most.",
        "Exchange `minimum` and `maximum`.",
    ),
    "a form without questions": Wrong(
        but("minutes: 8\n        sections:", "minutes: 8\n        sections: []\n").split(
            "          - key: facts"
        )[0],
        12,
        "`anomalie` opens a form, and has no sections.",
        "Add `sections:`, or write `opens: registration`.",
    ),
    "a registration with questions": Wrong(
        but("minutes: 8\n", "minutes: 8\n        opens: registration\n"),
        12,
        "`anomalie` opens the registration, whose questions are fixed.",
        "Take `sections` out.",
    ),
    "a second registration": Wrong(
        GOOD
        + "      - {slug: autre, title: A, description: A., minutes: 3, opens: registration}\n",
        35,
        "A second procedure opens the registration.",
        "Keep the one on line 34.",
    ),
    "two categories of one name": Wrong(
        but("slug: compte", "slug: logiciel"),
        31,
        "Two categories are called `logiciel` (the first on line 8).",
        "Give one of them another name.",
    ),
    "two procedures of one name": Wrong(
        but("slug: creation", "slug: anomalie"),
        34,
        "Two procedures are called `anomalie` (the first on line 12).",
        "Give one of them another name.",
    ),
    "two fields of one name": Wrong(
        but("key: blocking", "key: happened"),
        23,
        "Two fields of a form are called `happened` (the first on line 20).",
        "Give one of them another name.",
    ),
    "a field of a shared section's name": Wrong(
        but("key: happened", "key: phone"),
        30,
        "Two fields of a form are called `phone` (the first on line 20).",
        "Give one of them another name.",
    ),
    "a shared section used twice": Wrong(
        but("          - use: contact\n", "          - use: contact\n          - use: contact\n"),
        31,
        "Two sections of a form are called `contact` (the first on line 30).",
        "Give one of them another name.",
    ),
    "a shared section that is not there": Wrong(
        but("- use: contact", "- use: contacts"),
        30,
        "No shared section is called `contacts`.",
        "There are: `contact`.",
    ),
    "a section that is a word": Wrong(
        but("- use: contact", "- contact"),
        30,
        "This is not a section.",
        "Write its keys and values, as in `title: …`.",
    ),
    "a category without procedures": Wrong(
        GOOD.replace("procedures:\n      - {slug: creation", "procedures: []\n#"),
        33,
        "`procedures` is empty.",
        "Fill it, or take out what it belongs to.",
    ),
    "sections without a list": Wrong(
        but("sections:\n          - key: facts", "sections:\n            key: facts").split(
            "            title: Les"
        )[0],
        16,
        "`sections` is no list.",
        "Begin each of its lines with `- `.",
    ),
    "shared sections as a list": Wrong(
        "language: fr\nshared: [contact]\ncategories: []\n",
        2,
        "`shared` is no mapping.",
        "Write a name for each shared section, as in `contact:`.",
    ),
    "a shared section of a wrong name": Wrong(
        "language: fr\nshared:\n  Contact: {title: a, fields: [{key: a, kind: text, label: a}]}\n"
        "categories: []\n",
        3,
        "`Contact` can't be a name here.",
        "Use small letters, digits and underscores, a letter first, 40 at most.",
    ),
    "too long a choice": Wrong(
        but("value: no", f"value: {'n' * 101}"),
        29,
        "`value` is too long.",
        "Use 100 characters at most.",
    ),
}

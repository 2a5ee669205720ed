"""A good catalogue's file, and wrong ones that differ from it in one place each."""

from dataclasses import dataclass
from typing import get_args

from services.catalog.domain.catalogue import Icon
from services.catalog.importing.question_yaml import KNOWN_VALUES

ICONS: tuple[str, ...] = get_args(Icon)

KINDS = (
    "text",
    "long_text",
    "email",
    "phone",
    "number",
    "date",
    "time",
    "choice",
    "choices",
    "yes_no",
    "address",
    "file",
    "checkbox",
)

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


RICH = """\
language: fr
languages: [fr, en]
categories:
  - slug: materiel
    title: {fr: Matériel, en: Hardware}
    procedures:
      - slug: panne
        title: Panne
        description: Signalez une panne.
        minutes: 5
        pages:
          - {title: La panne, sections: [trouble]}
          - sections: [devices, contact]
        sections:
          - key: trouble
            title: La panne
            fields:
              - key: affected
                kind: choices
                label: Ce qui ne fonctionne pas
                choices: [{value: screen, label: L’écran}, {value: battery, label: La batterie}]
              - {key: blocked, kind: yes_no, label: Êtes-vous bloqué}
              - key: since
                kind: date
                label: Depuis quand ?
                latest: today
                shown_when: {field: blocked, is: yes}
              - key: call_at
                kind: time
                label: À quelle heure ?
                earliest: 08:00
                latest: 18:30
                shown_when:
                  - {field: blocked, is: yes}
                  - {field: since, answered: true}
              - {key: shots, kind: file, label: Captures, required: false, max_files: 3}
          - key: devices
            title: Les appareils
            shown_when: {field: affected, is_not: battery}
            repeats: {min: 1, max: 5, entry: Appareil, add: Ajouter un appareil}
            fields:
              - key: serial
                kind: text
                label: Numéro de série
                min_length: 4
                max_length: 20
                pattern: '[A-Z]{2}-\\d+'
                pattern_words: Indiquez deux capitales, un tiret et des chiffres.
                help: Il se trouve sous la batterie.
          - key: contact
            title: Où se trouve-t-il ?
            fields:
              - {key: site, kind: address, label: Adresse, prefill: organisation.address}
              - {key: told, kind: checkbox, label: Le service est prévenu, required: false}
"""


@dataclass(frozen=True)
class Wrong:
    """A file with one mistake, and what its author is told."""

    text: str
    line: int
    what: str
    mend: str


def listed(names: tuple[str, ...]) -> str:
    """The names as they are told: `a`, `b` or `c`."""
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} or {last}"


def but(old: str, new: str) -> str:
    """The good file with one place changed."""
    assert GOOD.count(old) == 1, f"{old!r} stands {GOOD.count(old)} times"
    return GOOD.replace(old, new)


def rich(old: str, new: str) -> str:
    """The file that uses all there is, with one place changed."""
    assert RICH.count(old) == 1, f"{old!r} stands {RICH.count(old)} times"
    return RICH.replace(old, new)


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
    "a drawing that is not there": Wrong(
        but("    about: tout", "    icon: unicorn\n    about: tout"),
        10,
        "`icon` can't be `unicorn`.",
        f"Use one of: {listed(ICONS)}.",
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
        "Known are: slug, title, about, icon, procedures.",
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
    "a language that the file does not speak": Wrong(
        rich("languages: [fr, en]", "languages: [en]"),
        1,
        "`fr`, the file's language, is not among `languages`.",
        "Add it.",
    ),
    "languages in words": Wrong(
        rich("languages: [fr, en]", "languages: [fr, anglais]"),
        2,
        "`anglais` can't be a name here.",
        "Write a code such as `fr`, `en` or `pt-BR`.",
    ),
    "languages without a list": Wrong(
        rich("languages: [fr, en]", "languages: fr"),
        2,
        "`languages` is no list.",
        "Begin each of its lines with `- `.",
    ),
    "several choices without choices": Wrong(
        rich(
            "choices: [{value: screen, label: L’écran}, {value: battery, label: La batterie}]",
            "required: true",
        ),
        18,
        "`affected` lets choose several, and has no choices.",
        "Add `choices:`, a list of `{value: …, label: …}`.",
    ),
    "several choices in a select": Wrong(
        rich("kind: choices", "kind: choices\n                widget: select"),
        18,
        "`affected` lets choose several, which is always drawn as boxes.",
        "Take `widget` out.",
    ),
    "a pattern of a date": Wrong(
        rich("latest: today", "latest: today\n                pattern: a"),
        23,
        "`since` is a date, and has `pattern`.",
        "Write `kind: text`, or take `pattern` out.",
    ),
    "a day of a text": Wrong(
        rich("min_length: 4", "earliest: today"),
        42,
        "`serial` is a text, and has `earliest`.",
        "Write `kind: date` or `kind: time`, or take `earliest` out.",
    ),
    "files of a box": Wrong(
        rich("prévenu, required: false", "prévenu, max_files: 2"),
        54,
        "`told` is a checkbox, and has `max_files`.",
        "Write `kind: file`, or take `max_files` out.",
    ),
    "a length of an address": Wrong(
        rich("prefill: organisation.address", "max_length: 9"),
        53,
        "`site` is an address, and has `max_length`.",
        "Write `kind: text` or `kind: long_text` or `kind: email` or `kind: phone`, "
        "or take `max_length` out.",
    ),
    "lengths the wrong way round": Wrong(
        rich("min_length: 4", "min_length: 40"),
        42,
        "The shortest that `serial` takes is longer than the longest.",
        "Exchange `min_length` and `max_length`.",
    ),
    "no length at all": Wrong(
        rich("min_length: 4", "min_length: 0"),
        45,
        "`min_length` is too small.",
        "Write 1 or more.",
    ),
    "a pattern that is not closed": Wrong(
        rich("'[A-Z]{2}-\\d+'", "'([A-Z]{2}'"),
        42,
        "The pattern of `serial` can't be read. A `(` is not closed.",
        "Use letters, `[a-z]`, `\\d`, `( )`, `|`, `?`, `*`, `+` and `{2,5}`.",
    ),
    "a pattern of another dialect": Wrong(
        rich("'[A-Z]{2}-\\d+'", "'^[A-Z]+$'"),
        42,
        "The pattern of `serial` can't be read. "
        "`^` stands where it means nothing; write `\\^` for itself.",
        "Use letters, `[a-z]`, `\\d`, `( )`, `|`, `?`, `*`, `+` and `{2,5}`.",
    ),
    "a pattern that repeats without measure": Wrong(
        rich("'[A-Z]{2}-\\d+'", "'((a{99}){99}){99}'"),
        42,
        "The pattern of `serial` can't be read. It repeats too much.",
        "Use letters, `[a-z]`, `\\d`, `( )`, `|`, `?`, `*`, `+` and `{2,5}`.",
    ),
    "a pattern without words": Wrong(
        rich("pattern_words: Indiquez deux capitales, un tiret et des chiffres.", "required: true"),
        42,
        "`serial` has a pattern, and no words for who misses it.",
        "Add `pattern_words:`, what to do, with an example.",
    ),
    "words without a pattern": Wrong(
        rich("pattern: '[A-Z]{2}-\\d+'", "required: true"),
        42,
        "`serial` has words for a pattern, and no pattern.",
        "Add `pattern:`, or take `pattern_words` out.",
    ),
    "a date as one writes it": Wrong(
        rich("latest: today", "latest: 05/04/2018"),
        23,
        "`latest` of `since` is no date: `05/04/2018`.",
        "Write it as 2018-04-05, or `today`.",
    ),
    "a day that is none": Wrong(
        rich("latest: today", "latest: 2018-02-30"),
        23,
        "`latest` of `since` is no date: `2018-02-30`.",
        "Write it as 2018-04-05, or `today`.",
    ),
    "an hour alone": Wrong(
        rich("earliest: 08:00", "earliest: 8h"),
        28,
        "`earliest` of `call_at` is no time: `8h`.",
        "Write it as 08:30.",
    ),
    "a time that is none": Wrong(
        rich("latest: 18:30", "latest: 25:00"),
        28,
        "`latest` of `call_at` is no time: `25:00`.",
        "Write it as 08:30.",
    ),
    "times the wrong way round": Wrong(
        rich("latest: 18:30", "latest: 07:30"),
        28,
        "The earliest that `call_at` takes is later than the latest.",
        "Exchange `earliest` and `latest`.",
    ),
    "no file at all": Wrong(
        rich("max_files: 3", "max_files: 0"),
        36,
        "`max_files` is too small.",
        "Write 1 or more.",
    ),
    "a hundred files": Wrong(
        rich("max_files: 3", "max_files: 100"),
        36,
        "`max_files` is too great.",
        "Write 10 or less.",
    ),
    "an address filled in with a name": Wrong(
        rich("organisation.address", "organisation.name"),
        53,
        "`site` is an address, and is filled in with `organisation.name`.",
        "Only addresses are filled in with `organisation.address`, and with nothing else.",
    ),
    "a text filled in with an address": Wrong(
        rich("min_length: 4", "prefill: organisation.address"),
        42,
        "`serial` is a text, and is filled in with `organisation.address`.",
        "Only addresses are filled in with `organisation.address`, and with nothing else.",
    ),
    "a condition that says nothing": Wrong(
        rich("{field: since, answered: true}", "{field: since}"),
        35,
        "The condition on `since` says nothing.",
        "Write one of `is`, `is_not` and `answered`.",
    ),
    "a condition that says two things": Wrong(
        rich(
            "{field: affected, is_not: battery}", "{field: affected, is_not: battery, is: screen}"
        ),
        39,
        "The condition on `affected` says two things.",
        "Write one of `is`, `is_not` and `answered`.",
    ),
    "a condition without a field": Wrong(
        rich("{field: since, answered: true}", "{answered: true}"),
        35,
        "`field` is missing in a condition.",
        "Add `field:`, the key of a question that is asked before.",
    ),
    "a condition with a key of its own": Wrong(
        rich("{field: since, answered: true}", "{field: since, equals: a}"),
        35,
        "`equals` is not known in a condition.",
        "Known are: field, is, is_not, answered.",
    ),
    "a condition that is a word": Wrong(
        rich("shown_when: {field: affected, is_not: battery}", "shown_when: affected"),
        39,
        "`shown_when` is no list.",
        "Begin each of its lines with `- `.",
    ),
    "answered by neither true nor false": Wrong(
        rich("answered: true", "answered: maybe"),
        35,
        "`answered` is neither true nor false.",
        "Write `true` or `false`.",
    ),
    "a condition on nothing": Wrong(
        rich("{field: since, answered: true}", "{field: sins, answered: true}"),
        35,
        "No question of this form is called `sins`.",
        "Did you mean `since`?",
    ),
    "a condition on nothing like it": Wrong(
        rich("{field: since, answered: true}", "{field: weather, answered: true}"),
        35,
        "No question of this form is called `weather`.",
        "Name one that is asked before.",
    ),
    "a condition on a later question": Wrong(
        rich("{field: since, answered: true}", "{field: site, answered: true}"),
        35,
        "`site` is not asked before what depends on it.",
        "Put it further up, or name a question that stands before.",
    ),
    "a condition on itself": Wrong(
        rich("shown_when: {field: blocked, is: yes}", "shown_when: {field: since, answered: true}"),
        27,
        "`since` is not asked before what depends on it.",
        "Put it further up, or name a question that stands before.",
    ),
    "a condition on one of many entries": Wrong(
        rich(
            "prévenu, required: false}",
            "prévenu, required: false, shown_when: {field: serial, answered: true}}",
        ),
        54,
        "`serial` is asked once for each entry, and can't decide outside of it.",
        "Name a question that is asked once.",
    ),
    "a condition on files": Wrong(
        rich("{field: affected, is_not: battery}", "{field: shots, answered: true}"),
        39,
        "`shots` takes files, on which nothing can depend.",
        "Name another question.",
    ),
    "a condition on an answer that is none": Wrong(
        rich("{field: affected, is_not: battery}", "{field: affected, is_not: [screen, keyboard]}"),
        39,
        "`keyboard` is no answer to `affected`.",
        "Use one of: `screen`, `battery`.",
    ),
    "a condition on true": Wrong(
        rich("shown_when: {field: blocked, is: yes}", "shown_when: {field: blocked, is: oui}"),
        27,
        "`oui` is no answer to `blocked`.",
        "Use one of: `yes`, `no`.",
    ),
    "a condition on words": Wrong(
        rich("{field: since, answered: true}", "{field: since, is: hier}"),
        35,
        "`since` is a date, whose answers a condition can't name.",
        "Write `answered: true` or `answered: false`.",
    ),
    "entries the wrong way round": Wrong(
        rich("{min: 1, max: 5", "{min: 6, max: 5"),
        40,
        "`min` is more than `max`.",
        "Exchange `min` and `max`.",
    ),
    "entries without end": Wrong(
        rich("{min: 1, max: 5", "{min: 1, max: 500"),
        40,
        "`max` is too great.",
        "Write 20 or less.",
    ),
    "entries in a word": Wrong(
        rich(
            "repeats: {min: 1, max: 5, entry: Appareil, add: Ajouter un appareil}", "repeats: many"
        ),
        40,
        "This is not `repeats`.",
        "Write its keys and values, as in `title: …`.",
    ),
    "entries with a key of elsewhere": Wrong(
        rich("{min: 1, max: 5", "{minimum: 1, max: 5"),
        40,
        "`minimum` is not known in `repeats`.",
        "Did you mean `min`?",
    ),
    "a page of a section that is not there": Wrong(
        rich("[devices, contact]", "[devices, contact, thanks]"),
        13,
        "No section of this form is called `thanks`.",
        "There are: `trouble`, `devices`, `contact`.",
    ),
    "a section on two pages": Wrong(
        rich("[devices, contact]", "[trouble, devices, contact]"),
        13,
        "The section `trouble` stands on two pages.",
        "Take it out of one of them.",
    ),
    "a section on no page": Wrong(
        rich("[devices, contact]", "[devices]"),
        11,
        "The section `contact` stands on no page.",
        "Add it to the `sections` of a page.",
    ),
    "pages in another order": Wrong(
        rich("[devices, contact]", "[contact, devices]"),
        13,
        "The section `devices` stands behind one that follows it in the form.",
        "Give pages and sections one order.",
    ),
    "a page without sections": Wrong(
        rich("- sections: [devices, contact]", "- title: La fin"),
        13,
        "`sections` is missing in a page.",
        "Add `sections:`, a list of names of the form's sections.",
    ),
    "pages of a registration": Wrong(
        but(
            "minutes: 3, opens: registration",
            "minutes: 3, opens: registration, pages: [{sections: [a]}]",
        ),
        34,
        "`creation` has pages, and no sections.",
        "Take `pages` out.",
    ),
    "a password": Wrong(
        rich("kind: address", "kind: password"),
        53,
        "`kind` can't be `password`.",
        f"Use one of: {', '.join(f'`{kind}`' for kind in KINDS[:-1])} or `{KINDS[-1]}`.",
    ),
}

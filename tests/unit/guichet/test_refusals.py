"""How a command refuses settings that can't be what they are."""

import pytest
import typer

from guichet.refusals import told


@pytest.mark.parametrize(
    ("relays", "said"),
    [
        ('{"ypok": {"password": "s3cret"}}', "GUICHET_RELAYS can't be that at ypok.host"),
        ('{"ypok": "s3cret"}', "GUICHET_RELAYS can't be that at ypok ("),
        ('["s3cret"]', "GUICHET_RELAYS can't be a "),
        ('{"ypok": {"password": "s3cret"', 'field "relays"'),
    ],
)
def test_a_wrong_setting_that_holds_a_password_is_told_without_it(
    relays: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUICHET_RELAYS", relays)
    with pytest.raises(typer.Exit), told():
        raise AssertionError("they were taken")
    words = capsys.readouterr().err
    assert said in words
    assert "s3cret" not in words

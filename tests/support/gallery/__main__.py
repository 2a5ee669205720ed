"""Takes pictures of the gallery."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.gallery import app
from tests.support.gallery.browser import launched, serving

SHOTS = {
    "catalogue": "/",
    "components": "/components?signed=1",
    "form": "/form",
    "ui": "/ui?signed=1",
    "questions": "/questions",
    "paper": "/paper",
    "missing": "/nowhere",
}


def main(folder: Path) -> None:
    """Write `<page>-<width>-<scheme>.png` for each page."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                context = browser.new_context(
                    viewport={"width": width, "height": 800}, color_scheme=scheme
                )
                page = context.new_page()
                serving(page, app())
                for name, path in SHOTS.items():
                    page.goto(f"http://ypok.localhost{path}")
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                page.goto("http://ypok.localhost/form")
                page.get_by_role("button", name="Suivant").click()
                page.screenshot(path=folder / f"errors-{width}-{scheme}.png", full_page=True)
                context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

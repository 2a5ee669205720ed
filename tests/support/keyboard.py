"""Going through pages by the keyboard alone, and seeing at each step where one is."""

from dataclasses import dataclass, field

from playwright.async_api import Locator, Page, expect

from tests.journeys.test_customer import something_for

MOST_STEPS = 150

UNSEEN = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const onScreen = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  return outlined && onScreen ? null : e.outerHTML.slice(0, 120);
}"""
"""What has the focus, where it has no outline or is off the screen."""

HERE = "e => e === document.activeElement"


@dataclass
class Keyboard:
    """Hands on the keys of a page; what had the focus without showing it is noted."""

    page: Page
    unseen: list[str] = field(default_factory=list)

    async def to(self, wanted: Locator) -> None:
        """Press Tab until this has the focus."""
        await expect(wanted).to_be_visible()
        for _ in range(MOST_STEPS):
            await self.step()
            if await wanted.evaluate(HERE):
                return
        raise AssertionError(f"the keyboard does not reach {wanted}")

    async def step(self) -> Locator:
        """Press Tab once. Answers what has the focus then."""
        await self.page.keyboard.press("Tab")
        unseen = await self.page.evaluate(UNSEEN)
        if unseen:
            self.unseen.append(unseen)
        return self.page.locator(":focus")

    async def press(self, wanted: Locator, key: str = "Enter") -> None:
        """Go to a link or a button, and use it."""
        await self.to(wanted)
        await self.page.keyboard.press(key)

    async def type(self, wanted: Locator, text: str) -> None:
        """Go to a field, and write in place of what it holds."""
        await self.to(wanted)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def answer_all(self, until: Locator) -> None:
        """Answer whatever a form asks in the order of its keys, up to this button, and press it."""
        await expect(until).to_be_visible()
        for _ in range(MOST_STEPS):
            focused = await self.step()
            if await until.evaluate(HERE):
                await self.page.keyboard.press("Enter")
                return
            if await focused.count():
                await self._answer(focused)
        raise AssertionError(f"the keyboard does not reach {until}")

    async def _answer(self, focused: Locator) -> None:
        tag = await focused.evaluate("e => e.localName")
        kind = await focused.evaluate("e => e.type ?? ''")
        if tag == "select":
            if not await focused.input_value():
                await self.page.keyboard.press("ArrowDown")
        elif kind in ("radio", "checkbox"):
            if not await focused.is_checked():
                await self.page.keyboard.press("Space")
        elif kind in ("date", "time"):
            if not await focused.input_value():
                # Day, month and year, each in its part of the field, as the browser orders them.
                await self.page.keyboard.type("11022026" if kind == "date" else "1030")
        elif tag == "textarea" or (tag == "input" and kind in ("text", "tel", "email")):
            if not await focused.input_value():
                await self.page.keyboard.type(await something_for(focused))

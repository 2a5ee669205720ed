"""How many parts a page takes, counted by spans, and one trace from a click to its mail."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis import telemetry
from tests.builders.identity import PASSWORD
from tests.service.conftest import Town
from tests.support.forms import form_in
from tests.support.installation import Running
from tests.support.people import files, of_nothing, registers, same_browser, signed_in, somebody
from tests.support.routes import pages
from tests.support.waiting import soon

pytestmark = pytest.mark.xdist_group("every route")

LOOK_UP = "/internal/sessions/look-up"


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    telemetry.configure(exporter)
    yield exporter
    exporter.shutdown()  # keeps nothing from here on


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """What is traced from here on."""
    exporter.clear()
    yield exporter
    exporter.clear()


def hops(spans: InMemorySpanExporter) -> list[tuple[str, str]]:
    """Which parts served, and by which route, since the spans were cleared."""
    return [
        (one.name.removeprefix("serve "), str((one.attributes or {})["http.route"]))
        for one in spans.get_finished_spans()
        if one.kind is SpanKind.SERVER and one.name.startswith("serve ")
    ]


def trace_of(one: ReadableSpan) -> int:
    """The trace that the span belongs to."""
    trace_id: int = one.context.trace_id
    return trace_id


async def span_named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    """The first span of that name, once there is one."""
    async with asyncio.timeout(10):
        while True:
            for one in spans.get_finished_spans():
                if one.name == name:
                    return one
            await asyncio.sleep(0.02)


async def test_a_catalogue_page_is_one_hop(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    async with whole.visitor(town.who.host) as visitor:
        for path, route in (
            ("/", "/"),
            (f"/categories/{town.held.category}", "/categories/{slug}"),
        ):
            spans.clear()
            assert (await visitor.get(path)).status_code == 200
            assert hops(spans) == [("catalog", route)]


async def test_signing_in_is_one_hop(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    who = await somebody(whole, town.who.tenant, town.who.host)
    async with whole.visitor(town.who.host) as visitor:
        spans.clear()
        page = await visitor.get("/sign-in")
        form = form_in(page.text)
        assert hops(spans) == [("identity", "/sign-in")]
        spans.clear()
        sent = form.filled(username=who.username, password=PASSWORD)
        answer = await visitor.post(form.action, data=sent)
        assert answer.status_code == 303
        assert hops(spans) == [("identity", "/sign-in")]


async def test_saving_a_request_is_one_hop_and_at_most_a_look_up(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    who = await somebody(whole, town.who.tenant, town.who.host)
    async with whole.visitor(town.who.host) as customer:
        signed_in(customer, whole, who)
        spans.clear()
        page = await customer.get(f"/procedures/{town.held.procedure}")
        assert hops(spans) == [("identity", LOOK_UP), ("requests", "/procedures/{slug}")]
        routes = []
        while page.status_code != 303:
            spans.clear()
            form = form_in(page.text)
            page = await customer.post(form.action, data=form.filled())
            [(part, route)] = hops(spans)  # who it is was looked up within a minute
            assert part == "requests"
            routes.append(route)
        steps = ["/procedures/{slug}", "/procedures/{slug}/form", "/procedures/{slug}/recap"]
        assert list(dict.fromkeys(routes)) == steps


async def test_no_page_is_more_than_one_hop(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    async with whole.visitor(town.who.host) as customer:
        signed_in(customer, whole, town.who)
        same_browser(customer, whole, town.held)
        await whole.settled()  # who changed a moment ago is looked up again
        await customer.get("/")
        for route in pages(whole.installation):
            if "GET" in route.methods:
                spans.clear()
                await customer.get(town.held.named(route.service, route.path))
                assert hops(spans) == [(route.service, route.path)]


async def test_one_trace_leads_from_a_click_to_its_mail(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    who = await somebody(whole, town.who.tenant, town.who.host)
    async with whole.visitor(town.who.host) as customer:
        signed_in(customer, whole, who)
        spans.clear()
        await files(customer, town.held.procedure)
    mailed = await span_named(spans, "send request_recorded")
    [handled] = [
        one for one in spans.get_finished_spans() if one.name == "handle mail_request_recorded"
    ]
    saves = [one for one in spans.get_finished_spans() if one.name == "serve requests"]
    assert trace_of(mailed) == trace_of(handled) == trace_of(saves[-1])
    assert trace_of(saves[-1]) not in {trace_of(one) for one in saves[:-1]}


async def test_one_trace_leads_through_two_events(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    async with whole.visitor(town.who.host) as visitor:
        await registers(visitor, "trace@ville.example")
    mailed = await span_named(spans, "send activation")

    def names() -> set[str]:
        return {one.name for one in spans.get_finished_spans() if trace_of(one) == trace_of(mailed)}

    wanted = {
        "gateway",
        "serve identity",
        "publish identity.RegistrationSubmitted.v1",
        "publish identity.AccountRegistered.v1",
        "publish identity.ActivationRequested.v1",
        "publish requests.RequestSaved.v1",
        "handle look_into_registration",
        "handle record_registration",
        "handle mail_activation",
        "handle mail_request_recorded",
        "send activation",
        "smtp",
    }
    await soon(lambda: names() >= wanted)  # what follows of one event may outlast the other's mail
    of_the_mail = {"publish notifier.MailAccepted.v1", "handle note_mail"}  # on its request
    assert names() - of_the_mail == wanted


async def test_a_clients_trace_is_not_ours(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    theirs = "0af7651916cd43dd8448eb211c80319c"
    async with whole.visitor(town.who.host) as visitor:
        spans.clear()
        await visitor.get("/", headers={"Traceparent": f"00-{theirs}-b7ad6b7169203331-01"})
    assert {trace_of(one) for one in spans.get_finished_spans()} != {int(theirs, 16)}
    assert len(hops(spans)) == 1


async def test_no_span_holds_what_an_address_holds(
    whole: Running, town: Town, spans: InMemorySpanExporter
) -> None:
    """Addresses hold links' tokens and handles; so spans tell routes."""
    nothing = of_nothing(whole, town.held, town.who.tenant)
    secrets = [nothing.print_handle, *nothing.links.values()]
    async with whole.visitor(town.who.host) as visitor:
        same_browser(visitor, whole, nothing)
        spans.clear()
        for route in pages(whole.installation):
            for method in route.methods:
                path = nothing.named(route.service, route.path)
                await visitor.request(
                    method, path, data=nothing.body(route.path) if method == "POST" else None
                )
    told = "".join(f"{one.name} {dict(one.attributes or {})}" for one in spans.get_finished_spans())
    assert "/requests/handle/{handle}" in told
    assert [one for one in secrets if one in told] == []

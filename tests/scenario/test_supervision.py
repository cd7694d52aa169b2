"""A supervisor in an agent's conversation: who hears whom, who may, and what the journal says of it."""

import asyncio

import pytest

from agent_console.messages import SupervisionMode
from agent_console.ports import IntentError
from agent_console.sight import Sight
from callcenter.calls import supervision_facts as supervised
from callcenter.calls.supervision import SupervisionAsked, SupervisionWish
from callcenter.ports import Route
from callcenter.site.models import Site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def supervised_site(**site_fields: object) -> Site:
    """The small site with three supervisors: of everything, of support, and one who also takes sales calls; and with
    two team leads, of anna's team and of another."""
    site = small_site().model_dump()

    def boss(name: str, **fields: object) -> dict[str, object]:
        return {
            "id": name,
            "name": name.title(),
            "login": name,
            "password_hash": "-",
            "roles": ["supervisor"],
            **fields,
        }

    people = [
        *({**each, "teams": ["north" if each["id"] == "anna" else "south"]} for each in site["agents"]),
        boss("sofia"),
        boss("sam", supervises=["support"]),
        boss("lead", queues=["sales"], skills={"en": 1}),
        boss("lena", roles=["team_lead"], teams=["north"]),
        boss("leo", roles=["team_lead"], teams=["south"], supervises=["sales"]),
    ]
    return Site.model_validate({**site, "agents": people, **site_fields})


class Scene:
    """Anna talks with a customer of sales; Sofia's phone is there."""

    house: House
    customer: FakeLeg
    phone: FakeLeg
    call_id: str

    async def begin(self, **site_fields: object) -> None:
        self.house = await open_house(site=supervised_site(**site_fields))
        await self.house.sign_in("anna")
        self.house.signalling.registered |= {"sofia", "sam", "lead"}
        self.customer = await self.house.queue_call()
        self.phone = await self.house.answer("anna")
        self.call_id = self.house.call_id(self.customer)

    async def want(self, how: str, who: str = "sofia") -> None:
        await self.house.core.desk.supervise(who, self.call_id, how)
        await settle()

    async def join(self, how: str, who: str = "sofia") -> FakeLeg:
        await self.want(how, who)
        return await self.house.answer(who)

    def legs(self) -> list[str]:
        """The media legs beside the customer's, in the order they came."""
        return [leg for leg in self.house.session(self.customer).legs if leg != CUSTOMER]

    def ways(self) -> set[tuple[str, str]]:
        routes: tuple[Route, ...] = self.house.session(self.customer).routes
        return {(route.source, route.destination) for route in routes}

    def facts(self) -> list[str]:
        return [
            type(entry).__name__.removeprefix("Supervision")
            for entry in self.house.journal.entries
            if type(entry).__module__ == supervised.__name__
        ]


def test_a_monitor_hears_both_and_is_heard_by_nobody() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        (agent,) = scene.legs()
        await scene.join("monitor")
        _, boss = scene.legs()
        talk = {(CUSTOMER, agent), (agent, CUSTOMER)}
        assert scene.ways() == talk | {(CUSTOMER, boss), (agent, boss)}
        (contact,) = scene.house.contacts()
        (view,) = contact.supervision
        assert (view.supervisor_id, view.how, view.is_there) == ("sofia", SupervisionMode.MONITOR, True)
        assert scene.facts() == ["Ordered", "Joined"]

    run_virtual(live)


def test_whisper_reaches_the_agent_and_barge_everybody_and_back() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await scene.join("monitor")
        agent, boss = scene.legs()
        silent = scene.ways()
        await scene.want("whisper")
        assert scene.ways() == silent | {(boss, agent)}
        await scene.want("barge")
        assert scene.ways() == silent | {(boss, agent), (boss, CUSTOMER)}
        await scene.want("monitor")
        assert scene.ways() == silent
        await scene.want("leave")
        assert scene.ways() == {(CUSTOMER, agent), (agent, CUSTOMER)}
        assert scene.facts() == ["Ordered", "Joined", "Changed", "Changed", "Changed", "Ended"]
        assert scene.house.contacts()[0].supervision == ()
        assert scene.legs() == [agent]

    run_virtual(live)


def test_nothing_is_heard_before_the_journal_has_it() -> None:
    """The disk holds the joining back: the routes are as they were until it is written."""

    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await scene.want("monitor")
        before = scene.ways()
        scene.house.journal.hold = asyncio.Event()
        leg = scene.house.signalling.ringing_phone("sofia")
        assert leg is not None
        scene.house.signalling.answer_phone(leg)
        await settle()
        assert scene.ways() == before
        scene.house.journal.hold.set()
        await settle()
        assert scene.ways() != before

    run_virtual(live)


def test_listening_goes_on_through_hold() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await scene.join("whisper")
        agent, boss = scene.legs()
        await scene.house.core.desk.hold("anna", scene.call_id)
        await settle()
        assert scene.ways() == {(agent, boss), (boss, agent)}
        await scene.house.core.desk.resume("anna", scene.call_id)
        await settle()
        assert (CUSTOMER, boss) in scene.ways()

    run_virtual(live)


def test_a_supervisor_who_hangs_up_or_does_not_answer_leaves_the_talk_alone() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        talk = scene.ways()
        boss = await scene.join("barge")
        await scene.house.hang_up(boss)
        assert scene.ways() == talk
        await scene.want("monitor")
        ringing = scene.house.signalling.ringing_phone("sofia")
        assert ringing is not None
        scene.house.signalling.refuse(ringing, 486)
        await settle()
        assert scene.ways() == talk
        assert scene.facts() == ["Ordered", "Joined", "Ended", "Ordered", "Ended"]
        assert scene.phone.state != "ended"

    run_virtual(live)


def test_the_end_of_the_call_lets_the_supervisor_go() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        boss = await scene.join("monitor")
        await scene.house.hang_up(scene.customer)
        assert boss.state == "ended"
        assert scene.facts()[-1] == "Ended"
        assert not scene.house.media.sessions

    run_virtual(live)


def test_the_end_of_a_call_lets_a_ringing_supervisor_go() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await scene.want("monitor")
        await scene.house.hang_up(scene.phone)
        await settle()
        assert scene.house.signalling.ringing_phone("sofia") is None
        assert scene.house.records()[0].outcome == "answered"

    run_virtual(live)


def test_taking_over_leaves_the_agent_out_and_the_customer_with_the_supervisor() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await pass_seconds(10)
        boss = await scene.join("monitor")
        await scene.want("take_over")
        (leg,) = scene.legs()
        assert scene.ways() == {(CUSTOMER, leg), (leg, CUSTOMER)}
        assert scene.phone.state == "ended"
        assert scene.house.agent("anna").contact_id is None or scene.house.agent("anna").state == "wrap_up"
        await pass_seconds(20)
        await scene.house.hang_up(boss)
        assert scene.customer.state == "ended"
        (record,) = scene.house.records()
        assert record.outcome == "answered"
        assert scene.house.fatal == []

    run_virtual(live)


def test_only_supervisors_of_the_queue_may_and_only_while_there_is_something_to_hear() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        refusals = {}
        for who, how in (
            ("ben", "monitor"), ("sam", "monitor"), ("sofia", "eavesdrop"), ("sofia", "leave"), ("sofia", "take_over")
        ):  # fmt: skip
            with pytest.raises(IntentError) as refused:
                await scene.want(how, who)
            refusals[who, how] = refused.value.code
        assert refusals == {
            ("ben", "monitor"): "not-allowed",
            ("sam", "monitor"): "not-your-queue",
            ("sofia", "eavesdrop"): "unknown-supervision",
            ("sofia", "leave"): "supervision-refused",
            ("sofia", "take_over"): "supervision-refused",
        }
        await scene.house.sign_in("lead")
        with pytest.raises(IntentError) as busy:
            await scene.want("monitor", "lead")
        assert busy.value.code == "at-work"
        scene.house.signalling.registered.discard("sofia")
        with pytest.raises(IntentError, match="not registered"):
            await scene.want("monitor")
        waiting = await scene.house.queue_call("+12025550155", digits="12")
        with pytest.raises(IntentError, match="No agent talks"):
            await scene.house.core.desk.supervise("sam", scene.house.call_id(waiting), "monitor")
        assert scene.facts() == []

    run_virtual(live)


@pytest.mark.parametrize("told", [False, True])
def test_the_agent_knows_of_it_only_where_the_site_says_so(told: bool) -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin(tell_of_supervision=told)
        await scene.join("monitor")
        sight = Sight(everything=False, agent_id="anna", queue_ids=frozenset({"sales"}))
        (seen,) = sight.of_floor(scene.house.core.floor.view()).contacts
        assert seen.supervision == ()
        assert seen.is_supervised is told

    run_virtual(live)


def test_a_team_lead_supervises_the_own_team_and_no_other() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        scene.house.signalling.registered |= {"lena", "leo"}
        with pytest.raises(IntentError) as refused:
            await scene.want("monitor", "leo")
        assert refused.value.code == "not-your-team"
        await scene.join("whisper", "lena")
        (contact,) = scene.house.contacts()
        assert [view.supervisor_id for view in contact.supervision] == ["lena"]

    run_virtual(live)


def test_two_supervisors_do_not_hear_each_other() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await scene.join("barge")
        await scene.join("barge", "lead")
        _, first, second = scene.legs()
        assert not {(first, second), (second, first)} & scene.ways()

    run_virtual(live)


def test_an_agent_who_hands_the_customer_on_ends_the_listening() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        boss = await scene.join("monitor")
        await scene.house.core.desk.transfer("anna", scene.call_id, "queue", "support")
        await settle()
        assert boss.state == "ended"
        assert scene.customer.state != "ended"
        ended = [each for each in scene.house.journal.entries if isinstance(each, supervised.SupervisionEnded)]
        assert [each.cause for each in ended] == ["agent_gone"]

    run_virtual(live)


def test_who_took_a_call_over_does_not_listen_to_it() -> None:
    async def live() -> None:
        scene = Scene()
        await scene.begin()
        await scene.join("monitor")
        await scene.want("take_over")
        done = asyncio.get_running_loop().create_future()
        asked = SupervisionAsked("sofia", SupervisionWish.MONITOR, done)
        assert scene.house.core.switchboard.tell(scene.call_id, asked)
        await settle()
        assert "your own" in str(done.exception())

    run_virtual(live)

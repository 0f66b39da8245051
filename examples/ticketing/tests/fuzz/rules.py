"""What schemathesis has to know of the ticket shop: who asks, what is on sale, and which rules no schema can tell."""

import atexit
import os
import random
import re

import requests
import schemathesis
from hypothesis import strategies as st

URL = os.environ["FUZZ_URL"]
EMAIL = os.environ["FUZZ_EMAIL"]
# Rules about several fields, about the present moment, or about what is stored.
RULES = {
    "in_the_past", "before_start", "wrong_currency", "duplicate", "unknown", "cannot_change", "not_free",
    "nothing_to_pay", "not_general", "not_seated", "idempotency_key_reused",
}
# The fields whose rules are about a sum, or about what was stored before and what is added to it.
SUMS = ("/sections", "/rows", "/capacity", "/add_capacity", "/tiers")
SUM_CODES = ("out_of_range", "required", "too_few", "too_many")

schemathesis.openapi.format("time-zone", st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC"]))

sent = 0
chance = random.Random(1)


@schemathesis.auth()
class SignIn:
    def get(self, case, context):
        answer = requests.post(f"{URL}/api/auth/dev-sign-in", json={"email": EMAIL}, timeout=10)
        return answer.json()["token"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


class World:
    """What there is to ask for: nobody guesses ids that belong together. Looked up anew every so many requests."""

    EVERY = 25

    def __init__(self):
        self.at = -self.EVERY

    def look(self):
        if sent - self.at < self.EVERY:
            return
        self.at = sent
        me = requests.post(f"{URL}/api/auth/dev-sign-in", json={"email": EMAIL}, timeout=10).json()
        headers = {"Authorization": f"Bearer {me['token']}"}

        def items(path):
            return requests.get(f"{URL}{path}", headers=headers, timeout=10).json()["items"]

        self.user = me["user_id"]
        self.shows = items("/api/events?page_size=50")
        self.on_sale = items("/api/events?status=sales_open")
        self.reservations = items("/api/reservations?page_size=50")
        self.payments = items(f"/api/payments/user/{self.user}?page_size=50")
        self.tickets = items("/api/tickets?page_size=50")


world = World()


@schemathesis.hook
def before_call(context, case, kwargs):
    global sent
    sent += 1
    headers = case.headers or {}
    # A position that is not reached yet is waited for, 5 s, and then told by 503: `contract.rs` proves that. Here it would
    # only cost time, so what reads well is brought to a position that exists.
    if str(headers.get("X-Min-Position", "")).isdigit():
        headers["X-Min-Position"] = "1"
    if not is_positive(case):
        return
    # The borders that schemathesis draws for headers may lie beside their pattern.
    if "If-Match" in headers and not re.fullmatch(r'\*|"[0-9]{1,19}"', str(headers["If-Match"])):
        headers["If-Match"] = "*"
    # A key that was used for something else is another refusal than the one that is looked for.
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"fuzz-{EMAIL}-{sent}"
    if chance.random() < 0.3:
        return
    world.look()
    address(case)
    fill = {"POST /api/reservations": order, "POST /api/payments": pay, "POST /api/events": offer}
    if isinstance(case.body, dict) and case.operation.label in fill:
        fill[case.operation.label](case.body)


def address(case):
    """Puts ids that exist into the path."""
    path, ids = case.operation.path, case.path_parameters or {}
    ends = case.operation.label in ("DELETE /api/events/{id}", "POST /api/events/{id}/close-sales")
    if not ids or (ends and chance.random() < 0.9):
        return
    for part in ("reservations", "payments", "tickets"):
        found = getattr(world, part)
        if path.startswith(f"/api/{part}/{{id}}") and found:
            ids["id"] = chance.choice(found)["id"]
    if "user_id" in ids:
        ids["user_id"] = world.user
    if path.startswith("/api/events/") and world.shows:
        show = chance.choice(world.shows)
        ids["id"] = show["id"]
        if "section_id" in ids:
            ids["section_id"] = chance.choice(show["sections"])["id"]


def order(body):
    if not world.on_sale:
        return
    show = chance.choice(world.on_sale)
    body["event_id"] = show["id"]
    for line in body["lines"]:
        section = chance.choice(show["sections"])
        line["section_id"], line["tier_id"] = section["id"], chance.choice(section["tiers"])["id"]
        if line.get("quantity"):
            line["quantity"] = 1 + line["quantity"] % 3


def pay(body):
    held = [one["id"] for one in world.reservations if one["status"] == "held"]
    if held:
        body["reservation_id"] = chance.choice(held)


def offer(body):
    """Of one currency, in the future."""
    body["starts_at"] = "2035-01-01T20:00:00Z"
    body.pop("ends_at", None)
    for section in body["sections"]:
        for tier in section["tiers"]:
            tier["price"]["currency"] = body["currency"]
            tier.pop("sales_end", None)


@schemathesis.check
def what_reads_well_is_refused_by_rules_alone(ctx, response, case):
    """A 422 to what its schema allows names rules that a schema cannot tell; else the schema is too wide."""
    if response.status_code != 422 or not is_positive(case):
        return
    problem = response.json()
    errors = problem.get("errors") or [{"code": problem["code"], "pointer": ""}]
    missed = [error for error in errors if error["code"] not in RULES and not is_of_a_sum(error)]
    assert not missed, f"the schema allows what is refused: {missed}"


def is_of_a_sum(error):
    return error["code"] in SUM_CODES and error["pointer"].endswith(SUMS)


@atexit.register
def told():
    print(f"sent as {EMAIL}: {sent} requests")

"""The chapters of the story; each sends its commands and says in words what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from server.cli.demo.goods import FEEDS, HEROES, SALES, Signal
from server.cli.demo.telling import (
    ANNA,
    BANK,
    BO,
    CHEN,
    DORA,
    FEED,
    PROVIDER,
    Case,
    Teller,
    accepted,
    order_input,
)
from server.client import Json

LAMP, KETTLE, TEA_SET, COAT, BACKPACK, CLOCK, CAMERA_BAG, BOOKSHELF = HEROES

Words = Iterator[str]
Chapter = Callable[[Teller], Words]

CASE: Final = "exception"
"""Field of a result that holds the case."""

WITHDRAWN: Final = "STATE_WITHDRAWN"

DISPUTED: Final = LAMP.order
"""The order whose statement the demo explains at its end."""


def orders(teller: Teller) -> Words:
    """The shop reports its orders, once and again."""
    inputs = [order_input(teller, sale, 0) for sale in SALES]
    accepted(teller.call("RecordOrders", {"orders": inputs}, by="shop@gateway")["results"], "order")
    parcels = sum(len(sale.parcels) for sale in SALES)
    currencies = sorted({sale.currency for sale in SALES})
    yield f"{len(SALES)} orders with {parcels} parcels in {', '.join(currencies)} are recorded."


def feeds(teller: Teller) -> Words:
    """Carriers' feeds report trouble; a feed that is sent twice opens nothing."""
    by_order = {sale.order: sale for sale in SALES}

    def request(signal: Signal) -> Json:
        seen = {
            "occurred_at": teller.at(3.4),
            "place": signal.place,
            "status": "exception",
            "raw_text": signal.words,
        }
        return {
            **teller.header(3.5),
            "subject": {
                "order_id": signal.order,
                "shipment_code": by_order[signal.order].parcels[0].code,
            },
            "signal": {
                "kind": "carrier",
                "feed": signal.feed,
                "source_id": f"{signal.feed}-{signal.order}",
                "raw_code": signal.code,
                "raw_text": signal.words,
            },
            "last_checkpoint": seen,
        }

    first = _detected(teller, [request(signal) for signal in FEEDS])
    again = _detected(teller, [request(signal) for signal in FEEDS])
    new = len(set(again) - set(first))
    yield f"Three feeds report {len(FEEDS)} troubles in their own codes: {len(set(first))} cases."
    yield f"The same morning is sent a second time: {new} new cases."
    found = zip(FEEDS, first, strict=True)
    yield from _desk(teller, [Case(teller, by_order[s.order], i) for s, i in found])


def _detected(teller: Teller, requests: list[Json]) -> list[str]:
    answer = teller.call("BatchDetectExceptions", {"requests": requests}, by=FEED)
    return [case["exception_id"] for case in accepted(answer["results"], CASE)]


def _desk(teller: Teller, cases: list[Case]) -> Words:
    """First-line work: owners, notes, waiting, words for customers, false alarms."""
    for index, case in enumerate(cases[:18]):
        case.tell("AssignException", 4, owner=(ANNA, BO)[index % 2])
    for case in cases[:6]:
        case.tell("RecordContact", 4.2, party="customer", channel="email", direction="outbound")
        case.tell("StartWaiting", 4.3, party="customer", reason="address and time asked for")
    for case in cases[6:10]:
        case.check(4.4)
        case.tell("EscalateException", 4.5, level="RESPONSE_LEVEL_2", reason="customer is upset")
    for case in cases[10:16]:
        case.explain(5)
        case.close("EXPLAINED", 6, "told when the parcel will come")
    for case in cases[16:18]:
        case.tell("WithdrawException", 5, resolution="RESUMED", reason="it moves again")
    yield "The desk assigns 18, waits on 6 customers, raises 4, explains and closes 6, drops 2."


def lost_lamp(teller: Teller) -> Words:
    """A loss: refund through the gates, claim partly approved, then a charge-back on top."""
    case = teller.open(LAMP, "LOST", 5, "it never came and the carrier cannot find it")
    refusal = teller.refused(
        "ProposeAction", 5.1, BO, exception_id=case.exception_id, kind="full_refund"
    )
    yield f"A brass lamp is lost. A refund at once is refused: {refusal.message} (gate C)."
    case.check(5.3)
    refund = case.refund("full_refund", 5.5, tax_document="CN-1001")
    case.pay(refund, 6, "refund-1001")
    case.tell("RemediateException", 6.5, resolution="REFUNDED", summary="you get all of it back")
    yield "When order, last scan and carrier are checked, 138.24 USD are approved and paid."
    claim = case.agree(
        "claim", 7, amount=case.money("60.00"), counterparty=LAMP.parcels[0].carrier, **case.place()
    )
    case.tell("SubmitAction", 7.3, action_id=claim, external_id="claim-1001")
    case.outcome(claim, "CLAIM_APPROVED", 9, amount=case.money("40.00"))
    case.outcome(claim, "CLAIM_DENIED", 9.1)
    paid = {"amount": case.money("38.50"), "fee": case.money("1.50"), "account": BANK}
    case.outcome(claim, "CLAIM_PAID", 10, **paid)
    case.settle(10.5)
    yield "The carrier approves 40.00 of the 60.00 claimed and pays 38.50 after its fee."


def charge_back(teller: Teller) -> Words:
    """The same customer disputes the payment at the bank and wins: paid twice."""
    facts = {"provider": "paywell", "external_id": "cb-1001"}
    facts |= {"order_id": LAMP.order, "account": PROVIDER, "reason": "goods"}
    amount = teller.money("138.24", "USD")
    fee = {"fee": teller.money("15.00", "USD")}
    for kind, day, more in (("opened", 11, fee), ("lost", 14, {})):
        request = {**facts, **more, "kind": f"chargeback_{kind}", "amount": amount}
        answer = teller.tell("RecordExternalMoney", day, "paywell@gateway", **request)
    found = {case["code"]: case["exception_id"] for case in answer["exceptions"]}
    yield "The customer also disputes the payment at the bank. The charge-back is lost although"
    yield f"the refund was paid: the server opens {' and '.join(sorted(found))} by itself."
    bank = Case(teller, LAMP, found["CHARGEBACK"])
    bank.tell("RemediateException", 14.5, CHEN, resolution="DISPUTE_LOST", summary="lost at bank")
    bank.settle(15)
    dispute = Case(teller, LAMP, found["REFUND_DISPUTE"])
    payment = {
        "order_id": LAMP.order,
        "kind": "customer_payment",
        "provider": "house-bank",
        "external_id": "transfer-7",
        "account": BANK,
        "amount": teller.money("100.00", "USD"),
        "exception_id": dispute.exception_id,
    }
    teller.tell("RecordExternalMoney", 16, "bank@gateway", **payment)
    yield from _carried(dispute)


def _carried(dispute: Case) -> Words:
    """What the customer still owes is carried past reconciliation, by two persons."""
    teller = dispute.teller
    case = dispute.tell(
        "RemediateException", 16.5, CHEN, resolution="CHARGE_SETTLED", summary="pays in parts"
    )
    item = next(each for each in case["open_items"] if "amount" in each)
    carry = {
        "item": item["item"],
        "amount": item["amount"],
        "reason": "agreed to pay the rest next month",
        "owner": DORA,
        "due": teller.date(60),
    }
    dispute.tell("CarryItem", 17, CHEN, **carry)
    alone = teller.refused("CarryItem", 17.1, CHEN, exception_id=dispute.exception_id, **carry)
    dispute.tell("CarryItem", 17.2, DORA, **carry)
    dispute.settle(17.5)
    yield "The customer pays 100.00 back; the rest is carried. One person alone may not:"
    yield f"{alone.message}."


def tea_set(teller: Teller) -> Words:
    """A reshipment at its true cost, with the carrier's charge accrued and invoiced."""
    case = teller.open(TEA_SET, "DAMAGED", 4, "two cups are broken")
    case.check(4.5)
    goods, freight = case.money("4100"), case.money("800")
    action = case.agree("reship", 5, goods_cost=goods, freight=freight, **case.place())
    case.tell("SubmitAction", 5.5, action_id=action)
    sent = {"goods_cost": case.money("4100"), "freight": case.money("860"), **case.place()}
    case.outcome(action, "DISPATCHED", 6, **sent)
    case.outcome(action, "SUCCEEDED", 9)
    case.tell("RemediateException", 9.5, resolution="RESHIPPED", summary="a new set arrived")
    for kind, step, day, net in (
        ("return_freight", "accrued", 6.5, "500"),
        ("return_freight", "invoiced", 12, "540"),
        ("reship_freight", "invoiced", 12.1, "860"),
    ):
        _charge(case, day, kind=kind, step=step, net=case.money(net))
    case.settle(12.5)
    yield "A tea set is sent again: 4,900 JPY were set aside, 4,960 spent; the return freight is"
    yield "accrued at 500, invoiced at 540, and only then the books of the case can close."
    case.tell("ReopenException", 14, ANNA, reason="the new set lacks its tray")
    coupon = case.agree("coupon", 14.5, amount=case.money("1000"), **_line(case))
    case.tell("SubmitAction", 14.6, action_id=coupon)
    case.outcome(coupon, "SUCCEEDED", 14.7)
    case.outcome(coupon, "COUPON_USED", 16)
    case.close("COMPENSATED", 16.5, "a coupon for the missing tray")
    yield "Days later it comes back: reopened, episode 2, settled with a coupon that is used."


def _charge(case: Case, day: float, **charge: Any) -> None:
    """The carrier charges for the case's parcel; an invoice names itself."""
    teller, carrier = case.teller, case.sale.parcels[case.parcel].carrier
    if charge["step"] == "invoiced":
        charge |= {"carrier": carrier, "invoice": "KC-77"}
    one = {"exception_id": case.exception_id, **_line(case), **charge, **teller.header(day)}
    accepted(teller.call("RecordCarrierCharges", {"charges": [one]}, by=CHEN)["results"], CASE)


def _line(case: Case) -> Json:
    return {"logistics_line": case.sale.billing[case.parcel]}


def coat(teller: Teller) -> Words:
    """A typing mistake in an approved refund is reversed and done right."""
    case = teller.open(COAT, "WRONG_ITEM", 6, "ordered size M, got L, keeps it for less")
    case.check(6.5)
    wanted = {"lines": [{"sale_line": "L1", "amount": case.money("50.00")}]}
    wrong = case.refund("partial_refund", 7, **wanted)
    approval = teller.link.call(
        "ListEntries", {"filter": f'action_id = "{wrong}"', "min_position": teller.position}
    )["entries"][0]["event_id"]
    case.tell(
        "ReverseEntry", 7.3, CHEN, event_id=approval, reason="5.00 were agreed, 50.00 were typed"
    )
    case.tell("CancelAction", 7.4, action_id=wrong, reason="typed wrongly")
    right = {"lines": [{"sale_line": "L1", "amount": case.money("5.00")}]}
    case.pay(case.refund("partial_refund", 7.5, tax_document="CN-1004", **right), 8, "refund-1004")
    case.close("PARTLY_REFUNDED", 9, "you keep the coat for 5.00 less")
    yield "50.00 EUR were approved where 5.00 were agreed: the entry is reversed, never changed,"
    yield "and the right refund follows."


def backpack(teller: Teller) -> Words:
    """A late parcel: cash for the delay; then the payment bounces and is made again."""
    case = teller.open(BACKPACK, "PROMISE_MISSED", 5, "promised for Friday")
    case.check(5.2)
    terms = {"basis": "late_performance", "lines": [{"sale_line": "L1"}], **case.place()}
    action = case.agree("cash_compensation", 5.5, amount=case.money("20.00"), **terms)
    case.pay(action, 6, "comp-1005")
    case.outcome(action, "FAILED", 7, note="the card is closed")
    case.pay(action, 8, "comp-1005-again")
    case.close("COMPENSATED", 9, "20.00 for the late parcel")
    yield "A late backpack costs 20.00 CNY; the first payment bounces, the second arrives."


def clock_and_camera(teller: Teller) -> Words:
    """A shipping-fee refund, and a refund before anything was shipped."""
    clock = teller.open(CLOCK, "DELIVERED_NOT_RECEIVED", 8, "the neighbour has it after all")
    clock.check(8.5)
    fee = {"lines": [{"sale_line": "L1", "amount": clock.money("3.95")}]}
    clock.pay(clock.refund("shipping_refund", 9, tax_document="CN-1006", **fee), 9.5, "refund-1006")
    clock.close("PARTLY_REFUNDED", 10, "we give the shipping fee back")
    bag = teller.open(CAMERA_BAG, "STOCK_OUT", 2, "none left in any warehouse")
    bag.check(2.5)
    bag.pay(bag.refund("full_refund", 3), 3.5, "refund-1007")
    bag.close("REFUNDED", 4, "sold out, all of it refunded")
    yield "A clock's shipping fee goes back; a camera bag that is sold out is refunded whole,"
    yield "out of the advance, because nothing was shipped yet."


def watched(teller: Teller) -> Words:
    """A parcel that nobody scans: a rule opens its case, and the next scan ends it."""
    code, number = "P-3001", "YT900003001"
    shipment = {"order_id": "O-3001", "shipment_code": code, "numbers": [{"number": number}]}
    teller.call("RegisterShipments", {"shipments": [shipment]}, by="shop@gateway")

    def scanned(day: float, status: str) -> Json:
        told = {"feed": "yto", "source_id": f"{number}-{day}", "number": number, "status": status}
        return {**told, "occurred_at": teller.at(day)}

    facts = [scanned(17.5, "collected"), scanned(18, "in_transit")]
    teller.call("RecordCheckpoints", {"checkpoints": facts}, by=FEED)
    asked = {"shipment_code": code}
    found = teller.until("GetShipment", asked, lambda answer: _last(answer, "exception_id"))
    yield f"Nobody scans parcel {code} for two days. Nobody reports it either: the rule"
    yield f"{found['rule']} opens a case by itself."
    teller.call("RecordCheckpoints", {"checkpoints": [scanned(20.9, "arrived")]}, by=FEED)
    case = {"exception_id": found["exception_id"]}
    teller.until("GetException", case, lambda answer: answer["exception"]["state"] == WITHDRAWN)
    yield "Then it is scanned again, and the case ends by itself as well."


def _last(answer: Json, field: str) -> Json | None:
    """The last deviation of a shipment of which a field is known."""
    found = [each for each in answer.get("deviations", []) if each.get(field)]
    return found[-1] if found else None


def still_open(teller: Teller) -> Words:
    """Work that the desk sees on its board tonight."""
    shelf = teller.open(BOOKSHELF, "LOST", 12, "one of two boxes came", parcel=1)
    shelf.check(12.5)
    shelf.refund("partial_refund", 13, lines=[{"sale_line": "L1", "amount": shelf.money("120.00")}])
    kettle = teller.open(KETTLE, "DAMAGED", 18, "the lid does not close")
    kettle.tell("StartWaiting", 18.2, party="customer", reason="pictures asked for")
    yield "Half a bookshelf is lost, its refund approved and not paid yet; a kettle waits for"
    yield "pictures. Both stay open tonight."


CHAPTERS: Final[tuple[tuple[str, Chapter], ...]] = (
    ("Orders 订单", orders),
    ("Feeds and first line 轨迹与客服", feeds),
    ("The lost lamp 丢失的台灯", lost_lamp),
    ("Paid twice 重复支付", charge_back),
    ("The tea set, twice 两次茶具", tea_set),
    ("A typing mistake 录入错误", coat),
    ("Too late 迟到", backpack),
    ("Two quiet refunds 两笔退款", clock_and_camera),
    ("A parcel that is watched 被监控的包裹", watched),
    ("Tonight's board 今晚的看板", still_open),
)

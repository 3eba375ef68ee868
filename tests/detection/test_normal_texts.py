"""What a carrier's sentence says where no raw code does, in Chinese and English."""

from itertools import product
from typing import Final

import pytest

from esm.catalog.data import Status
from esm.detection.normal import normalised
from tests.detection.given import CATALOGUE

SAYS: Final[dict[tuple[Status, str], str]] = {
    ("delivered", ""): """
        包裹已送达
        快件已送达收件人
        已被收件人取走
        您已在某某店取走包裹
        公司前台已签收
        Delivered, Individual Picked Up at Post Office
        Delivered
        Delivered, put into the letter box
        DELIVERED - thank you
        Recipient not at home – delivered to neighbour
        Recipient not at home - delivered to neighbour
        Successfully delivered
        Parcel was delivered at 10:15
        Delivered to recipient
        Delivered to a neighbour at number 7
        Delivered to the customer
        Delivered late due to heavy traffic
        Collected by recipient
        Picked up by the customer at the shop
        Delivered. If you have not received it, please call us
        Delivered to the mailbox; contact us if not received
        已签收
        妥投
        您的快件已妥投，感谢使用
        快件已签收，如有疑问未签收请致电客服
        您的快件已签收，未签收请联系客服
        快件已签收，尚未签收请联系网点
        投递并签收，签收人：本人
        已投递-签收 同事代收
        客户已从驿站取走
        【某某代收点】您已完成取件
        包裹已由物业代收
        快件已送达，谢谢
        非本人签收
        【西安未央营业部】快件已签收
        西安市未央区快件已签收
        已由接待处代签收
    """,
    ("information", ""): """
        Delivered at sorting center
        Delivered at airport
        Delivered into our network
        Delivered back
        2 of 3 pieces delivered
        Notification delivered
        Pickup cancelled by sender
        Delivery cancelled by customer
        Pickup order cancelled
        Return order cancelled
        快递员已从商家取走包裹
        快递员已完成取件
        快件已送达某某集散中心
        快件已送达航空公司
        某某网点已签收
        需本人签收
        仅限本人签收
        严禁他人签收
        揽收订单已取消
        您的订单已取消配送
        The package has not been delivered
        Package hasn’t been delivered
        The parcel was not signed for or delivered
        Your parcel will be delivered on Monday
        To be delivered before noon
        Scheduled to be delivered tomorrow
        Expected to be delivered on 4 May
        If delivered to the wrong door call us
        Once delivered you will get a message
        Awaiting delivery attempt
        Please confirm that the parcel was delivered
        The courier failed to get it delivered
        Delivered to warehouse 12
        Delivered to somebody at the border
        Not collected
        Not collected from the sender yet
        Collected by the police
        Your pickup request was accepted
        Address change request accepted
        Claim accepted
        Claim processed
        Payment collected
        Cash on delivery collected
        COD collected
        Signature collected
        Flight cancelled
        Delivery cancelled, rescheduled
        Appointment cancelled
        Pickup cancelled
        The order will be cancelled if not paid
        Order cancelled unless it is paid
        Return to sender if nobody comes
        Shipment was not cancelled
        Will be returned to sender
        Not returned to sender
        Not yet cleared customs, waiting
        Parcel not damaged
        No damage found
        Not refused by anybody
        Not released from customs
        Forwarded
        未签收
        尚未签收
        没有签收
        包裹未送达
        包裹未能成功送达
        快件无法送达
        预计明天送达，请准备签收
        预计今日已签收
        快件将于明天妥投
        请确认是否已签收
        如未签收请联系
        待签收
        等待揽收
        尚未揽收
        快递员正在揽收
        航班已取消
        预约已取消
        派送已取消，改期
        外包装无破损
        包裹未损坏
        如拒收请联系客服
    """,
    ("in_transit", ""): """
        Delivered to agent
        Delivered, To Agent
        Delivered to airline
        Delivered to Agent for final delivery in Sampletown
        Shipment accepted by airline
        In transit, arriving late
        快件运输途中
    """,
    ("customs", ""): """
        Delivered to customs
        Collected by customs
        Accepted by customs
        Inbound into customs
        Not released, still held by customs
        等待海关放行，清关中
    """,
    ("customs_released", ""): """
        Inbound Out of Customs
        Item returned from import customs
        Released from customs
        Departed customs
        海关已放行
        清关完成
    """,
    ("awaiting_collection", ""): """
        已妥投至某某驿站
        已送达某某驿站
        包裹已送达，已存放于某某驿站
        已送达，请到某某驿站取件
        【某某驿站】已签收
        Delivered by courier to the pickup point
        Delivered to pickup point
        Delivered to a parcel locker in Sample Street
        Available for pickup
        驿站已签收，请及时取件
        快件已由某某快递柜代收，请凭取件码取件
        已存放至某某驿站
        已签收，签收人：某某驿站
        您的快件已到达【某某代收点】，取件码1-2-3
    """,
    ("out_for_delivery", ""): """
        Out for Delivery, expected delivery by 9:00pm
        已从快递柜取出，派送中
        快件正在派送，如未签收请联系
    """,
    ("arrived", ""): """
        Arrived at delivery office, will be delivered tomorrow
        到达某某中心，预计明天妥投
    """,
    ("departed", ""): """
        快件已装车，准备发往某某中心
        Departed facility, not yet delivered
    """,
    ("collected", ""): """
        Accepted at post office
        Item accepted
        Collected
        Collected by our courier
        已收取快件
        已揽收，等待发往下一站
    """,
    ("registered", ""): """
        Order accepted
        Picked up by partner, post awaiting item
    """,
    ("attempted", "DELIVERY_FAILED"): """
        Unsuccessful delivery
        Not delivered
        Unable to deliver
        Parcel could not be delivered; return to sender
        投递失败
        未妥投
    """,
    ("attempted", "REFUSED"): """
        Refused
        Recipient refused the parcel
        Unable to deliver. recipient refused
        Could not be delivered as it was refused
        拒收
        收件人拒签
        客户拒绝签收，原因：不喜欢
        拒收，退回
        因地址未更新拒收
    """,
    ("attempted", "RECIPIENT_UNAVAILABLE"): """
        Notice Left (No Authorized Recipient Available)
        Not delivered: nobody home
        Not at home and notice left
        未妥投：收件人不在
        因收件人不在家派送失败
    """,
    ("attempted", "ACCESS_RESTRICTED"): """
        No Access to Delivery Location
        Notice Left (Business Closed)
    """,
    ("attempted", "ADDRESS_INCOMPLETE"): "收件人地址不详，未妥投",
    ("attempted", "NO_ATTEMPT"): """
        Delivery not attempted
        No delivery attempt was made
    """,
    ("problem", "UNDELIVERABLE"): "Undeliverable as Addressed",
    ("problem", "ADDRESS_INCOMPLETE"): """
        Insufficient Address
        地址不详
    """,
    ("problem", "ADDRESS_INCORRECT"): """
        Delivered to wrong address
        No such number
        地址错误
    """,
    ("problem", "MISROUTED"): """
        Missent
        包裹错分
    """,
    ("problem", "DAMAGED"): """
        Package damaged
        In transit, parcel damaged
        Delivered, box damaged
        包裹破损
        已签收，外包装破损
    """,
    ("problem", "PICKUP_POINT_EXPIRED"): "Uncollected",
    ("problem", "PICKUP_REJECTED"): """
        Pickup refused
        拒收揽件
    """,
    ("problem", "RECIPIENT_MOVED"): "Moved, left no address",
    ("problem", "CUSTOMS_DELAY"): "清关异常",
    ("problem", "CARRIER_REPORTED"): """
        Partially delivered
        Exception: vehicle accident, cancelled flight
        Parcel lost
        Parcel stolen from the van
        Refused by customs
        Vacant
        包裹疑似丢失
    """,
    ("returning", "RETURNING"): """
        Return to sender: addressee unknown
        Being returned
        快件已退回
        因地址未更新退回
    """,
    ("returning", "REFUSED"): "Refused; it is being returned",
    ("returned", "RETURNED"): """
        商家已签收
        Delivered back to sender
        Package damaged, returned to sender
        退件已签收
        退回妥投
    """,
    ("cancelled", "SHIPMENT_CANCELLED"): """
        Cancelled by sender
        Cancelled
        Order cancelled by shipper
        Shipment has been cancelled
        订单已取消
        已取消
    """,
}
"""By status and case: sentences that say so, one a line."""

SENTENCES: Final = [
    (line.strip(), status, opens)
    for (status, opens), lines in SAYS.items()
    for line in lines.strip().splitlines()
]

GOOD_NEWS: Final[tuple[Status, ...]] = ("collected", "delivered", "returned", "cancelled")
"""Statuses that a sentence must not tell unless it happened."""

NOT_SO: Final = {
    "en": (
        "the parcel has not been {}",
        "the parcel was never {}",
        "will be {} tomorrow",
        "expected to be {} on Monday",
        "if {}, please call us",
        "please call us when {}",
        "item to be {}",
        "unable to get it {}",
    ),
    "zh": ("未{}", "没有{}", "无法{}", "预计明天{}", "如果{}请致电", "请在{}后评价", "等待{}"),
}


@pytest.mark.parametrize(("sentence", "status", "opens"), SENTENCES)
def test_a_sentence_says_one_status_and_one_case(sentence: str, status: Status, opens: str) -> None:
    for feed in ("usps", "ems", "kuaidi100"):
        found = normalised(CATALOGUE, feed, "", sentence)
        assert (found.status, found.opens) == (status, opens)


def test_no_sentence_stands_twice() -> None:
    assert len({sentence for sentence, _, _ in SENTENCES}) == len(SENTENCES)


@pytest.mark.parametrize(
    "sentence",
    [
        f"{word}妥投" if language == "zh" else f"the parcel {word} delivered"
        for words in CATALOGUE.guards.values()
        for language in ("zh", "en")
        for word in getattr(words, language)
    ],
)
def test_every_guard_takes_back_what_stands_behind_it(sentence: str) -> None:
    assert normalised(CATALOGUE, "ems", "", sentence).status != "delivered"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (status, frame.format(word))
        for status in GOOD_NEWS
        for language, frames in NOT_SO.items()
        for word, frame in product(getattr(CATALOGUE.status_words[status], language), frames)
        if not set(word) & {"…", "|"}
    ],
)
def test_what_is_denied_planned_or_asked_has_not_happened(status: Status, sentence: str) -> None:
    assert normalised(CATALOGUE, "ems", "", sentence).status not in GOOD_NEWS

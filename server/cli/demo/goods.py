"""What the story is about: made-up orders, parcels, carriers and what went wrong with most."""

from __future__ import annotations

from typing import Final, NamedTuple


class Parcel(NamedTuple):
    """A parcel of an order, who carries it, and what that costs us in the order's currency."""

    code: str
    carrier: str
    freight: str


class Sale(NamedTuple):
    """An order of one line: net prices, tax, what the goods cost us, and its parcels.

    ``shipped`` says whether the sale is recognised; before that the money is an advance.
    """

    order: str
    currency: str
    sku: str
    goods: str
    shipping: str
    tax: str
    cost: str
    parcels: tuple[Parcel, ...]
    shipped: bool = True

    @property
    def billing(self) -> tuple[str, ...]:
        """The billing lines of the order, one for each parcel."""
        return tuple(f"B-{parcel.code}" for parcel in self.parcels)


FALCON, JADE, HARBOUR, ALPINE, KITE = (
    *("falcon-parcel", "jade-express", "harbour-lines", "alpine-post", "kite-couriers"),
)


def _one(order: str, currency: str, sku: str, amounts: str, carrier: str) -> Sale:
    """An order with one parcel; amounts are goods, shipping, tax, cost and freight."""
    goods, shipping, tax, cost, freight = amounts.split()
    parcel = Parcel(f"P-{order.removeprefix('O-')}", carrier, freight)
    return Sale(order, currency, sku, goods, shipping, tax, cost, (parcel,))


HEROES: Final = (
    _one("O-1001", "USD", "lamp-brass", "120.00 8.00 10.24 54.00 6.40", FALCON),
    _one("O-1002", "EUR", "kettle-steel", "79.00 4.90 15.94 31.50 5.10", ALPINE),
    _one("O-1003", "JPY", "tea-set", "9800 900 1070 4100 780", KITE),
    _one("O-1004", "EUR", "rain-coat", "64.00 4.90 13.09 25.00 5.10", ALPINE),
    _one("O-1005", "CNY", "backpack", "268.00 12.00 36.40 110.00 9.50", JADE),
    _one("O-1006", "GBP", "desk-clock", "45.00 3.95 9.79 18.20 4.05", HARBOUR),
    Sale("O-1007", "USD", "camera-bag", "88.00", "0.00", "7.26", "37.00", (), shipped=False),
    Sale(
        *("O-1008", "USD", "bookshelf", "210.00", "25.00", "19.39", "96.00"),
        (Parcel("P-1008-A", FALCON, "18.00"), Parcel("P-1008-B", FALCON, "18.00")),
    ),
)
"""Orders whose money the story follows."""

OTHERS: Final = (
    _one("O-2001", "USD", "mug-blue", "14.00 4.00 1.49 4.20 3.60", FALCON),
    _one("O-2002", "USD", "mug-red", "14.00 4.00 1.49 4.20 3.60", FALCON),
    _one("O-2003", "USD", "yoga-mat", "32.00 5.00 3.05 11.00 4.10", FALCON),
    _one("O-2004", "USD", "desk-fan", "41.00 6.00 3.88 17.00 5.20", KITE),
    _one("O-2005", "USD", "notebook", "9.00 3.00 0.99 2.10 2.80", KITE),
    _one("O-2006", "EUR", "scarf-wool", "38.00 4.90 8.15 13.00 5.10", ALPINE),
    _one("O-2007", "EUR", "pan-iron", "55.00 6.90 11.76 22.00 6.00", ALPINE),
    _one("O-2008", "EUR", "gloves", "22.00 4.90 5.11 7.50 5.10", ALPINE),
    _one("O-2009", "EUR", "poster", "18.00 4.90 4.35 3.20 4.70", HARBOUR),
    _one("O-2010", "EUR", "speaker", "89.00 0.00 16.91 41.00 4.70", HARBOUR),
    _one("O-2011", "GBP", "tea-tin", "12.00 3.95 3.19 4.00 4.05", HARBOUR),
    _one("O-2012", "GBP", "umbrella", "26.00 3.95 5.99 9.80 4.05", HARBOUR),
    _one("O-2013", "GBP", "wallet", "34.00 3.95 7.59 12.00 4.05", HARBOUR),
    _one("O-2014", "CNY", "thermos", "99.00 8.00 13.91 41.00 7.00", JADE),
    _one("O-2015", "CNY", "keyboard", "329.00 0.00 42.77 160.00 9.50", JADE),
    _one("O-2016", "CNY", "sneakers", "399.00 0.00 51.87 150.00 11.00", JADE),
    _one("O-2017", "CNY", "phone-case", "39.00 6.00 5.85 9.00 6.00", JADE),
    _one("O-2018", "CNY", "rice-cooker", "269.00 15.00 36.92 130.00 16.00", JADE),
    _one("O-2019", "JPY", "bento-box", "3200 600 380 1300 620", KITE),
    _one("O-2020", "JPY", "futon", "15800 1800 1760 7200 1650", KITE),
    _one("O-2021", "JPY", "chopsticks", "1500 400 190 450 410", KITE),
    _one("O-2022", "JPY", "yukata", "8600 800 940 3700 780", KITE),
    _one("O-2023", "USD", "tent", "149.00 12.00 13.28 70.00 14.50", FALCON),
    _one("O-2024", "USD", "helmet", "65.00 7.00 5.94 26.00 6.40", FALCON),
    _one("O-2025", "USD", "puzzle", "24.00 4.00 2.31 8.00 3.90", KITE),
    _one("O-2026", "EUR", "candle", "16.00 4.90 3.97 4.10 5.10", ALPINE),
    _one("O-2027", "EUR", "blanket", "48.00 4.90 10.05 19.00 5.10", ALPINE),
    _one("O-2028", "GBP", "garden-hose", "31.00 5.95 7.39 13.50 6.20", HARBOUR),
    _one("O-2029", "GBP", "toolbox", "58.00 5.95 12.79 25.00 7.80", HARBOUR),
    _one("O-2030", "CNY", "monitor", "899.00 0.00 116.87 520.00 28.00", JADE),
    _one("O-2031", "JPY", "kettle-iron", "7400 900 830 3100 900", KITE),
    _one("O-2032", "USD", "board-game", "39.00 5.00 3.63 15.00 4.80", FALCON),
)
"""Orders whose trouble moves no money, or none yet."""

SALES: Final = HEROES + OTHERS


class Signal(NamedTuple):
    """What a feed reports of a parcel, in its own code; empty feed: a person says our code."""

    order: str
    feed: str
    code: str
    place: str
    words: str


FEEDS: Final = (
    Signal("O-2001", "track17", "InTransit_CustomsRequiringInformation", "Memphis", "held"),
    Signal("O-2002", "track17", "DeliveryFailure_InvalidAddress", "Austin", "no such street"),
    Signal("O-2003", "track17", "DeliveryFailure_Rejected", "Boston", "refused at the door"),
    Signal("O-2004", "track17", "Exception_Delayed", "Denver", "delayed at the hub"),
    Signal("O-2005", "track17", "NotFound_InvalidCode", "Reno", "number unknown"),
    Signal("O-2006", "aftership", "AttemptFail_002", "Lyon", "nobody at home"),
    Signal("O-2007", "aftership", "Exception_012", "Turin", "box is dented"),
    Signal("O-2008", "aftership", "AttemptFail_001", "Graz", "could not deliver"),
    Signal("O-2009", "aftership", "Exception_017", "Oslo", "storm on the route"),
    Signal("O-2010", "aftership", "Delivered_005", "Ghent", "signed by a neighbour"),
    Signal("O-2011", "aftership", "Exception_006", "Leeds", "waits for payment"),
    Signal("O-2012", "aftership", "Exception_010", "Hull", "on its way back"),
    Signal("O-2013", "aftership", "Expired_001", "Bath", "no scan for 30 days"),
    Signal("O-2014", "kdniao", "402", "Ningbo", "派送超时"),
    Signal("O-2015", "kdniao", "403", "Wuhan", "轨迹停滞"),
    Signal("O-2016", "kdniao", "404", "Xiamen", "收件人拒收"),
    Signal("O-2017", "kdniao", "416", "Harbin", "联系不上收件人"),
    Signal("O-2018", "kdniao", "414", "Chengdu", "外包装破损"),
    Signal("O-2019", "aftership", "AttemptFail_003", "Kobe", "no access to the building"),
    Signal("O-2020", "aftership", "Exception_002", "Nara", "recipient moved"),
    Signal("O-2021", "aftership", "InTransit_009", "Otsu", "address changed on the way"),
    Signal("O-2022", "aftership", "Exception_019", "Sendai", "truck broke down"),
    Signal("O-2023", "track17", "Exception_Returning", "Tulsa", "returning to sender"),
    Signal("O-2024", "track17", "Expired_Other", "Omaha", "no scan for weeks"),
    Signal("O-2025", "track17", "Exception_Other", "Salem", "see carrier"),
    Signal("O-2026", "aftership", "AttemptFail_002", "Bern", "nobody at home"),
    Signal("O-2027", "aftership", "Exception_005", "Lille", "delayed"),
    Signal("O-2028", "aftership", "Exception_007", "York", "address incomplete"),
    Signal("O-2029", "aftership", "Exception_004", "Dover", "customs is busy"),
    Signal("O-2030", "kdniao", "403", "Suzhou", "轨迹停滞"),
)
"""One morning of the carriers' feeds."""

"""Each vendor is answered in its own words."""

import json
import re
from typing import Any

from server.webhooks.vendors import VENDORS, Told
from tests.webhooks.vendors import Place, message, post, signed

MIDNIGHT = 1_767_196_800 * 1_000_000
"""2025-12-31 16:00 in UTC, which is midnight in China."""


def test_kuaidi100_hears_a_result_and_a_return_code(there: Place) -> None:
    taken = post(there.address, signed("kuaidi100")).body
    assert (taken["result"], taken["returnCode"]) == (True, "200")
    refused = post(there.address, signed("kuaidi100", b"[]")).body
    assert (refused["result"], refused["returnCode"]) == (False, "400")
    assert set(taken) == set(refused) == {"result", "returnCode", "message"}


def test_kdniao_hears_its_account_and_the_time_in_china(there: Place) -> None:
    taken = post(there.address, signed("kdniao")).body
    account = json.loads(message("kdniao"))["EBusinessID"]
    assert (taken["EBusinessID"], taken["Success"], taken["Reason"]) == (account, True, "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", taken["UpdateTime"])
    told: Any = VENDORS["kdniao"].answer(Told(400, "no", 0, MIDNIGHT), None)
    assert told == {
        "EBusinessID": "",
        "UpdateTime": "2026-01-01 00:00:00",
        "Success": False,
        "Reason": "no",
    }


def test_the_others_hear_how_many_facts_were_taken_or_what_is_wrong(there: Place) -> None:
    assert post(there.address, signed("aftership")).body == {"facts": len(there.recorder.facts)}
    assert set(post(there.address, signed("aftership", b"[")).body) == {"error"}


def test_facts_that_can_never_be_stored_do_not_make_the_vendor_send_the_rest_again(
    there: Place,
) -> None:
    there.recorder.refused = 1
    taken = post(there.address, signed("aftership"))
    assert (taken.status, taken.body) == (200, {"facts": len(there.recorder.facts) - 1})
    assert there.app.counts.all() == {("aftership", "part"): 1}


def test_a_message_of_which_nothing_can_be_stored_is_refused(there: Place) -> None:
    there.recorder.refused = 1_000
    assert post(there.address, signed("aftership")).status == 400

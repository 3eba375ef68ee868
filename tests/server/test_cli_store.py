"""``esm backup``, ``migrate``, and ``verify --data``: a store as a whole."""

import itertools
import json
import threading
from pathlib import Path

from server.client import Client, connect
from tests.server.esm import Esm, run
from tests.serving import serving, sqlite_settings

ORDER = {
    "source": "shop",
    "currency": "USD",
    "sale_lines": [
        {
            "line_id": "L1",
            "sku": "lamp",
            "quantity": 1,
            "goods": {"currency": "USD", "minor_units": 1000},
        }
    ],
}


def record(client: Client, name: str) -> None:
    order = {**ORDER, "order_id": name, "source_id": name, "request_id": name}
    answer = client.call("RecordOrders", {"orders": [order]})
    assert "order" in answer["results"][0]


def test_a_backup_holds_every_command_acknowledged_before_it_began(tmp_path: Path) -> None:
    live, copy = tmp_path / "live", tmp_path / "copy"
    stop = threading.Event()
    acknowledged: list[str] = []

    def write(address: str) -> None:
        with connect(address) as client:
            while not stop.is_set():
                name = f"O-{len(acknowledged)}"
                record(client, name)
                acknowledged.append(name)

    with serving(sqlite_settings(live)) as server:
        writer = threading.Thread(target=write, args=(server.address,))
        writer.start()
        while len(acknowledged) < 50:
            stop.wait(0.01)
        before = list(acknowledged)
        result = run("backup", str(copy), "--data", str(live), "--json")
        stop.set()
        writer.join()
    assert result.exit_code == 0, result.output
    names = [Path(name).name for name in json.loads(result.stdout)["files"]]
    assert names == ["tracking.db", "events.db"]
    with serving(sqlite_settings(copy)) as server, connect(server.address) as client:
        for name in before:
            assert client.call("GetOrder", {"order_id": name})["order"]["order_id"] == name
        record(client, before[0])


def test_the_keys_of_persons_are_copied_only_when_asked_for(tmp_path: Path) -> None:
    live = tmp_path / "live"
    with serving(sqlite_settings(live)):
        assert run("backup", str(tmp_path / "with"), "--data", str(live), "--keys").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "with").iterdir())
    assert names == ["events.db", "keys.db", "tracking.db"]


def test_a_backup_of_nothing_or_over_a_store_is_refused(tmp_path: Path) -> None:
    nothing = run("backup", str(tmp_path / "copy"), "--data", str(tmp_path / "none"))
    assert (nothing.exit_code, "there is no store" in nothing.stderr) == (2, True)
    run("migrate", "--data", str(tmp_path / "live"))
    over = run("backup", str(tmp_path / "live"), "--data", str(tmp_path / "live"))
    assert (over.exit_code, "exists already" in over.stderr) == (2, True)


def test_migrate_makes_the_tables_of_a_store_and_says_so(
    tmp_path: Path, postgres_dsn: str, postgres_schema: str
) -> None:
    for words in (
        ["--data", str(tmp_path / "store")],
        ["--dsn", postgres_dsn, "--schema", postgres_schema],
    ):
        first = json.loads(run("migrate", *words, "--json").stdout)
        again = json.loads(run("migrate", *words, "--json").stdout)
        assert first == again
        assert first["projections"] == ["tickets", "ledger", "deadlines"]
        assert first["store"] in run("migrate", *words).stdout


def test_a_store_that_a_live_server_holds_is_not_opened(tmp_path: Path) -> None:
    with serving(sqlite_settings(tmp_path)):
        for words in (["migrate"], ["verify"]):
            result = run(*words, "--data", str(tmp_path))
            assert result.exit_code == 2
            assert "is held by process" in result.stderr


def test_verify_says_where_there_is_no_store(postgres_dsn: str, postgres_schema: str) -> None:
    result = run("verify", "--dsn", postgres_dsn, "--schema", postgres_schema)
    assert (result.exit_code, "there is no store in the schema" in result.stderr) == (2, True)
    run("migrate", "--dsn", postgres_dsn, "--schema", postgres_schema, "--clock", "feed")
    found = run("verify", "--dsn", postgres_dsn, "--schema", postgres_schema)
    assert found.exit_code == 0, found.output


def test_verify_finds_nothing_while_money_moves(tmp_path: Path) -> None:
    with serving(sqlite_settings(tmp_path)) as server, connect(server.address) as client:
        record(client, "O-1")
        stop = threading.Event()

        def move() -> None:
            fact = {"order_id": "O-1", "kind": "wallet_deduction", "provider": "mall"}
            for number in itertools.count():
                if stop.is_set():
                    return
                amount = {"currency": "USD", "minor_units": 1 + number}
                request = {**fact, "external_id": f"fine-{number}", "amount": amount}
                client.call("RecordExternalMoney", request)

        mover = threading.Thread(target=move)
        mover.start()
        try:
            audits = [Esm(server.address).json("verify") for _ in range(5)]
        finally:
            stop.set()
            mover.join()
    assert [audit["findings"] for audit in audits] == [[]] * 5
    assert audits[0]["entries"] < audits[-1]["entries"]


def test_verify_opens_a_restored_store_and_builds_its_books_first(tmp_path: Path) -> None:
    live, copy = tmp_path / "live", tmp_path / "copy"
    with serving(sqlite_settings(live)) as server:
        with connect(server.address) as client:
            record(client, "O-1")
        assert run("backup", str(copy), "--data", str(live)).exit_code == 0
        assert Esm(server.address).json("verify")["findings"] == []
    found = json.loads(run("verify", "--data", str(copy), "--json").stdout)
    assert (found["findings"], found["events"]) == ([], 2)
    assert run("verify", "--data", str(tmp_path / "none")).exit_code == 2

"""What is kept of a request's body: a fingerprint that means nothing without the store's secret."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from esm import commands as c
from esm.errors import RequestIdReused
from server.app import Running
from server.settings import Settings
from server.storage.folder import backup_store
from server.submission import fingerprint_of
from tests.server import writing as w
from tests.serving import postgres_settings, sqlite_settings

ONE, OTHER = b"1" * 32, b"2" * 32
NOTE = c.AddNote(exception_id="E1", text="the neighbour has it")


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return sqlite_settings(tmp_path / "store")
    dsn = request.getfixturevalue("postgres_dsn")
    return postgres_settings(dsn, request.getfixturevalue("postgres_schema"))


def test_a_fingerprint_depends_on_the_body_and_on_the_secret() -> None:
    call = w.call("r1")
    same = fingerprint_of(NOTE, call, ONE)
    assert same == fingerprint_of(NOTE, replace(call, actor="bob"), ONE)
    others = [
        fingerprint_of(NOTE, call, OTHER),
        fingerprint_of(c.AddNote(exception_id="E1", text="x"), call, ONE),
        fingerprint_of(NOTE, replace(call, etag="3"), ONE),
        fingerprint_of(NOTE, replace(call, occurred="2026-03-01T09:00:00.000000Z"), ONE),
    ]
    assert len({same, *others}) == 5


def test_a_guessed_text_cannot_be_tried_out_without_the_secret() -> None:
    call = w.call("r1")
    guess = msgspec.msgpack.encode(("AddNote", NOTE, call.occurred, call.etag))
    assert fingerprint_of(NOTE, call, ONE) != hashlib.sha256(guess).digest()


def test_a_store_draws_its_secret_once_and_shows_it_to_nobody(settings: Settings) -> None:
    secrets = []

    async def look(server: Running) -> None:
        secrets.append(server.store.request_secret)
        assert server.store.request_secret.hex() not in repr(server.store)

    w.run(settings, look)
    w.run(settings, look)
    assert secrets[0] == secrets[1]
    assert len(secrets[0]) == 32


def test_two_stores_have_different_secrets(tmp_path: Path) -> None:
    secrets = set()

    async def look(server: Running) -> None:
        secrets.add(server.store.request_secret)

    for name in ("one", "other"):
        w.run(sqlite_settings(tmp_path / name), look)
    assert len(secrets) == 2


def test_a_copy_without_keys_opens_and_knows_every_request(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path / "store")
    copy = sqlite_settings(tmp_path / "copy")
    cases = []

    async def first(server: Running) -> None:
        cases.append(await w.opened(server))
        note = c.AddNote(exception_id=cases[0], text="x")
        await server.writer.handle(note, w.call("r1"))

    async def again(server: Running) -> None:
        before = len(w.rows(server))
        note = c.AddNote(exception_id=cases[0], text="x")
        await server.writer.handle(note, w.call("r1"))
        with pytest.raises(RequestIdReused):
            await server.writer.handle(c.AddNote(exception_id=cases[0], text="y"), w.call("r1"))
        assert len(w.rows(server)) == before

    w.run(settings, first)
    backup_store(settings.data, copy.data)
    assert not (copy.data / "keys.db").exists()
    w.run(copy, again)

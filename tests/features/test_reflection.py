"""Tools that know nothing of us call every unary method by reflection (row G1)."""

import dataclasses
import json
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_requests import Client as RequestsClient  # type: ignore[import-untyped] # no stubs

from server.app import Running
from server.client import connect
from server.clock import Clock
from server.settings import Settings
from tests.features.valid_requests import REQUESTS, plain
from tests.scenarios.driver import World
from tests.serving import serving

BUF = Path(sysconfig.get_path("scripts")) / "buf"
ALL = sorted(REQUESTS)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Running]:
    """A server on a store whose clock can be advanced, and stands where that of the wall does."""
    with (
        serving(dataclasses.replace(settings, clock="feed")) as running,
        connect(running.address) as client,
    ):
        client.call("AdvanceClock", {"to": Clock().now()})
        yield running


def unary_methods(address: str) -> set[tuple[str, str]]:
    """Every unary method that the server says it has."""
    found: set[tuple[str, str]] = set()
    with grpc.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)

        def ask(**question: str) -> Any:
            request = reflection_pb2.ServerReflectionRequest(**question)
            (answer,) = stub.ServerReflectionInfo(iter([request]))
            return answer

        for service in ask(list_services="*").list_services_response.service:
            answer = ask(file_containing_symbol=service.name).file_descriptor_response
            for content in answer.file_descriptor_proto:
                file = FileDescriptorProto.FromString(content)
                found |= {
                    (service.name, method.name)
                    for each in file.service
                    if f"{file.package}.{each.name}" == service.name
                    for method in each.method
                    if not (method.client_streaming or method.server_streaming)
                }
    return found


def test_the_table_has_a_request_for_every_unary_method_of_the_server(server: Running) -> None:
    """G1."""
    methods = unary_methods(server.address)
    assert set(REQUESTS) == methods
    assert len({name for name, _ in methods if name.startswith("shipment_exception")}) == 7


@pytest.mark.parametrize(("service", "method"), ALL, ids=lambda part: part.rpartition(".")[2])
def test_buf_curl_calls_the_method_and_gets_an_answer(
    server: Running, world: World, service: str, method: str
) -> None:
    """G1."""
    body = plain(REQUESTS[service, method](world))
    done = subprocess.run(
        [
            *(BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge"),
            *("--header", f"esm-tenant: {world.tenant}", "--header", "esm-actor: ann"),
            *("--data", json.dumps(body), f"http://{server.address}/{service}/{method}"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.fixture(scope="module")
def requests_client(server: Running) -> RequestsClient:
    """A client that learnt the API by reflection."""
    return RequestsClient.get_by_endpoint(server.address)


@pytest.mark.parametrize(("service", "method"), ALL, ids=lambda part: part.rpartition(".")[2])
def test_grpc_requests_calls_the_method_and_gets_an_answer(
    requests_client: RequestsClient, world: World, service: str, method: str
) -> None:
    """G1."""
    body = plain(REQUESTS[service, method](world))
    metadata = [("esm-tenant", world.tenant), ("esm-actor", "ann")]
    assert requests_client.request(service, method, body, metadata=metadata)

"""The description of the interface, and what a machine makes of it that tries everything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from scanner_station import assets
from scanner_station.domain.people import Role
from scanner_station.webapp.access import ACCESS, ANYBODY
from scanner_station.webapp.context import pages_of
from tests.webapp.running import API_TOKEN, SLUG, RunningStation, manifest_of, nik

EXAMPLES = 25
DOCUMENT = json.loads((assets.folder("web") / "openapi.json").read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    (method, path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if not path.endswith("/events")  # a stream never ends; `test_live.py` follows those
]


@contextmanager
def _station(folder: Path) -> Iterator[RunningStation]:
    with RunningStation(folder / "data") as station:
        station.create()
        station.load(manifest_of(range(20), ("rusak",), ("Alak",)))
        station.scan(nik(1))
        station.add_people()
        pages_of(station.app).network.start()
        yield station


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStation]:
    with _station(tmp_path_factory.mktemp("openapi")) as station:
        yield station


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_that_can_be_sent_is_answered_with_a_fault(
    described: RunningStation, method: str, path: str
) -> None:
    operation = SCHEMA[path][method]

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), is_known=booleans())
    def everything(case: schemathesis.Case, is_known: bool) -> None:
        if is_known and "slug" in (case.path_parameters or {}):
            case.path_parameters["slug"] = SLUG
        answer = case.call(
            base_url=described.address, headers={"Authorization": f"Bearer {API_TOKEN}"}
        )
        case.validate_response(
            answer,
            checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
        )

    everything()


@pytest.mark.slow
@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_no_role_finds_a_fault_either(tmp_path: Path, role: Role | None) -> None:
    with _station(tmp_path) as station:
        client = station.client_of(role)
        for method, path in OPERATIONS:
            if path in ("/api/login", "/api/logout"):
                continue
            where = path.replace("{slug}", SLUG).replace("{sequence}", "1")
            for body in ("", "{", "null", "[]", '{"payload": null}', '"\\ud800"', "\x00"):
                answer = client.open(
                    where.replace("{person}", "1"),
                    method=method.upper(),
                    data=body,
                    content_type="application/json",
                )
                answer.close()
                assert answer.status_code < 500, (method, path, body)


def test_the_description_says_which_routes_need_nobody_signed_in(
    described: RunningStation,
) -> None:
    open_to_all = {
        (rule.rule, method.lower())
        for rule in described.app.url_map.iter_rules()
        for method in rule.methods or set()
        if ACCESS[rule.endpoint] is ANYBODY
    }
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            needs_nobody = operation.get("security") == []
            assert needs_nobody == ((path, method) in open_to_all), (method, path)
            if not needs_nobody:
                assert {"401", "403"} <= set(operation["responses"]), (method, path)

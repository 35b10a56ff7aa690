"""The schemas that the command prints."""

import jsonschema
import pytest

from lstm.quantities import NAMES

SCHEMAS = (
    "trace",
    "record",
    "inspect",
    "tokens",
    "models",
    "compare",
    "golden",
    "memory",
    "explain",
)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one_and_says_what_it_describes(done, name):
    schema = done("schema", name).json
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "`lstm " in schema["title"]
    assert schema["additionalProperties"] is False


def test_the_schema_of_run_is_the_one_without_a_name(done):
    assert done("schema").data == done("schema", "trace").data


def test_the_schemas_know_every_quantity(done):
    trace = done("schema").json
    assert set(NAMES) < set(trace["$defs"]["record"]["properties"])
    assert set(NAMES) < set(done("schema", "record").json["properties"])


def test_another_name_is_refused(refusal):
    said = refusal(2, "schema", "nothing")
    assert f"expected {', '.join(SCHEMAS[:-1])} or {SCHEMAS[-1]}, found 'nothing'" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("schema"),
        lambda document: document["model"].pop("sha256"),
        lambda document: document["sequences"][0].pop("unknown"),
        lambda document: document["sequences"][0]["steps"][0].pop("layer"),
        lambda document: document["sequences"][0]["steps"][0].update(direction="left"),
        lambda document: document["sequences"][0]["steps"][0].update(soul=[1.0]),
        lambda document: document["sequences"][0]["steps"][0].update(hidden=["1"]),
        lambda document: document["sequences"][0]["surprisal"].append("much"),
    ],
)
def test_the_schema_refuses_what_is_no_trace(done, valid, tiny, change):
    document = done("run", "john", "-w", tiny, "--json").json
    valid("trace", document)
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        valid("trace", document)

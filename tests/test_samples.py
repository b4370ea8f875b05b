"""WhatsApp's own kinds of templates, read through the hook over real HTTP into both tables.

The templates in tests/samples/whatsapp come from the tests of pywa (MIT, see LICENSE there), in the shape of
LivePerson's API. The odd texts come from the tests of pywa and chatwoot (MIT), the odd structures are ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_outbound.hooks import OutboundHook
from tests.fake import Fake, paged

Json = dict[str, Any]

SAMPLES = sorted((Path(__file__).parent / "samples" / "whatsapp").glob("*.json"))
each_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)

# By configuration, the variables that its components declare.
VARIABLES = {
    "abandoned_cart": [["1"], ["1"], None],
    "abandoned_cart_offer": [None, ["1", "2"], None, None],
    "authentication_code_autofill_button": [[], None, None],
    "authentication_code_copy_code_button": [[], None, None],
    "carousel_template_media_cards_v1": [["1", "2", "3"], None],
    "carousel_template_product_cards_v1": [["1"], None],
    "coupon_code_fall2023_25off": [[], ["1", "2"], None, None],
    "intro_catalog_offer": [["1", "2", "3"], None, None],
    "limited_time_offer_caribbean_pkg_2023": [["1"], None, ["1", "2"], None, ["1"]],
    "order_confirmation": [["1"], ["1", "2"], None, None],
    "order_delivery_update": [None, ["1", "2"], None, None],
    "seasonal_promotion": [["1"], ["1", "2", "3"], None, None, None],
    "zero_tap_auth_template": [[], None, None],
    # odd_texts
    "starts_with_variable": [["1", "2"]],
    "bold_around_variable": [["1"]],
    "variable_glued_to_word": [["date", "name"]],
    "variable_glued_to_unit": [["1", "2"]],
    "dash_between_variables": [["1", "2", "3"]],
    "hash_before_variable": [["2"]],
    "named_variables": [["location", "event_name"]],
    "price_in_dollars": [[]],
    "emoji_first": [["discount_percentage"]],
    "arabic_with_bold": [[]],
    "damaged_spanish_as_stored": [["1"]],
    "otp_url": [[], ["1"]],
    "escaped_slashes_url": [[], ["1"]],
    "non_consecutive_order": [["1", "2"]],
    # odd_structures
    "footer_first": [None, ["1", "2"], ["1"]],
    "media_header_without_content": [None, ["1", "2"]],
    "gif_header": [None, ["1", "2"]],
    "equal_buttons": [["1", "2"], ["1"], ["1"]],
    "reply_with_variable": [["1", "2"], ["3"]],
    "other_buttons": [["1", "2"], None, None, None],
    **{f"one_template_{language}": [["1", "2"]] for language in ("en", "es", "pt_BR", "ar")},
}


def sample(path: Path) -> list[Json]:
    data = json.loads(path.read_text())
    return data if isinstance(data, list) else [data]


def components(item: Json) -> list[Json]:
    (channel,) = item["channels"]
    return list(channel["messageComponents"])


@pytest.fixture
def read(connect: Callable[..., str]) -> Callable[[list[Json]], tuple[list[Json], list[Json]]]:
    """Return a function that reads items through the hook, and returns the rows of both tables."""

    def rows(items: list[Json]) -> tuple[list[Json], list[Json]]:
        with Fake(paged(items)) as fake:
            hook = OutboundHook(connect(fake.connection()))
            frame = hook.get_df("components")
            table = hook.get_table("components")
            assert frame["raw"].tolist() == table["raw"].to_pylist()
            return hook.get_table("configurations").to_pylist(), table.to_pylist()

    return rows


@each_sample
@pytest.mark.fault("D1")
def test_every_configuration_and_component_is_kept_whole(path: Path, read: Any) -> None:
    items = sample(path)
    configurations, parts = read(items)
    assert [json.loads(row["raw"]) for row in configurations] == items
    assert [json.loads(row["raw"]) for row in parts] == [part for item in items for part in components(item)]
    for row in parts:
        part = json.loads(row["raw"])
        expected = tuple(
            part.get(field) for field in ("type", "sub_type", "content", "url", "phone_number", "index")
        )
        columns = ("component_type", "sub_type", "content", "url", "phone_number", "button_index")
        assert tuple(row[column] for column in columns) == expected


@each_sample
def test_the_variables_are_those_that_the_components_declare(path: Path, read: Any) -> None:
    configurations, parts = read(sample(path))
    for row in configurations:
        declared = VARIABLES[row["name"]]
        assert [part["variables"] for part in parts if part["configuration_name"] == row["name"]] == declared
        assert sorted(row["variables"]) == sorted({name for names in declared for name in names or ()})


@each_sample
def test_a_sample_declares_the_placeholders_of_its_texts(path: Path) -> None:
    for item in sample(path):
        for part in components(item):
            texts = " ".join(value for value in part.values() if isinstance(value, str))
            assert set(re.findall(r"\{\{(\w+)\}\}", texts)) == set(part.get("variables", ()))


def test_every_expectation_has_its_sample() -> None:
    assert {item["name"] for path in SAMPLES for item in sample(path)} == set(VARIABLES)

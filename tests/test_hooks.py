"""The hook, through real Airflow connections and real HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_outbound.errors import AuthError, ConfigError
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.tables import parquet
from airflow_provider_outbound.tables.build import PART, Part
from airflow_provider_outbound.tables.schemas import TABLES
from tests.fake import ACCOUNT, SECRET, Fake, Hit, Reply, configuration, paged

Connect = Callable[..., str]
ITEMS = [configuration(number) for number in range(70)]


def test_listing(connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        hook = OutboundHook(connect(fake.connection()))
        assert hook.get_configurations() == ITEMS
        assert list(hook.iter_configurations("wa")) == ITEMS
        assert hook.find_template("t5", "wa", "en") == ITEMS[5]
        assert hook.find_template("t5", "wa", "de") is None
    assert fake.kinds().count("token") == 1


def test_pages_come_one_by_one(connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        configurations = OutboundHook(connect(fake.connection())).iter_configurations()
        assert next(configurations) == ITEMS[0]
        assert fake.kinds() == ["token", "list"]
        configurations.close()  # type: ignore[attr-defined]


def test_several_channels_list_each_configuration_once(connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        assert OutboundHook(connect(fake.connection())).get_configurations(["wa", "inapp"]) == ITEMS
    assert {hit.path.rpartition("/")[2] for hit in fake.hits if hit.kind == "list"} == {"wa", "inapp"}


def test_several_channels_that_are_listed_apart_are_put_together(connect: Connect) -> None:
    whole = {"id": "7", "channels": [{"type": "wa"}, {"type": "inapp"}]}

    def narrow(hit: Hit) -> list[dict[str, Any]]:
        wanted = hit.path.rpartition("/")[2]
        return [] if hit.offset else [{"id": "7", "channels": [{"type": wanted}]}]

    with Fake(narrow) as fake:
        assert OutboundHook(connect(fake.connection())).get_configurations(("wa", "inapp", "wa")) == [whole]


@pytest.mark.fault("P4")
def test_repeats_are_counted(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake(paged([*ITEMS[:5], ITEMS[2]])) as fake:
        assert OutboundHook(connect(fake.connection())).get_configurations() == ITEMS[:5]
    assert logs()[-1].endswith("; 1 were listed more than once")


@pytest.mark.fault("P3")
@pytest.mark.parametrize("form", ["table", "tables", "files", "items"])
def test_a_long_listing_that_changes_late_is_whole_in_every_form(
    connect: Connect, tmp_path: Path, form: str
) -> None:
    items = [configuration(number) for number in range(PART + 900)]
    parts: list[Part] = []
    seen: list[int] = []

    def answer(hit: Hit) -> Any:
        if hit.offset == PART + 900 and not seen:  # past the end, when the first part is made
            seen.append(len(parts))
            del items[0]
        return paged(items)(hit)

    with Fake(answer) as fake:
        hook = OutboundHook(connect(fake.connection(extra={"page_size": 500})), retry_waits=())

        def watched() -> Iterator[Part]:
            for part in hook.iter_parts():
                parts.append(part)
                yield part

        if form == "table":
            names = hook.get_table("configurations")["name"].to_pylist()
        elif form == "tables":
            column = [part["components"]["configuration_name"] for part in hook.iter_tables()]
            names = [name for each in column for name in each.to_pylist()]
        elif form == "files":
            files = {name: ObjectStoragePath(f"{tmp_path}/{name}.parquet") for name in TABLES}
            assert parquet.write(watched(), files)["configurations"]["rows"] == len(items)
            names = pq.read_table(tmp_path / "configurations.parquet")["name"].to_pylist()
            assert [part.offset for part in parts] == [0, 0, 500 + 10 * 499]
            assert seen == [1]
        else:
            names = [item["name"] for item in hook.get_configurations()]
    assert len(items) == PART + 899
    assert names == [item["name"] for item in items]


@pytest.mark.parametrize(
    ("names", "words"),
    [(["nope"], "table is 'nope'"), ("components", "names is 'components'"), ([], r"names is \[\]")],
)
@pytest.mark.parametrize("method", ["iter_parts", "iter_tables"])
def test_names_of_no_tables_are_refused_at_once(connect: Connect, method: str, names: Any, words: str) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(ConfigError, match=words):
            list(getattr(OutboundHook(), method)(names=names))
    assert not fake.hits


def test_tables_and_frames(connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        hook = OutboundHook(connect(fake.connection()))
        table = hook.get_table("configurations")
        frame = hook.get_df(channel="wa")
    assert table["account_id"].unique().to_pylist() == [ACCOUNT]
    assert len(frame) == 70
    assert frame["configuration_id"].tolist() == [item["id"] for item in ITEMS]


def test_fetched_at_is_when_the_listing_began(connect: Connect) -> None:
    asked = [datetime.now(timezone.utc)]

    def listing(hit: Hit) -> Any:
        asked.append(datetime.now(timezone.utc))
        return paged(ITEMS)(hit)

    with Fake(listing) as fake:
        table = OutboundHook(connect(fake.connection())).get_table("configurations")
    fetched_at = table["fetched_at"][0].as_py() + timedelta(milliseconds=1)  # it has no microseconds
    assert asked[0] <= fetched_at <= asked[1] + timedelta(milliseconds=2)


def test_long_listings_log_their_progress(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake(paged(ITEMS, 4)) as fake:
        OutboundHook(connect(fake.connection())).get_configurations()
    first, second, summary = logs()
    assert first.startswith("INFO 28 configurations so far: 10 calls, channel all, ")
    assert second.startswith("INFO 58 configurations so far: 20 calls, channel all, ")
    assert summary.startswith(f"INFO 70 configurations at {fake.host}, account {ACCOUNT}, read in ")
    assert summary.endswith(" s: wa 70")


@pytest.mark.fault("P6")
def test_empty_account_warns(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake() as fake:
        assert OutboundHook(connect(fake.connection())).get_table().num_rows == 0
    (warning,) = [line for line in logs() if line.startswith("WARNING")]
    assert f"0 configurations at {fake.host}, account {ACCOUNT}" in warning


@pytest.mark.fault("D1")
def test_odd_data_is_reported(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake(paged([configuration(1, createdAt="soon"), configuration(2, createdAt=[])])) as fake:
        OutboundHook(connect(fake.connection())).get_table("configurations")
    assert "WARNING 2 x unreadable created_at; the raw column holds everything as it was sent" in logs()


@pytest.mark.fault("D4")
def test_odd_types_stay_on_one_line(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake(paged([{"id": "1", "channels": [{"type": "\x1b[31m\nwa"}]}])) as fake:
        OutboundHook(connect(fake.connection())).get_table()
    assert len(logs()) == 2
    assert all(line.isprintable() for line in logs())


@pytest.mark.fault("D9")
def test_thousands_of_types_are_one_short_line(connect: Connect, logs: Callable[[], list[str]]) -> None:
    item = {"id": "1", "channels": [{"type": f"type{number}"} for number in range(5000)]}
    with Fake(paged([item])) as fake:
        hook = OutboundHook(connect(fake.connection()))
        hook.get_table()
        message = hook.test_connection()[1]
    assert max(map(len, [*logs(), message])) < 600
    assert "and 4990 other types" in message


@pytest.mark.fault("A7")
def test_connection_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="Airflow found no Connection 'nowhere': create it"):
        OutboundHook("nowhere").get_configurations()


@pytest.mark.fault("D5")
@pytest.mark.parametrize("channel", ["a/b", "..", "wa?", "", "wa\n", 5, [["wa"]]])
def test_channel_is_refused_before_any_call(connect: Connect, channel: Any) -> None:
    with Fake() as fake, pytest.raises(ConfigError, match="channel is"):
        OutboundHook(connect(fake.connection())).get_configurations(["wa", channel])
    with pytest.raises(ConfigError, match="channel is"):
        OutboundHook().get_configurations(channel)
    assert not fake.hits


def test_connection_that_works(connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        works, message = OutboundHook(connect(fake.connection())).test_connection()
    assert works
    assert message == (
        f"70 configurations on the first page of {fake.host}, account {ACCOUNT} (wa 70). Token lives 60 min."
    )


def test_bearer_connection_that_works(connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        connection = fake.connection(extra={"auth": "bearer"})
        assert OutboundHook(connect(connection)).test_connection()[1].endswith("Bearer token accepted.")


def test_connection_that_does_not_work(connect: Connect) -> None:
    with Fake(token=[Reply(401, b"")]) as fake:
        works, message = OutboundHook(connect(fake.connection())).test_connection()
    assert not works
    assert "Check the Connection's login (client id)" in message
    assert SECRET not in message


def test_errors_reach_the_caller_as_they_are(connect: Connect) -> None:
    with Fake([Reply(403, b"")]) as fake, pytest.raises(AuthError):
        OutboundHook(connect(fake.connection())).get_configurations()


@pytest.mark.fault("S3")
def test_import_loads_neither_pandas_nor_pyarrow() -> None:
    modules = ", ".join(
        f"airflow_provider_outbound.{name}" for name in ("hooks", "operators", "sensors", "triggers")
    )
    heavy = {"pandas", "pyarrow", "numpy", "fastapi", "oauthlib"}
    airflow = "import sys, airflow.triggers.base; before = set(sys.modules)"  # 3.1 loads fastapi
    code = f"{airflow}; import {modules}; print(sorted({heavy} & set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

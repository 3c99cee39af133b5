"""Settings: read once, checked whole, every mistake by its full key."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from scanner_station import assets, config
from scanner_station.domain.errors import InputError, SettingsError


def written(folder: Path, text: str) -> Path:
    path = folder / "station.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        config.load(written(folder, text))
    return str(caught.value.values["mistakes"]).split("; ")


def test_without_a_file_the_station_is_what_the_defaults_say() -> None:
    settings = config.load(None)

    assert settings == config.Settings()
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8080)
    assert settings.station.time_zone == "Asia/Makassar"
    assert settings.cameras == settings.serials == ()


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, "")) == config.Settings()


def test_settings_and_readers_are_taken_from_the_file(tmp_path: Path) -> None:
    settings = config.load(
        written(
            tmp_path,
            """
            [station]
            name = "kupang-2"
            language = "en"
            time_zone = "Asia/Jayapura"
            [web]
            port = 9000
            [identifiers]
            serial_pattern = "BL[0-9]{8}"
            [[camera]]
            id = "table"
            source = "/dev/v4l/by-id/usb-cam"
            symbologies = ["qr"]
            [[camera]]
            id = "gate"
            source = "0"
            [[serial]]
            id = "gun"
            port = "socket://10.0.0.7:9100"
            baud = 115200
            silence_ms = 50
            """,
        )
    )

    assert settings.station.name == "kupang-2"
    assert settings.web == config.WebSettings(port=9000)
    assert settings.identifiers.serial_pattern == "BL[0-9]{8}"
    assert settings.cameras == (
        config.CameraSettings(id="table", source="/dev/v4l/by-id/usb-cam", symbologies=("qr",)),
        config.CameraSettings(id="gate", source="0"),
    )
    assert settings.serials == (
        config.SerialSettings(id="gun", port="socket://10.0.0.7:9100", baud=115200, silence_ms=50),
    )


def test_every_mistake_is_reported_at_once_by_its_full_key(tmp_path: Path) -> None:
    assert mistakes(
        tmp_path,
        """
        [station]
        name = "Kupang 2"
        language = "fr"
        colour = "red"
        [web]
        port = "80"
        stream_slots = 0
        [identifiers]
        serial_pattern = "[A-Z"
        [[camera]]
        id = "table"
        symbologies = ["qr", "morse"]
        [[serial]]
        id = "table"
        port = " "
        [lights]
        on = true
        """,
    ) == [
        "lights: unknown setting",
        "station.colour: unknown setting",
        "station.name: expected a short name of a-z, 0-9 and '-', got 'Kupang 2'",
        "station.language: expected one of id, en, got 'fr'",
        "web.port: expected int, got '80'",
        "web.stream_slots: expected 1 to 200, got 0",
        "identifiers.serial_pattern: expected a regular expression "
        "(unterminated character set at position 0), got '[A-Z'",
        "camera[1].source: missing",
        "camera[1].symbologies: expected some of qr, code128, code39, ean13, ean8, upca, itf, "
        "codabar, pdf417, datamatrix, got ['qr', 'morse']",
        "serial[1].port: expected some text, got ' '",
        "serial[1].id: 'table' is already the id of camera[1].id",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("web.port = true", "web.port: expected int, got True"),
        ("web.port = 80.0", "web.port: expected int, got 80.0"),
        ("web.port = 65536", "web.port: expected 0 to 65535, got 65536"),
        ("web.host = ''", "web.host: expected some text, got ''"),
        ("web = 8080", "web: expected a table, got 8080"),
        ("camera = 0", "camera: expected [[camera]], got 0"),
        ("camera = [0]", "camera[1]: expected a table, got 0"),
        ("identifiers.serial_pattern = '[0-9]*'", "an empty code does not match"),
        ("station.time_zone = 'WITA'", "station.time_zone: expected a time zone such as"),
        ("station.time_zone = ''", "station.time_zone: expected a time zone such as"),
        ("station.time_zone = 'Asia'", "station.time_zone: expected a time zone such as"),
        ("station.time_zone = '../../etc/passwd'", "station.time_zone: expected a time zone"),
        ("[[camera]]\nid='a'\nsource='0'\nsymbologies=[]", "symbologies: expected some of qr"),
        ("[[camera]]\nid='a'\nsource='0'\nsymbologies='qr'", "symbologies: expected a list"),
        ("[[camera]]\nid='a'\nsource='0'\nsymbologies=[1]", "symbologies[1]: expected str, got 1"),
        ("[[camera]]\nid='a'\nsource=0", "camera[1].source: expected str, got 0"),
        ("[[serial]]\nid=[]\nport='p'", "serial[1].id: expected str, got []"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, text: str, mistake: str) -> None:
    (found,) = mistakes(tmp_path, text)

    assert mistake in found


def test_two_readers_with_one_id_are_refused(tmp_path: Path) -> None:
    table = "[[serial]]\nid = 'gun'\nport = '/dev/ttyUSB0'\n"

    assert mistakes(tmp_path, table * 3) == [
        "serial[2].id: 'gun' is already the id of serial[1].id",
        "serial[3].id: 'gun' is already the id of serial[1].id",
    ]


def test_bad_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"station\.toml is not valid TOML: .*line 2"):
        config.load(written(tmp_path, "[web]\nport = \n"))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_bytes("# jalan é\n".encode("cp1252"))

    with pytest.raises(SettingsError, match="is not valid TOML"):
        config.load(path)


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_bytes(b"\xef\xbb\xbf[web]\nport = 81\n")

    assert config.load(path).web.port == 81


def test_a_missing_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.toml cannot be read .*check its path"):
        config.load(tmp_path / "absent.toml")


def test_indonesias_time_zones_are_known_without_the_systems_own_list() -> None:
    import tzdata

    zones = Path(tzdata.__file__).parent / "zoneinfo" / "Asia"
    assert all((zones / name).is_file() for name in ("Jakarta", "Makassar", "Jayapura"))


def test_settings_never_change_after_they_were_read() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.load(None).web.port = 1  # type: ignore[misc]  # that it cannot be set is the test


EXAMPLE = "station.example.toml"


def test_the_example_loads_as_it_is_and_changes_no_default() -> None:
    assert config.load(assets.folder("config") / EXAMPLE) == config.Settings()


def test_the_example_shows_every_setting_with_its_default(tmp_path: Path) -> None:
    text = (assets.folder("config") / EXAMPLE).read_text(encoding="utf-8")
    uncommented = re.sub(r"(?m)^# ?(?=\[|[a-z_]+ = )", "", text)
    tables = tomllib.loads(uncommented)

    shown = {
        f"{name}.{key}"
        for name, table in tables.items()
        for one in (table if isinstance(table, list) else [table])
        for key in one
    }
    assert shown == set(config.known_keys())
    settings = config.load(written(tmp_path, uncommented))
    assert settings.station == config.StationSettings()
    assert settings.web == config.WebSettings()
    assert settings.identifiers == config.IdentifierSettings()
    for reader in settings.cameras + settings.serials:
        first = dict.fromkeys(("id", "source", "port"))
        shown_values = dataclasses.asdict(reader)
        for item in dataclasses.fields(reader):
            assert item.name in first or shown_values[item.name] == item.default


def test_every_setting_is_explained_in_the_documents() -> None:
    document = Path(__file__).parent.parent / "docs" / "settings.md"
    text = document.read_text(encoding="utf-8")

    explained = re.findall(r"(?m)^\| `([a-z._]+)` ", text)
    assert sorted(explained) == sorted(config.known_keys())

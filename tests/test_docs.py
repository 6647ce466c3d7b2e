"""The documentation says all there is, and nothing that is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from gateway import signing
from gateway.channels import ADAPTERS
from gateway.channels.base import APP_SCOPED, PHONE_CHANNELS, Channel
from gateway.channels.credentials import ALLOWED_KEYS
from retention.policies import PolicyType
from webhooks.triggers import BODY_KEYS, Trigger

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["portal", "retention", "conversations", "contacts", "webhooks", "projects", "outbox", "gateway"]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
READERS_OF_THE_ENVIRONMENT = [
    *[ROOT / "portal" / name for name in ("settings.py", "environment.py", "running/starting.py", "wsgi.py")],
    *sorted(ROOT.glob("portal/embedded/*.py")),
]
NAME = re.compile(r"[A-Z][A-Z0-9_]+")
PROJECT = re.compile(r"v\d/projects/{project_id}")


def read(page: str) -> str:
    return (ROOT / page).read_text()


def rows(page: str, *, header: str) -> list[list[str]]:
    """The cells of every table of the page whose first heading is this, without backticks."""
    found: list[list[str]] = []
    is_wanted = False
    for line in read(page).splitlines():
        if not line.startswith("|"):
            is_wanted = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[0] == header:
            is_wanted = True
        elif is_wanted and not set(cells[0]) <= {"-", "|"}:
            found.append([cell.replace("`", "") for cell in cells])
    assert found, f"{page} has no table that begins with {header!r}"
    return found


def settings_read() -> dict[str, str]:
    """What `env.…("NAME")`, `environment.…("NAME")` and `os.environ.…("NAME")` ask for, with plain defaults."""
    trees = [ast.parse(path.read_text()) for path in READERS_OF_THE_ENVIRONMENT]
    names = {name: default for tree in trees for name, default in asked_for(tree)}
    del names["DJANGO_SETTINGS_MODULE"]
    return names


def asked_for(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="one_of"), args=[ast.Constant(value=str(name)), first, *_]):
                yield name, plain(first)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env" | "environment") | ast.Attribute(attr="environ"))
                | ast.Name(id="required" | "seconds"),
                args=[ast.Constant(value=str(name)), *_],
                keywords=keywords,
            ) if NAME.fullmatch(name):
                yield name, next((plain(word.value) for word in keywords if word.arg == "default"), "")


def plain(default: ast.expr) -> str:
    """A default as a person writes it; empty where it is worked out."""
    match default:
        case ast.Constant(value=float() as number):
            return f"{number:g}"
        case ast.Constant(value=value):
            return str(value)
    return ""


def api_paths() -> set[str]:
    """`GET /apps/{app_id}` and so on: everything below one project."""
    return {
        f"{method} {PROJECT.sub('', path)}"
        for path, pattern in patterns(get_resolver().url_patterns)
        if PROJECT.match(path)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for view in [pattern.callback.view_class]  # type: ignore[attr-defined]  # a class-based view
        if hasattr(view, method.lower()) and method.lower() in view.http_method_names
    }


def patterns(known: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in known:
        path = before + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns, path)
        else:
            yield path, pattern


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def test_every_setting_is_explained_and_every_explained_setting_is_read() -> None:
    explained = {cells[0]: cells[1] for cells in rows("docs/settings.md", header="name")}

    assert sorted(explained) == sorted(settings_read())
    assert {name: explained[name] for name, default in settings_read().items() if default} == {
        name: default for name, default in settings_read().items() if default
    }


def test_the_example_of_the_environment_has_every_setting_and_what_compose_wants() -> None:
    of_compose = set(re.findall(r"\$\{([A-Z_]+)", read("compose.yaml")))
    of_ours = settings_read().keys() - {"RUNS_UNDER_UP"}

    named = re.findall(r"^# ([A-Z_]+)=", read(".env.example"), re.MULTILINE)

    assert sorted(named) == sorted(of_ours | of_compose)


def test_every_api_path_is_documented_and_every_documented_one_exists() -> None:
    documented = [cells[0] for cells in rows("docs/api.md", header="path") if " /" in cells[0]]
    beside_the_projects = {"POST /oauth2/token", "POST /callbacks/{channel}/{credential_id}",
                           "GET /healthz, GET /readyz"}  # fmt: skip

    assert sorted(set(documented) - beside_the_projects) == sorted(api_paths())
    assert beside_the_projects <= set(documented)


def test_every_trigger_is_documented_with_the_key_of_its_body() -> None:
    documented = {cells[0]: cells[1] for cells in rows("docs/webhooks.md", header="trigger")}

    assert documented == {trigger.value: key for trigger, key in BODY_KEYS.items()}
    assert set(documented) == {trigger.value for trigger in Trigger}


def test_a_trigger_is_said_to_fire_exactly_where_some_room_publishes_it() -> None:
    sources = "".join(
        path.read_text()
        for room in ("contacts", "conversations", "retention")
        for path in ROOT.glob(f"{room}/**/*.py")
    )
    published = set(re.findall(r"\bTrigger\.([A-Z_]+)", sources))

    said = {cells[0] for cells in rows("docs/webhooks.md", header="trigger") if cells[2] == "yes"}

    assert said == published


def test_the_signature_check_in_the_documentation_agrees_with_what_is_signed() -> None:
    code = re.search(r"```python\n(.*?)```", read("docs/webhooks.md"), re.DOTALL)
    assert code
    names: dict[str, object] = {}
    exec(code[1], names)  # noqa: S102 -- the page's own example
    is_genuine = names["is_genuine"]
    body, secret = signing.encode({"app_id": "Ünï"}), "s3cr3t"

    headers = signing.headers(body, secret, nonce="n0nce", timestamp=1_790_000_000)

    assert callable(is_genuine)
    assert is_genuine(headers, body, secret)
    assert not is_genuine(headers, body + b" ", secret)
    assert not is_genuine(headers, body, "another")
    assert len(code[1].strip().splitlines()) <= 10


def test_every_channel_is_documented_as_it_is() -> None:
    documented = {cells[0]: cells[1:] for cells in rows("docs/channels.md", header="channel")}

    assert set(documented) == {channel.value for channel in Channel}
    for channel in Channel:
        identity, credential, is_scoped, adapter = documented[channel]
        assert identity == ("phone number" if channel in PHONE_CHANNELS else "text"), channel
        assert credential.split(",")[0].split(" or ") == list(ALLOWED_KEYS[channel]), channel
        assert is_scoped == ("yes" if channel in APP_SCOPED else "no"), channel
        assert adapter == ("built in" if channel in ADAPTERS else "sandbox only"), channel


def test_every_ending_of_the_sandbox_is_documented() -> None:
    played = re.findall(r'case "(\d\d)"', read("gateway/channels/sandbox.py"))

    documented = [cells[0] for cells in rows("docs/channels.md", header="ending")]

    # 01 is what happens to any other number too.
    assert sorted(documented) == sorted({"01", *played, "any other"})


def test_every_command_of_the_house_is_documented() -> None:
    ours = {name for name, application in get_commands().items() if str(application).split(".")[0] in ROOMS}

    documented = [cells[0].split()[0] for cells in rows("docs/operating.md", header="command")]

    assert sorted(documented) == sorted(ours)


def test_every_policy_type_is_explained_to_the_lawyer() -> None:
    documented = [cells[0] for cells in rows("docs/retention.md", header="type")]

    assert documented == PolicyType.values


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", page.read_text())

    for path, fragment in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if fragment:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert fragment in {anchor(heading) for heading in headings}, f"{path}#{fragment}"

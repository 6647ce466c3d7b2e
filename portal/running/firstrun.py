"""The first administrator, the demo project and its key, and the file that tells of them."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from projects import keys
from projects.models import AccessKey, Account, Membership, Project, Role, User

_USERNAME = "admin"
_PROJECT = "Demo"
_KEY = "first run"


def path() -> Path:
    """Where the file is: JSON, mode 0600."""
    return Path(settings.DATA_DIR) / "first-run.json"


@transaction.atomic
def welcome(*, tell: Callable[[str], None]) -> dict[str, Any]:
    """What a newcomer needs, written to `path()` as well; what had to be made for it is told."""
    known = _read()
    if not User.objects.exists():
        known = {"password": secrets.token_urlsafe(12)}
        _make_demo(password=known["password"])
        tell(f"Made the first administrator, {_USERNAME}, and the project {_PROJECT}.")
    facts = {
        "base_url": settings.PUBLIC_URL,
        "admin_url": f"{settings.PUBLIC_URL}/admin/",
        "username": _USERNAME,
        **_password(known),
        **_demo_key(known, tell),
    }
    _write(facts)
    return facts


def _make_demo(*, password: str) -> None:
    admin = User.objects.create_superuser(_USERNAME, password=password)
    account = Account.objects.create(name=_PROJECT)
    project = Project.objects.create(account=account, name=_PROJECT)
    Membership.objects.create(project=project, user=admin, role=Role.ADMIN)


def _password(known: dict[str, Any]) -> dict[str, str]:
    """The generated password, as long as it opens the door."""
    admin = User.objects.filter(username=_USERNAME).first()
    password = known.get("password", "")
    if admin is None or not password or not admin.check_password(password):
        return {}
    return {"password": password}


def _demo_key(known: dict[str, Any], tell: Callable[[str], None]) -> dict[str, str]:
    """The demo project's key: the one in the file while it lives, else a new one."""
    is_demo = Q(pk=known["project_id"]) if "project_id" in known else Q(name=_PROJECT)
    project = Project.objects.filter(is_demo).order_by("created_at").first()
    if project is None:
        return {}
    facts = {"project_id": str(project.pk)}
    if AccessKey.objects.filter(pk=known.get("key_id"), project=project, revoked_at=None).exists():
        return facts | {"key_id": known["key_id"], "key_secret": known["key_secret"]}
    earlier = AccessKey.objects.filter(project=project, name=_KEY, revoked_at=None).order_by("created_at")
    still_valid = ", ".join(earlier.values_list("pk", flat=True))
    key, secret = keys.issue(project=project, name=_KEY)
    tell(f"Made an API key for {project.name}: {path().name} held none that works.")
    if still_valid:  # somebody may use them: they are not ours to revoke
        tell(f"Those made before are still valid ({still_valid}): revoke in the portal what nobody uses.")
    return facts | {"key_id": key.pk, "key_secret": secret}


def _read() -> dict[str, Any]:
    try:
        known = json.loads(path().read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(facts: dict[str, Any]) -> None:
    draft = path().with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(facts, file, indent=2)
    draft.replace(path())

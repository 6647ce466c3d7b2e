"""A preview as a page shows it, with a seal by which the page knows it again when the number is typed back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.core import signing

from projects.models import App
from retention import measuring, preview
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.models import RetentionPolicy
from retention.policies import PolicyType

SALT: Final = "retention preview"
LIFE: Final = timedelta(hours=24)  # then the number is asked for again


def context(policy: Policy, app: App, *, now: Any) -> dict[str, Any]:
    """What the preview's template shows."""
    seen = preview.preview(policy, app, at=now)
    newest = ruling.newest(app=app, scope=policy.scope)
    return {
        "preview": seen,
        "said": str(RetentionPolicy(retention_type=policy.retention_type, ttl_days=policy.ttl_days)),
        "is_by_conversation": policy.retention_type == PolicyType.CONVERSATION_EXPIRE_POLICY,
        "is_change": not policy.is_like(newest),
        "pace": measuring.pace(),
        "needs_ground": not policy.is_default,
        "demands_four_eyes": app.project.demands_four_eyes,
        "seal": signing.dumps([*_terms(policy, app), seen.newly.total.number], salt=SALT, compress=True),
    }


def shown(seal: str, policy: Policy, app: App) -> int | None:
    """The number that was shown for this very policy and app; None where the seal says nothing of it."""
    try:
        *terms, number = signing.loads(seal, salt=SALT, max_age=LIFE)
    except (signing.BadSignature, ValueError):
        return None
    return int(number) if terms == _terms(policy, app) else None


def _terms(policy: Policy, app: App) -> list[Any]:
    return [app.pk, str(policy.scope), str(policy.retention_type), policy.ttl_days]

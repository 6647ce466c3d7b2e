"""Querysets that are composed once: asked with other terms they give other rows, as the model has them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Q

from outbox.models import Lane
from outbox.questions import AnyTerm, Question, Term
from projects.models import App
from tests.factories import make_app

pytestmark = pytest.mark.django_db


def column(model: Any, name: str) -> Any:
    return model._meta.get_field(name)


def test_a_question_is_asked_again_with_other_terms() -> None:
    first, second = (Lane.objects.create(kind="letters", owner=uuid4()) for _ in range(2))
    question = Question(
        Lane.objects.filter(owner=Term("who", column(Lane, "owner"))).values_list("kind", "owner")
    )

    answers = [question.ask({"who": lane.owner}) for lane in (first, second)]

    assert answers == [[("letters", first.owner)], [("letters", second.owner)]]
    assert question.ask({"who": uuid4()}) == []


def test_ids_go_in_and_come_out_as_the_model_has_them() -> None:
    app, other = make_app(), make_app()
    of_any = Q(id=AnyTerm("ids", column(App, "id")))
    chosen = Question(App.objects.filter(of_any).order_by("id").values_list("id", "project"))
    others = Question(App.objects.filter(~of_any).values_list("id"))

    assert chosen.ask({"ids": [app.id, other.id]}) == [(app.id, app.project_id), (other.id, other.project_id)]
    assert (chosen.ask({"ids": []}), others.ask({"ids": [other.id]})) == ([], [(app.id,)])

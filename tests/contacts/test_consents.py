import pytest

from contacts import consents
from contacts.models import Consent, ConsentRecord
from contacts.resolving import Identity
from gateway.channels.base import Channel
from tests.factories import NOW, make_app
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db

SMS = Identity(Channel.SMS, "46700000001")


def opt_out(app, identity=SMS, contact_id=""):
    consents.opt_out(
        app=app,
        channel=identity.channel,
        identity=identity.identity,
        contact_id=contact_id,
        origin=ConsentRecord.Origin.ORIGIN_MO,
        now=NOW,
    )


def test_an_opt_out_is_listed_recorded_and_told_of(app, told):
    opt_out(app, contact_id="01J8Y3R0000000000000000003")

    assert Consent.objects.get(app=app).list_type == "OPT_OUT_ALL"
    record = ConsentRecord.objects.get(app=app)
    assert (record.origin, record.operation, record.recorded_at) == ("ORIGIN_MO", "OPERATION_INSERT", NOW)
    (callback,) = told(Trigger.OPT_OUT)
    assert callback["app_id"] == app.id
    notification = callback["opt_out_notification"]
    assert notification == {
        "request_id": notification["request_id"],
        "contact_id": "01J8Y3R0000000000000000003",
        "channel": "SMS",
        "identity": "46700000001",
        "status": "OPT_OUT_SUCCEEDED",
        "processing_mode": "CONVERSATION",
    }


def test_an_opt_out_that_comes_again_changes_nothing(app, told):
    opt_out(app)
    opt_out(app)

    assert ConsentRecord.objects.count() == 1
    assert len(told(Trigger.OPT_OUT)) == 1


def test_who_opted_out_did_so_on_one_channel_of_one_app(project, app):
    opt_out(app)
    mms, other = Identity(Channel.MMS, "46700000001"), Identity(Channel.SMS, "46700000002")

    assert consents.opted_out(app=app, identities=[SMS, mms, other]) == {SMS}
    assert consents.opted_out(app=make_app(project), identities=[SMS]) == set()
    assert consents.opted_out(app=app, identities=[]) == set()

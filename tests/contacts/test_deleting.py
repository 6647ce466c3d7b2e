import threading

import pytest
from django.db import IntegrityError, connection, transaction

from contacts.models import Contact
from conversations import conversing, merging
from conversations.models import Conversation
from tests.factories import NOW, make_app, make_contact


@pytest.mark.django_db(transaction=True)
def test_a_conversation_that_begins_while_its_contact_goes_does_not_begin(project):
    app = make_app(project)
    contact = make_contact(project, "46700000010")
    begun, gone = threading.Event(), threading.Event()
    outcome = []

    def begin():
        try:
            with transaction.atomic():
                conversing.join(app=app, contact=contact, accept_time=NOW, channel=None, now=NOW)
                begun.set()
                gone.wait(timeout=10)
        except IntegrityError as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=begin)
    thread.start()
    begun.wait(timeout=10)
    merging.delete_contact(Contact.objects.get(pk=contact.pk), now=NOW)
    gone.set()
    thread.join()

    assert len(outcome) == 1
    assert not Conversation.objects.exists()
    assert not Contact.objects.exists()

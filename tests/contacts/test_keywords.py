import pytest

from contacts import keywords
from contacts.models import ConsentList


@pytest.mark.parametrize("text", ["STOP", "stop", " Stop. ", "UNSUBSCRIBE", "Quit!", "stopall"])
def test_a_word_that_is_the_whole_text_opts_out_of_everything(text):
    wish = keywords.wish_in(text)

    assert wish is not None
    assert (wish.opts_out, list(wish.lists)) == (True, [ConsentList.OPT_OUT_ALL])


@pytest.mark.parametrize("text", ["START", "unstop", "Start."])
def test_another_opts_in_again_to_everything(text):
    wish = keywords.wish_in(text)

    assert wish is not None
    assert (wish.opts_out, set(wish.lists)) == (False, set(ConsentList))


@pytest.mark.parametrize("text", ["", "Don't stop", "STOP it", "stopp", "🦊", "Please START", "STOP\nSTART"])
def test_a_word_within_a_sentence_is_no_wish(text):
    assert keywords.wish_in(text) is None


def test_marketing_and_notifications_have_words_of_their_own():
    words = {
        "stop  marketing": (True, "OPT_OUT_MARKETING"),
        "start marketing": (False, "OPT_OUT_MARKETING"),
        "stop notifications": (True, "OPT_OUT_NOTIFICATION"),
        "start notifications": (False, "OPT_OUT_NOTIFICATION"),
    }

    for text, (opts_out, list_type) in words.items():
        assert keywords.wish_in(text) == keywords.Wish(opts_out, (ConsentList(list_type),))

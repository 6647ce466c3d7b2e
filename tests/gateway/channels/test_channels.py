from __future__ import annotations

import pytest

from gateway import channels
from gateway.channels.base import PHONE_CHANNELS, Channel
from gateway.channels.sandbox import Sandbox


def test_a_channel_without_an_adapter_says_so(settings, monkeypatch):
    settings.CHANNELS_SANDBOXED = frozenset()
    monkeypatch.delitem(channels.ADAPTERS, Channel.APPLEBC, raising=False)

    with pytest.raises(channels.NoAdapter, match="APPLEBC"):
        channels.adapter(Channel.APPLEBC)


@pytest.mark.parametrize("sandboxed", [{"*"}, {"SMS", "TELEGRAM"}])
def test_the_sandbox_serves_the_channels_that_the_settings_name(settings, sandboxed):
    settings.CHANNELS_SANDBOXED = frozenset(sandboxed)

    assert channels.is_sandboxed(Channel.TELEGRAM)
    assert isinstance(channels.adapter(Channel.TELEGRAM), Sandbox)
    assert channels.is_sandboxed(Channel.LINE) is (sandboxed == {"*"})


def test_the_sandbox_always_serves_its_own_channel(settings):
    settings.CHANNELS_SANDBOXED = frozenset()

    assert channels.is_sandboxed(Channel.SANDBOX)
    assert isinstance(channels.adapter(Channel.SANDBOX), Sandbox)


@pytest.mark.parametrize("channel", sorted(PHONE_CHANNELS))
@pytest.mark.parametrize("written", ["46700000001", "+46700000001", " 46700000001 ", "  +46700000001"])
def test_a_phone_number_is_kept_as_bare_digits(channel, written):
    assert channels.normalise(channel, written) == "46700000001"


@pytest.mark.parametrize(
    "written", ["", "+", "++46700000001", "1234", "1234567890123456", "4670000000a", "٤٦٧٠٠٠٠٠٠٠١", "46 700"]
)
def test_what_is_no_phone_number_is_refused_with_a_sentence(written):
    with pytest.raises(ValueError, match="international phone number of 5 to 15 digits"):
        channels.normalise(Channel.SMS, written)


def test_another_identity_is_kept_as_it_is_but_for_blanks_around_it():
    assert channels.normalise(Channel.MESSENGER, " 7746490198930851 ") == "7746490198930851"
    assert channels.normalise(Channel.VIBER, "+aB3/é==") == "+aB3/é=="


@pytest.mark.parametrize("written", ["", "  ", "x" * 256, "a\x00b", "a\nb"])
def test_an_empty_long_or_unprintable_identity_is_refused(written):
    with pytest.raises(ValueError, match="identity on TELEGRAM"):
        channels.normalise(Channel.TELEGRAM, written)

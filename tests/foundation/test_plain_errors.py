"""What an error may tell."""

import pytest
from sqlalchemy.exc import IntegrityError

from patrol.foundation.errors import Unavailable
from patrol.foundation.plain_errors import plain_error, shown_error, without_secrets
from patrol.foundation.texts import Text


@pytest.mark.parametrize(("text", "shown"), [
    ("no route to host", "no route to host"),
    ("OSError('canary@example.org refused by smtp.example.org')", "OSError('…@… refused by smtp.example.org')"),
    ("POST https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7c0f-4bc4-97a0-0ec2sifa5aaa failed", "POST https://… failed"),
    ("mailtos://clerk:s3cret@smtp.example.org?to=a%40b.org: away", "mailtos://… away"),
    ("call 139 5555-0142 or +8613955550142", "call … or …"),
    ("token Zk3-9fJQ2rT_8mLwX4vB7n refused", "token … refused"),
    ("issue 0190b7a2-0000-7000-8000-000000000001 is gone", "issue 0190b7a2-0000-7000-8000-000000000001 is gone"),
    ("answered 500 after 12 attempts, errno 111", "answered 500 after 12 attempts, errno 111"),
])
def test_secrets_are_left_out(text, shown):
    assert without_secrets(text) == shown


def test_a_fault_of_the_database_tells_no_values():
    error = IntegrityError("INSERT INTO people", {"phone": "13955550142"}, ValueError("Key (phone)=(13955550142)"))
    assert plain_error(error) == "IntegrityError(ValueError)"


def test_own_words_stay_and_nothing_gets_long():
    kept = plain_error(Unavailable(Text("对方系统回答 503", "The other system answered 503")))
    assert [shown_error(kept, language) for language in ("zh", "en")] == ["对方系统回答 503", "The other system answered 503"]
    assert len(plain_error(RuntimeError("word " * 500))) == 500
    assert len(plain_error(Unavailable(Text("字" * 500, "word " * 500)))) <= 500
    assert shown_error(plain_error(Unavailable(Text("字" * 500, "word " * 500))), "en").startswith("word word")


@pytest.mark.parametrize(("kept", "shown"), [
    ("Unavailable('The message was not taken by E-mail')", "The message was not taken by E-mail"),
    ('Unavailable("no such host")', "no such host"), ("OSError('away')", "OSError('away')"), ("IntegrityError(ValueError)", "IntegrityError(ValueError)"),
    ("Unavailable('The message was not tak", "Unavailable('The message was not tak"),
])
def test_what_was_kept_earlier_is_shown_without_the_name_of_its_class(kept, shown):
    assert shown_error(kept, "zh") == shown_error(kept, "en") == shown


def test_a_refusal_tells_no_secret_in_either_language():
    kept = plain_error(Unavailable(Text("无法送达 clerk@example.org", "clerk@example.org refused it")))
    assert (shown_error(kept, "zh"), shown_error(kept, "en")) == ("无法送达 …@…", "…@… refused it")

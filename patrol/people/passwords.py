"""Passwords: argon2id, at least eight characters, none of the most common; no rules of composition."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text

SHORTEST, LONGEST = 8, 200
# OWASP's second choice for argon2id: the default profile's 64 MiB for each of many threads would not fit one server.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Checked against when the account does not exist, so that the answer takes as long as with a wrong password.
_NOBODYS = _hasher.hash("a password that nobody has")

# From public lists of leaked passwords: those of at least eight characters that lead them, Chinese favourites included.
_COMMON = frozenset(
    """12345678 123456789 1234567890 11111111 00000000 88888888 66666666 87654321 987654321 12341234 11223344 123123123
    password password1 password123 passw0rd p@ssw0rd qwertyuiop qwerty123 1qaz2wsx 1q2w3e4r 1q2w3e4r5t asdfghjkl zxcvbnm1
    iloveyou iloveyou1 sunshine princess football baseball superman trustno1 whatever letmein1 welcome1 admin123 admin888
    administrator abcd1234 abc12345 a1234567 a12345678 a123456789 aa123456 aa12345678 qq123456 qq123456789 woaini1314
    woaini520 woaini123 5201314520 1314520520 5201314a zhang123 wang1234 123456abc 123456aa 123456789a 147258369 159357456
    computer internet michelle jennifer dearbook xiazhili1 hezhang123 hezhangzhi xunhe123 hechang123 hedao123 qwer1234
    asdf1234 zaq12wsx qazwsxedc 1qazxsw2 11111111a 99999999 55555555 77777777 22222222 33333333 44444444 12121212 10203040
    20202020 19491001 19900101 20080808 135792468 147852369 123321123 1234qwer qweasdzxc changeme changeit secret123
    default1 guest123 test1234 root1234 system123 master123 dragon123 monkey123 shadow123 charlie1 bailey12 starwars""".split()
)
_TOO_SHORT = Text("密码至少 8 个字符", "A password has at least 8 characters")
_TOO_LONG = Text("密码最多 200 个字符", "A password has at most 200 characters")
_TOO_COMMON = Text("这个密码太常见，请换一个", "This password is among the most common: choose another")


def fault_of_password(password: str) -> Text | None:
    """Return why `password` is too short, too long or too common; None when it is good enough."""
    if len(password) < SHORTEST:
        return _TOO_SHORT
    if len(password) > LONGEST:
        return _TOO_LONG
    return _TOO_COMMON if password.lower() in _COMMON else None


def hash_password(password: str, *, field: str = "password") -> str:
    """Return what is stored for `password`. Raises Invalid at `field` when it is too short, too long or too common."""
    if fault := fault_of_password(password):
        raise Invalid(fault, errors={field: [fault]})
    return _hasher.hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Tell whether `password` is the one stored; takes the same time when there is none."""
    try:
        _hasher.verify(stored or _NOBODYS, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None

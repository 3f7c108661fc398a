"""P3: malformed JSON to every route that takes JSON."""

import json

from tests.soak.openapi import Description, Operation, request_of, who_may
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server
from tests.soak.web import NoAnswer, Reply

# What no parser may take for JSON, after the classes of the JSONTestSuite (n_*).
NOT_JSON: tuple[bytes, ...] = (
    b"", b" ", b"{", b"}", b"[", b"]", b'"', b",", b":", b"{]", b"[}", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[1,,2]",
    b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a" 1}', b'{"a"::1}', b'{a:1}', b"{'a':1}", b'{"a":1}}',
    b'{"a":1} {"b":2}', b'{"a":1}#', b'{"a":1}/**/', b"// x\n{}", b"/*x*/{}", b"tru", b"TRUE", b"True", b"nul", b"None", b"undefined",
    b"NaN", b"[NaN]", b"Infinity", b"-Infinity", b'{"a":NaN}', b'{"a":-Infinity}', b"+1", b"01", b"-01", b"1.", b".5", b"1e", b"1e+",
    b"0x10", b"1_000", b"--1", b"[1eE2]", b'"\\x00"', b'"\\u12"', b'"\\uZZZZ"', b'"\\"', b'"a\nb"', b'"a\tb"', b'"\x00"', b'{"a":"\x1f"}',
    b"\xff", b"\xfe\xff\x00{", b'"\xff"', b'"\xc3\x28"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xc0\xaf"', b'{"\xff":1}',
    b"\xef\xbb\xbf{", b"<xml/>", b"a=1&b=2", b"--x\r\n\r\n", b"[" * 100, b"[" * 100_000, b'{"a":' * 50_000, b"[{" * 20_000,
)
# What is JSON, or is for some readers, and must be refused or understood, never fallen over.
ODD_JSON: tuple[bytes, ...] = (
    b"{}", b"[]", b"null", b"true", b"1", b'""', b'"text"', b"[{}]", b'{"":1}', b'{"a":1,"a":2}', b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"), "{}".encode("utf-32"), b'{"a":"\\ud800"}', b'{"\\udfff":1}', b'{"a":"\\u0000"}', b'{"\\u0000":1}',
    b'{"a":1e400}', b'{"a":-1e400}', b'{"a":1e-400}', b'{"a":' + b"9" * 5_000 + b"}", b'{"a":0.' + b"1" * 5_000 + b"}",
    b'{"a":' + b"[" * 63 + b"]" * 63 + b"}", b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", b"[" * 5_000 + b"]" * 5_000,
    json.dumps({"k" * 100_000: 1}).encode(), json.dumps({f"k{n}": n for n in range(10_000)}).encode(), b'{"__proto__":{"a":1}}',
    b'{"a":"\\ud83d\\ude00"}', b'{"a":"' + b"x" * 1_000_000 + b'"}', b" " * 100_000 + b"{}",
)
# What a field may hold that its schema did not think of.
ODD_VALUES = (
    None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 1e308, -1e308, 5e-324, 0.1, "", " ", "\u0000", "nan", "null", "x" * 100_000,
    [], [None], [[]], {}, {"a": 1}, "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "24:00",
    "00000000-0000-0000-0000-000000000000", "../../etc/passwd", ["x"] * 1000,
)


@proves("P3")
def malformed_json_is_refused_cleanly(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Send malformed bodies, and odd values in every field, to each JSON route: never 5xx, faults always as problems."""
    outcome.counts = {"routes": 0, "bodies": 0}
    operations = [each for each in Description(server.caller(None)).operations() if each.body_schema()]
    outcome.counts["routes"] = len(operations)
    for operation in operations:
        caller = server.caller(who_may(operation.permission))
        request = request_of(operation, server.world)
        for body in setup.sample(_bodies(request.json), least=8 if setup.alone else 4):
            if operation.name == "log_out":
                continue
            try:
                reply = caller.call(operation.method, request.path, body=body, headers={
                    **request.headers, "Content-Type": "application/json"})
            except NoAnswer as error:
                outcome.faults.append(f"{operation.name}: no answer to {body[:60]!r}: {error}")
                continue
            _judge(operation, body, reply, outcome)


def _bodies(valid: object) -> list[bytes]:
    bodies = [*NOT_JSON, *ODD_JSON]
    if isinstance(valid, dict):
        bodies += [json.dumps({**valid, name: value}).encode() for name in valid for value in ODD_VALUES]
        bodies += [json.dumps({key: value for key, value in valid.items() if key != name}).encode() for name in valid]
        bodies.append(json.dumps({**valid, "unknown_field": 1}).encode())
    return bodies


def _judge(operation: Operation, body: bytes, reply: Reply, outcome: Outcome) -> None:
    outcome.count("bodies")
    said = f"{operation.name}: {reply.status} to {body[:80]!r}"
    outcome.must(reply.status < 500, said)
    if reply.status >= 400:
        outcome.must(reply.media_type == "application/problem+json", f"{said} as {reply.media_type}")
    outcome.must(not reply.body or _is_strict_json(reply.body), f"{said}: the answer is no JSON")
    if body in NOT_JSON:
        outcome.must(reply.status in {400, 413, 422}, f"{said}: what is no JSON was taken: {reply.body[:200]!r}")
    if (reply.status < 300 and body not in NOT_JSON) or reply.status >= 400:
        outcome.must(str(reply.status) in operation.described["responses"], f"{said}: not in the description")


def _is_strict_json(body: bytes) -> bool:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(body, parse_constant=refuse)
    except ValueError:
        return False
    return True

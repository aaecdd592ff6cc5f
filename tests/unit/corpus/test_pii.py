"""Personal data: what is found, what stays, and that it is the same as plain Python finds over whole texts."""

import time

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hominis.corpus.pii import KINDS, PLACEHOLDERS, replaced
from tests.unit.corpus import plain_pii

FOUND = [
    ("email", "write to [john.doe@acme.it], please"),
    ("email", "<[a.b+tag@mail.co.uk]>"),
    ("email", "[née@exämple.de]"),
    ("email", "邮箱：[abc@qq.com]谢谢"),
    ("email", "see [a_b@acme.com].Then"),
    ("email", "mailto:[x@a-b.museum]?subject=y"),
    ("email", "dots...[x@acme.com]"),
    ("email", "“[x@acme.com]”"),
    ("email", "https://user:[secret@acme.com]/path"),
    ("ip_address", "from [93.184.216.34] port 22"),
    ("ip_address", "host [8.8.8.8] answers"),
    ("ip_address", "http://[9.9.9.9]/"),
    ("ip_address", "[31.13.24.8]:8080"),
    ("ip_address", "[193.206.135.7]-193"),
    ("ip_address", "at [2a01:4f8:c17::1]: no route"),
    ("ip_address", "[[2606:4700:4700::1111]]:443"),
    ("ip_address", "[2a00:1450:4001:081b:0000:0000:0000:200e]/64"),
    ("phone", "Tel. [06 12345678]"),
    ("phone", "[+39 06 1234567]"),
    ("phone", "[(+39) 02 1234567]"),
    ("phone", "[+44 (0)20 7946 0958]"),
    ("phone", "[+33 1 23 45 67 89]"),
    ("phone", "tel:[+493012345678]"),
    ("phone", "[+1 202-555-0143]"),
    ("phone", "[0039 06 1234567]"),
    ("phone", "[(030) 123456789]"),
    ("phone", "[0471/123456]"),
    ("phone", "[202-555-0143]"),
    ("phone", "[1-800-555-0199]"),
    ("phone", "[(202) 555-0143]"),
    ("phone", "[01 23 45 67 89]"),
    ("phone", "[333/1234567]"),
    ("phone", "[+1-909-375-3513x9332]"),
    ("phone", "[(810)893-5233 ext. 76]"),
    ("phone", "be [06 65 51 71 76] de"),
    ("phone", "[0121 496 0829],"),
    ("phone", "[020 7946 0958]"),
    ("phone", "Fax: [555 1234]"),
    ("phone", "phone number: [12345678]"),
    ("phone", "téléphone n° [12 34 56 78]"),
    ("iban", "IBAN [IT60 X054 2811 1010 0000 0123 456]"),
    ("iban", "[GB82WEST12345698765432]."),
    ("iban", "[DE89-3704-0044-0532-0130-00]"),
    ("iban", "[NO9386011117947]"),
    ("key", "id = '[AKIAQ4J5X7ZPLM2WNB3T]'"),
    ("key", "[ghp_16C7e42F292c6912E7710c838347Ae178B4a]"),
    ("key", "token: [github_pat_11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ0123456789]"),
    ("key", "[glpat-z_sxgtrfAxKr8q1TPY8Y]"),
    ("key", "[xoxb-123456789012-abcdefGHIJKL]"),
    ("key", "key=[AIzaSyA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1v]&q"),
    ("key", "[sk_live_4eC39HqLyjWDarjtT1zdp7dc]"),
    ("key", "OPENAI=[sk-proj-a1B2c3D4e5F6g7H8i9J0k1L2]"),
    ("key", "[npm_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8]"),
    ("key", "[pypi-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIzLTQ1Njc4OWFiY2RlZg]"),
    ("key", "[hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH]"),
    ("key", "[eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U]"),
    (
        "key",
        "[-----BEGIN RSA PRIVATE KEY-----\n" + "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeK\n" * 3
        + "-----END RSA PRIVATE KEY-----]\n",
    ),
]  # fmt: skip

STAYS = [
    "a@b @home user@host x@example.com me@example.org y@foo.test icon@2x.png",
    "git@github.com:hominis/hominis.git @decorator.name a @ b.com",
    "q@k.transpose(1, 2) x@w.to(device) A@B.T",
    "a" * 65 + "@acme.com",
    "10.0.0.1 127.0.0.1 192.168.1.200 172.16.0.254 169.254.169.254 224.0.0.251 255.255.255.0 100.64.0.200",
    "192.0.2.100 198.51.100.7 203.0.113.9 2001:db8::1 fe80::1 ::1 fd00:1234::1",
    "1.2.3.4 v193.184.216.34 version 193.184.216.34 pkg-193.184.216.34 Chrome/193.184.216.34 x==193.184.216.34",
    "//  20.2.3.5 bool_set Guile 193.0.5.130-5a1e7 5.10.102.1-generic ObjectIdentifier('1.3.101.112')",
    "3.1.2.1 Scope 2.5.29.17 1.3.6.1.4.1.311.20 93.184.216.34.5 256.184.216.34 093.184.216.034",
    "std::abs dead::beef 2023:10:11 12:00:00 00:1a:2b:3c:4d:5e 2003::: f2a01:4f8::1 2001::",
    "2023-11-02 10:11:12 02/11/2023 02-11-2023 01.02.2003 20231102101112 +0200 1e+10",
    "3.1415926535 -0.1234567890 +12.345678901 1,234,567,890 1000000 0x1234567890",
    "ISBN 978-0-306-40615-7 0-306-40615-2 88-15-12345-6 ISSN 0317-8471 4111 1111 1111 1111",
    "01 02 03 04 05 06 07 08 00 01 02 03 04 0000 0010 2030 4050 7061",
    "0a 01 02 03 04 05 6f 0123 4567 8901 7 0121 496 0829 020 7946 0958 1",
    "01-23-45-67-89-ab 1234567890 abc1234567 +1 234 2 + 3 3333333333",
    "2002-10-27 01:30:00 EDT-0400 / 2002-10-27 01:30:00 EST-0500",
    "Boston, MA 02110-1335, USA 1:10~+20191229111838+6991d5728f1",
    "Tel. 2023-11-02 hotel 1234567 cell 1234567 0000000",
    "GB82WEST12345698765433 XX82WEST12345698765432 GB82WEST123456987654321 GB82 WEST aGB82WEST12345698765432",
    "AKIAIOSFODNN7EXAMPLE AKIAXXXXXXXXXXXXXXXX AKIA ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ghp_short",
    "Buffer 01 02 03 04 05 sk-estimator-doc-link-fitted",
    "task-force sk-learn risk-adjusted-return-on-capital hf_hub_download npm_config_cache eyJ.eyJ.x glpat-",
    "-----BEGIN PUBLIC KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX\n-----END PUBLIC KEY-----",
    "<EMAIL> <IP_ADDRESS> <PHONE> <IBAN> <KEY>",
    "",
]


def column(*texts: str | None) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


@pytest.mark.parametrize(("kind", "marked"), FOUND)
def test_personal_data_is_replaced_by_its_kind(kind: str, marked: str) -> None:
    before, after = marked.index("["), marked.rindex("]")
    if marked.startswith("[["):
        before, after = 1, marked.index("]")
        plain = "[" + marked[2:after] + marked[after + 1 :]
    else:
        plain = marked[:before] + marked[before + 1 : after] + marked[after + 1 :]
    start, end = (1, after - 1) if marked.startswith("[[") else (before, after - 1)
    texts, spans = replaced(column(plain))
    assert spans.rows() == [(0, kind, start, end)]
    assert texts.to_pylist() == [plain[:start] + PLACEHOLDERS[kind] + plain[end:]]


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_personal_data_stays(text: str) -> None:
    texts, spans = replaced(column(text))
    assert spans.rows() == []
    assert texts.to_pylist() == [text]


def test_spans_count_characters_of_the_text_as_it_was() -> None:
    text = "è 🦀 x@acme.it ü +39 06 1234567 y@acme.it"
    _, spans = replaced(column("nothing", text))
    assert [(kind, text[start:end]) for _, kind, start, end in spans.rows()] == [
        ("email", "x@acme.it"),
        ("phone", "+39 06 1234567"),
        ("email", "y@acme.it"),
    ]
    assert spans["row"].to_list() == [1, 1, 1]
    assert spans.schema == pl.Schema({"row": pl.Int64, "kind": pl.String, "start": pl.Int64, "end": pl.Int64})


def test_texts_without_personal_data_are_given_back_as_they_are() -> None:
    given = column("one", "two")
    assert replaced(given)[0] is given


def test_null_and_slices_keep_their_place() -> None:
    given = column("a@acme.it", "x", None, "b@acme.it", "", "c@acme.it").slice(1, 4)
    texts, spans = replaced(given)
    assert texts.to_pylist() == ["x", None, "<EMAIL>", ""]
    assert spans.rows() == [(2, "email", 0, 9)]


def test_only_the_kinds_that_are_asked_for_are_replaced() -> None:
    texts, spans = replaced(column("x@acme.it +39 06 1234567"), kinds=("phone",))
    assert texts.to_pylist() == ["x@acme.it <PHONE>"]
    assert spans["kind"].to_list() == ["phone"]


HARD = [
    "eyJ-",
    "a@a.",
    "-----BEGIN PRIVATE KEY-----\n",
    "+39 06 ",
    "GB82 ",
    "tel 12 ",
    "1.2.3.",
    "2a01:",
    "sk-",
    "a..@",
]


@pytest.mark.parametrize("piece", HARD)
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    def seconds(size: int) -> float:
        given = column(piece * (size // len(piece)))
        begun = time.process_time()
        replaced(given)
        return time.process_time() - begun

    first = seconds(200_000)  # may compile
    assert min(first, seconds(200_000)) < 30 * max(seconds(20_000), 0.01)


def test_the_earlier_kind_wins_where_two_overlap() -> None:
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    texts, spans = replaced(column(f"https://{token}@acme.com/x.git"))
    assert KINDS.index("key") < KINDS.index("email")
    assert texts.to_pylist() == ["https://<KEY>@acme.com/x.git"]
    assert spans["kind"].to_list() == ["key"]


PIECES = [marked.replace("[", "").replace("]", "") for _, marked in FOUND if len(marked) < 90]
BITS = """
+ - . / ( ) : @ _ = < > \\ 0 1 00 39 +39 +1 +44 06 020 333 202 555 0143 1234567 12345678 2023 01 23 45 67
93.184.216.34 10. .8 255 2a01: ::1 4f8 :: ipv4 version v host tel Tel. téléphone fax: n° № phone
john é acme.it .com .de @acme.co.uk example.com git@ git -x. .. IT60 X0542811101000000123456 DE89 37040044
NO93 86011117947 ghp_ AKIA 16C7e42F292c6912E7710c838347Ae178B4a eyJ -----BEGIN xoxb- sk_live_ – 🦀
""".split()
SPACES = (" ", "\n", "\u00a0")
CHARACTERS = st.sampled_from([*" -.:/()+@019aZé_\\\n\u00a0–"])
EDITS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 2), st.one_of(st.just(""), CHARACTERS)), max_size=2)


def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for at, gone, new in edits:
        text = text[:at] + new + text[at + gone :]
    return text


near = st.builds(edited, st.sampled_from(PIECES), EDITS)
texts = st.lists(
    st.one_of(st.sampled_from(BITS), st.sampled_from(SPACES), near, near, st.text(max_size=4)), max_size=10
).map("".join)


def found(text: str) -> list[tuple[str, int, int]]:
    return [(kind, start, end) for _, kind, start, end in replaced(column(text))[1].rows()]


@settings(max_examples=400, deadline=None)
@given(texts)
def test_the_kernel_passes_over_nothing(text: str) -> None:
    assert found(text) == plain_pii.asked_everywhere(text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from("@ . - git é a.it x@b.com \\ n ( ".split(" ")), st.text(max_size=3))).map(
        "".join
    )
)
@example("x@a.it.-b.com")
@example("icon@2x.ai a..b@c.de")
def test_addresses_are_those_of_plain_python(text: str) -> None:
    expected = plain_pii.emails(text)
    assert {(start, end) for kind, start, end in found(text) if kind == "email"} >= _apart(expected)
    assert bool(expected) == bool(replaced(column(text), ("email",))[1].height)


def _apart(spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the spans that overlap no other."""
    return {one for one in spans if all(other is one or other[1] <= one[0] or one[1] <= other[0] for other in spans)}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "IT60",
                "X0542811101000000123456",
                "DE89",
                "37040044",
                "0532013000",
                "NO93",
                "8601",
                "1117947",
                " ",
                "-",
                "\u00a0",
                "A",
                ".",
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_account_numbers_are_those_of_plain_python(text: str) -> None:
    spans = replaced(column(text), ("iban",))[1]
    assert set(spans.select("start", "end").rows()) == plain_pii.ibans(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.ip_addresses().map(int))))
def test_public_addresses_are_those_of_the_registry(addresses: list[object]) -> None:
    text = " host ".join(map(str, ["", *addresses, ""]))
    spans = replaced(column(text), ("ip_address",))[1]
    assert {text[start:end] for start, end in spans.select("start", "end").rows()} == plain_pii.public_addresses(text)


def test_public_addresses_of_version_6_begin_as_the_kernel_asks() -> None:
    every = [f"{group:04x}::1" for group in range(0, 2**16, 16)]
    assert {address for address in every if address[0] in "23"} >= plain_pii.public_addresses(" ".join(every))


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=4))
def test_replaced_text_replaced_again_stays(given_texts: list[str]) -> None:
    once = replaced(column(*given_texts))[0]
    again, spans = replaced(once)
    assert again.equals(once)
    assert spans.is_empty()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(texts, st.none()), max_size=6), st.data())
def test_rows_of_a_slice_are_replaced_as_if_alone(given_texts: list[str | None], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(given_texts)))
    output, spans = replaced(column(*given_texts).slice(first))
    alone = [replaced(column(text)) for text in given_texts[first:]]
    assert output.to_pylist() == [text for one, _ in alone for text in one.to_pylist()]
    assert spans.rows() == [(row, *rest) for row, (_, of) in enumerate(alone) for _, *rest in of.rows()]


@settings(max_examples=200, deadline=None)
@given(texts)
def test_spans_are_apart_and_what_lies_between_them_stays(text: str) -> None:
    output, spans = replaced(column(text))
    rebuilt, done = "", 0
    for _, kind, start, end in spans.rows():
        assert done <= start < end
        rebuilt += text[done:start] + PLACEHOLDERS[kind]
        done = end
    assert rebuilt + text[done:] == output[0].as_py()

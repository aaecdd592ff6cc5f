"""Nothing that looks like a secret, or is called one, is recorded."""

from pathlib import Path

import pytest

from hominis.store.redact import HIDDEN, environment, redact

SHAPED = [
    "hf_" + "a1B2c3D4" * 4,
    "ghp_" + "A1b2C3d4" * 5,
    "github_pat_" + "11AABB22cc" * 3,
    "AKIA" + "ABCDEFGH12345678",
    "sk-" + "proj1234567890abcdefgh",
    "xoxb-" + "123456789012-abcdefghij",
    "glpat-" + "abcdefgh12345678901",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstu",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJl",
    "pypi-" + "AgEIcHlwaS5vcmcCJDAw",
]


@pytest.mark.parametrize("secret", SHAPED)
def test_secrets_are_known_by_their_shape(secret):
    assert redact(f"cloning with {secret} now", {}) == f"cloning with {HIDDEN} now"


@pytest.mark.parametrize("name", ["API_KEY", "MY_SECRET", "hf_token", "DB_PASSWORD", "AUTH_HEADER", "AWS_CREDENTIAL_X"])
def test_values_of_secret_variables_are_hidden_wherever_they_stand(name):
    assert "correct-horse" not in redact("it said correct-horse!", {name: "correct-horse"})
    assert "battery9" not in redact(f"{name}=battery9 was set", {})


def test_the_password_of_an_address_is_hidden():
    assert redact("https://me:open5esame@example.org/x", {}) == f"https://{HIDDEN}@example.org/x"


def test_hashes_and_paths_stay_readable():
    text = "site/store/ab/abcdef: its SHA-256 is " + "0f" * 32
    assert redact(text, {}) == text


def test_the_environment_is_recorded_by_an_allow_list():
    recorded = environment({"HF_TOKEN": "hf_abc", "SLURM_JOB_ID": "7", "HOME": "/home/x", "OMP_NUM_THREADS": "2"})
    assert recorded["HF_TOKEN"] == HIDDEN
    assert recorded["SLURM_JOB_ID"] == "7"
    assert "HOME" not in recorded


@pytest.mark.parametrize(
    "text",
    [
        "tokenise: 3 of 17 parts could not be had",
        "KeyError: 'text'",
        "tokens: 500, author: Bob, keyboard = off",
        f"{Path.cwd()}/site/store/x: its SHA-256 is {'ab' * 32}, its receipt says {'cd' * 32}",
        "tokenizer.json has no token <|endoftext|>",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "{'api_key': 'hunter2hunter2'}",
        '{"password": "hunter2hunter2"}',
        "run --token hunter2hunter2 now",
        "https://hunter2hunter2@host.example/simple",
        "password: hunter2hunter2",
        "MY_AUTH=hunter2hunter2",
    ],
)
def test_secrets_in_running_text_are_hidden(text):
    assert "hunter2" not in redact(text, {})


def test_a_path_in_a_secret_variable_is_not_hidden(tmp_path):
    assert redact(f"wrote {tmp_path}/x", {"SSH_AUTH_SOCK": str(tmp_path)}) == f"wrote {tmp_path}/x"

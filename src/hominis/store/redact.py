"""What is recorded of the environment, with the secrets taken out by name and by shape."""

import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path

NAMES = re.compile(r"KEY|SECRET|TOKEN|PASSW|AUTH|CREDENTIAL", re.IGNORECASE)
RECORDED = re.compile(r"^(SLURM_|HOMINIS_|OMP_|MKL_|OPENBLAS_|CUDA_|NCCL_|HF_|PYTHON|CONDA_|VIRTUAL_ENV)")
SHAPES = re.compile(
    r"""-----BEGIN[A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END[A-Z ]*-----|\Z)
    | \b(?:hf|gh[pousr]|github_pat|glpat|npm|pypi|xox[abprs]|sk|rk|pk)[_-][A-Za-z0-9_\-]{16,}
    | \bA(?:KIA|SIA)[0-9A-Z]{16}\b
    | \bAIza[0-9A-Za-z_\-]{30,}
    | \beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*
    | (?<=://)[^/\s@]+(?=@)
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/\-]{8,}=*
    | (?<=[Bb]asic\ )[A-Za-z0-9+/]{8,}=*
    """,
    re.VERBOSE,
)
HIDDEN = "[redacted]"

# In running text a name counts only as whole words between _ and -: "tokenise: 3", "KeyError: 'x'" are not secrets.
_STRONG = r"(?:api[_-]?key|secret|token|password|passwd|credentials?)"
_NAME, _STRONG_NAME = (
    rf"(?<![A-Za-z0-9])(?:[A-Za-z0-9]+[_-])*{word}(?:[_-][A-Za-z0-9]+)*(?![A-Za-z0-9])"
    for word in (rf"(?:{_STRONG}|key|auth|authorization)", _STRONG)
)
ASSIGNED = re.compile(
    rf"""({_NAME}['"]?\s*=\s*['"]?|{_NAME}['"]\s*:\s*['"]|{_STRONG_NAME}\s*:\s+['"]?|--{_NAME}\s+)[^\s'"]+""",
    re.IGNORECASE,
)


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return ``text`` without anything that looks like a secret or is the value of a secret variable."""
    for name, value in environment.items():
        if NAMES.search(name) and _is_secret(value):
            text = text.replace(value, HIDDEN)
    return SHAPES.sub(HIDDEN, ASSIGNED.sub(rf"\g<1>{HIDDEN}", text))


def _is_secret(value: str) -> bool:
    """Short values are words that stand everywhere; a path says where a secret is, and is no secret itself."""
    try:
        return len(value) >= 6 and not Path(value).exists()
    except OSError:  # too long for a path
        return True


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what of the surroundings can explain a difference between two attempts, redacted."""
    kept = {name: value for name, value in sorted(variables.items()) if RECORDED.search(name)}
    shown = {name: HIDDEN if NAMES.search(name) else redact(value, variables) for name, value in kept.items()}
    return {"python": sys.version.split()[0], "platform": platform.platform(), **shown}

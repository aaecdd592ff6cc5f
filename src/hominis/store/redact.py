"""What is recorded of the environment, with the secrets taken out by name and by shape."""

import os
import platform
import re
import sys
from collections.abc import Mapping

NAMES = re.compile(r"KEY|SECRET|TOKEN|PASSW|PWD\b|AUTH|CREDENTIAL", re.IGNORECASE)
RECORDED = re.compile(r"^(SLURM_|HOMINIS_|OMP_|MKL_|OPENBLAS_|CUDA_|NCCL_|HF_|PYTHON|CONDA_|VIRTUAL_ENV)")
SHAPES = re.compile(
    r"""-----BEGIN[A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END[A-Z ]*-----|\Z)
    | \b(?:hf|gh[pousr]|github_pat|glpat|npm|pypi|xox[abprs]|sk|rk|pk)[_-][A-Za-z0-9_\-]{16,}
    | \bA(?:KIA|SIA)[0-9A-Z]{16}\b
    | \bAIza[0-9A-Za-z_\-]{30,}
    | \beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/\-]{8,}=*
    | (?<=[Bb]asic\ )[A-Za-z0-9+/]{8,}=*
    """,
    re.VERBOSE,
)
HIDDEN = "[redacted]"


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return ``text`` without anything that looks like a secret or is the value of a secret variable."""
    for name, value in environment.items():
        if NAMES.search(name) and len(value) >= 6:  # shorter values are words like "none" that stand everywhere
            text = text.replace(value, HIDDEN)
    text = re.sub(rf"(?i)\b(\w*(?:{NAMES.pattern})\w*\s*[=:]\s*)(?!\[)\S+", rf"\g<1>{HIDDEN}", text)
    return SHAPES.sub(HIDDEN, text)


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what of the surroundings can explain a difference between two attempts, redacted."""
    kept = {name: value for name, value in sorted(variables.items()) if RECORDED.search(name)}
    shown = {name: HIDDEN if NAMES.search(name) else redact(value, variables) for name, value in kept.items()}
    return {"python": sys.version.split()[0], "platform": platform.platform(), **shown}

"""Every message of the conformance protocol, once."""

from __future__ import annotations

from typing import Any

POINTS = [[0.0, 1.5], [2.0, "NaN"]]
TWO = [-0.25, "Infinity"]
FIVE = [0.1, 0.2, 0.3, 0.4, 0.5]
INSIDE = [False, True]
VALUES: dict[str, Any] = {"observed": TWO}

REQUESTS: dict[str, dict[str, Any]] = {
    "start": {"protocol": 1},
    "open": {"seq": 1, "bundle": "a/b.llb.zip"},
    "describe": {"seq": 2},
    "evaluate": {"seq": 3, "signals": [{"SR[0]": 1.5}, {}], "curves": ["observed"], "mu": -0.5},
    "gradient": {"seq": 4, "points": POINTS, "curves": ["observed", "apriori"]},
    "limits": {"seq": 5, "points": POINTS, "level": 0.95},
    "log_prob": {"seq": 6, "points": POINTS, "conditions": [[1.0], [2.0]]},
    "sample": {"seq": 7, "noise": POINTS},
    "close": {"seq": 8},
    "stop": {"seq": 9},
}
SIGNAL = {
    "cls_observed": 0.03,
    "cls_expected": FIVE,
    "cls_apriori": FIVE,
    "upper_limit_observed": "Infinity",
    "upper_limit_expected": FIVE,
    "upper_limit_apriori": ["NaN"] * 5,
}
REPLIES: dict[str, dict[str, Any]] = {
    "started": {
        "protocol": 1,
        "implementation": {
            "name": "loader",
            "version": "1.2",
            "language": "C++",
            "homepage": "https://example.org",
            "issues": "https://example.org/issues",
        },
        "format_versions": ["0.1", "1.0"],
        "classes": ["core", "limits"],
    },
    "opened": {"seq": 1, "format_version": "1.0.0", "inputs": ["SR[0]", "SR[1]"]},
    "described": {
        "seq": 2,
        "id": "x",
        "version": "1.0.0",
        "inputs": ["SR[0]", "SR[1]"],
        "curves": {"observed": 12.5},
        "lower": [0.0, 0.0],
        "upper": [9.0, 9.0],
    },
    "values": {"seq": 3, "delta_nll": VALUES, "sigma": VALUES, "out_of_domain": INSIDE},
    "gradients": {"seq": 4, "gradient": {"observed": POINTS}, "out_of_domain": INSIDE},
    "limits": {"seq": 5, "signals": [SIGNAL, SIGNAL], "out_of_domain": INSIDE},
    "log_probs": {"seq": 6, "log_prob": ["-Infinity", -3.5], "out_of_domain": INSIDE},
    "samples": {"seq": 7, "samples": POINTS},
    "closed": {"seq": 8},
    "stopped": {"seq": 9},
    "rejected": {"seq": 1, "stage": "archive", "code": "LLB-A001", "pointer": "", "message": "no bundle"},
    "unsupported": {"seq": 7, "what": "sample"},
    "skipped": {"seq": 7, "message": "known fault", "issue_url": "https://example.org/1"},
    "errored": {"seq": 7, "context": {"message": "out of memory", "traceback": "main"}},
}
MESSAGES = [
    *({"cmd": name, **rest} for name, rest in REQUESTS.items()),
    *({"reply": name, **rest} for name, rest in REPLIES.items()),
]

"""`publish`: what the DNS has to say before a CA believes us, and whether it does."""

import json
import re

import pytest


def findings(result):
    return {(f["check"], f["of"]): f
            for f in json.loads(result.out.splitlines()[-1])["findings"]}

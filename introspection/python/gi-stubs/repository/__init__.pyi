# SPDX-License-Identifier: MIT
# Namespaces without stubs are there, too.

from typing import Any

def __getattr__(name: str) -> Any: ...

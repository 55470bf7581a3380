"""NATS' users in a cluster: `python -m k8s.nats` writes k8s/infra/nats/users.conf, with the very rights that `make up` gives.

Passwords come from the environment of the server: `$ORDERS` is that of `orders` (Secret `nats-users`). NATS reads such a
variable as a value of its configuration, so a password has to begin with a letter: `4-x` would be half a date.
"""

import json
from pathlib import Path

from local.nats import ADMIN, permissions_of
from local.topology import SERVICES

USERS_FILE = Path(__file__).parent / "infra" / "nats" / "users.conf"
_HEADER = """\
# Written by `python -m k8s.nats` from local/nats.py and the list of services: change those.
# Who may say and hear what. Passwords are in the server's environment (Secret nats-users); each begins with a letter.
"""


def users_conf() -> str:
    """The `authorization` part of NATS' configuration: a user per service, and the one that makes streams."""
    users = "".join(_user(name) for name in SERVICES)
    return f"{_HEADER}authorization {{\n  users: [\n{users}    {{user: {ADMIN}, password: ${ADMIN.upper()}}}\n  ]\n}}\n"


def _user(name: str) -> str:
    rights = permissions_of(name)
    lines = [f"    {{user: {name}, password: ${name.upper()}, permissions: {{"]
    for verb in ("publish", "subscribe"):
        rule = rights[verb]
        lines.append(f"      {verb}: {{allow: [")
        lines += [f"        {json.dumps(subject)}" for subject in rule["allow"]]
        lines.append("      ]}")
    answers = rights["allow_responses"]
    lines.append(f"      allow_responses: {{max: {answers['max']}, expires: {json.dumps(answers['expires'])}}}")
    return "\n".join([*lines, "    }}", ""])


def main() -> None:
    """The command line."""
    USERS_FILE.write_text(users_conf())


if __name__ == "__main__":
    main()

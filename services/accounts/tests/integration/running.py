"""A running service of accounts for tests, and who uses it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.accounts.settings import AccountsSettings

PASSWORD = "correct horse battery"
ADA = {"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada Lovelace"}


def write_key(file: Path) -> Path:
    key = Ed25519PrivateKey.generate()
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


@dataclass
class Running:
    """A running service of accounts, called by web."""

    http: httpx.AsyncClient
    settings: AccountsSettings

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.http.post(path, json=body)

    async def me(self, token: str) -> httpx.Response:
        return await self.http.get("/people/me", headers={"Onsale-Person": token})

    async def tell(self, token: str, **changes: Any) -> httpx.Response:
        return await self.http.patch("/people/me", json=changes, headers={"Onsale-Person": token})

    async def sql(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]

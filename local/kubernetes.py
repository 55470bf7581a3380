"""The little of Kubernetes' API that a Job of ours uses: the Secrets of its own namespace."""

import base64
import json
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from local.cluster_secrets import Document, Documents
from local.errors import StartError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API = "https://kubernetes.default.svc"
TIMEOUT_SECONDS = 10.0
LABELS = {"app.kubernetes.io/part-of": "onsale", "app.kubernetes.io/managed-by": "onsale-secrets"}


class Cluster:
    """The Secrets of one namespace. A context manager. Raises httpx.HTTPError when the API refuses or does not answer."""

    def __init__(self, http: httpx.Client, namespace: str) -> None:
        self._http = http
        self._path = f"/api/v1/namespaces/{namespace}/secrets"

    @classmethod
    def around_me(cls) -> Self:
        """The cluster in whose pod this runs. Raises StartError anywhere else."""
        try:
            token = (ACCOUNT / "token").read_text()
            namespace = (ACCOUNT / "namespace").read_text()
        except OSError as error:
            raise StartError(
                f"This does not run in a pod with a service account's token ({error}). It is a Job of k8s/infra/local."
            ) from error
        headers = {"Authorization": f"Bearer {token}"}
        verify = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        # Many clusters' own authorities lack what Python has asked of certificates since 3.13 (a key usage); the chain is verified.
        verify.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return cls(
            httpx.Client(base_url=API, headers=headers, verify=verify, timeout=TIMEOUT_SECONDS, trust_env=False),
            namespace,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def secrets(self) -> Documents:
        """All Secrets, by name, decoded."""
        listing = self._http.get(self._path).raise_for_status().json()
        return {item["metadata"]["name"]: _decoded(item) for item in listing["items"]}

    def create_secret(self, name: str, document: Document) -> None:
        """Makes a Secret that is not there."""
        self._http.post(self._path, json=_encoded(name, document)).raise_for_status()

    def complete_secret(self, name: str, document: Document) -> None:
        """Puts data into a Secret that is there; its labels and whatever else it has stay."""
        body = json.dumps({"data": _encoded(name, document)["data"]})
        headers = {"Content-Type": "application/merge-patch+json"}
        self._http.patch(f"{self._path}/{name}", content=body, headers=headers).raise_for_status()


def _decoded(item: dict[str, Any]) -> Document:
    data = {key: base64.b64decode(value).decode(errors="replace") for key, value in (item.get("data") or {}).items()}
    return Document(item.get("type", "Opaque"), data)


def _encoded(name: str, document: Document) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": LABELS},
        "type": document.type,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in document.data.items()},
    }

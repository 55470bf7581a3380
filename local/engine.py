"""The container engine, through whichever `docker` client on the path can build here."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.errors import StartError

LAST_LINES = 30
BUILDKIT_BUILT_IN_UNTIL = 23  # from this client on, building needs the plugin buildx

NO_CLIENT = (
    "Images are built by a container engine, and there is no `docker` on the path. Install one "
    "(Debian: apt-get install docker.io; elsewhere Docker Desktop, Rancher Desktop, colima), then run this again."
)
NOT_RUNNING = (
    "No container engine answers ({reason}). Start it (Linux: systemctl start docker; elsewhere open the application), "
    "or let this user reach it (group `docker`), then run this again."
)
NO_BUILDKIT = (
    "This `docker` ({clients}) cannot build with BuildKit, since its plugin buildx is missing. Install it "
    "(Debian 13: apt-get install docker-buildx; Docker's own packages: docker-buildx-plugin), then run this again."
)


class BuildFailed(Exception):
    """The engine could not build an image; the text ends with what it said last."""


@dataclass(frozen=True)
class Engine:
    """A client that reaches an engine and can build. `building` are the words of a build, `environment` what it needs."""

    client: str
    building: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    def find(cls) -> "Engine":
        """The first client on the path that can do it. Raises StartError with a sentence that says what to do."""
        clients = list(_clients())
        if not clients:
            raise StartError(NO_CLIENT)
        reasons = []
        for client in clients:
            try:
                reached, said = _version(client)
            except (OSError, subprocess.TimeoutExpired) as error:
                reached, said = False, str(error)
            if not reached:
                reasons.append(said)
            elif engine := _able(client, said):
                return engine
        if len(reasons) == len(clients):
            raise StartError(NOT_RUNNING.format(reason=reasons[0]))
        raise StartError(NO_BUILDKIT.format(clients=", ".join(clients)))

    def run(self, *arguments: str, seconds: float = 120.0) -> str:
        """The output of `docker arguments`. Raises StartError with what it said if it fails."""
        done = self.attempt(*arguments, seconds=seconds)
        if done.returncode != 0:
            raise StartError(f"docker {' '.join(arguments[:3])}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def attempt(self, *arguments: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """`docker arguments`, whatever comes of it. Raises StartError if nothing does."""
        command = [self.client, *arguments]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=seconds, errors="replace"
            )
        except subprocess.TimeoutExpired as error:
            raise StartError(f"docker {' '.join(arguments[:3])} did not end within {seconds:g} s.") from error

    def has_image(self, name: str) -> bool:
        """Whether the engine has this image already."""
        return self.image_id(name) is not None

    def image_id(self, name: str) -> str | None:
        """The image that has this name, if there is one."""
        done = self.attempt("image", "inspect", "--format", "{{.Id}}", name)
        return done.stdout.strip() if done.returncode == 0 else None

    def build(
        self,
        context: Path,
        *,
        tags: Sequence[str],
        file: Path | None = None,
        target: str | None = None,
        arguments: Mapping[str, str] | None = None,
        secrets: Mapping[str, Path] | None = None,
    ) -> None:
        """Builds one image. `secrets` are files that the build may read and that stay in no layer. Raises BuildFailed.

        Images that had the tags and have no other are removed; without tags, the outcome is only remembered for later builds.
        """
        before = [known for tag in tags if (known := self.image_id(tag))]
        with tempfile.TemporaryDirectory(prefix="onsale-build-") as folder:
            made = Path(folder) / "made"
            self._build(context, tags, ["--iidfile", str(made)], file, target, arguments or {}, secrets or {})
            now = made.read_text(encoding="utf-8").strip()
        for image in before if tags else [now]:
            if image != now or not tags:
                self.attempt("image", "rm", image)  # refused where it has another tag or runs: then it stays

    def _build(
        self,
        context: Path,
        tags: Sequence[str],
        more: Sequence[str],
        file: Path | None,
        target: str | None,
        arguments: Mapping[str, str],
        secrets: Mapping[str, Path],
    ) -> None:
        words = [self.client, *self.building, "--progress=plain", *more]
        words += [word for tag in tags for word in ("--tag", tag)]
        words += ["--file", str(file)] if file else []
        words += ["--target", target] if target else []
        for name, value in arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        for name in _proxies():
            words += ["--build-arg", name]  # the client takes the value from the environment
        for name, source in secrets.items():
            words += ["--secret", f"id={name},src={source}"]
        done = subprocess.run(
            [*words, str(context)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, **self.environment},
        )
        if done.returncode != 0:
            raise BuildFailed("\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-LAST_LINES:]))


def _clients() -> Iterator[str]:
    """Every `docker` on the path; a newer one may hide an older one that can build."""
    folders = dict.fromkeys(Path(each).resolve() for each in os.get_exec_path() if each)
    for folder in folders:
        if os.access(folder / "docker", os.X_OK):
            yield str(folder / "docker")


def _version(client: str) -> tuple[bool, str]:
    """Whether the client reaches an engine; then the client's version, else why not."""
    done = subprocess.run(
        [client, "version", "--format", "{{.Client.Version}} {{.Server.Version}}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if done.returncode != 0:
        return False, (done.stderr.strip().splitlines() or ["no answer"])[-1]
    return True, done.stdout.split()[0]


def _able(client: str, version: str) -> Engine | None:
    """How this client builds with BuildKit, if it can."""
    plugin = subprocess.run([client, "buildx", "version"], capture_output=True, check=False, timeout=30)
    if plugin.returncode == 0:
        return Engine(client, ("buildx", "build", "--load"), {})
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < BUILDKIT_BUILT_IN_UNTIL:
        return Engine(client, ("build",), {"DOCKER_BUILDKIT": "1"})
    return None


def _proxies() -> list[str]:
    """The proxies of this environment, which BuildKit hands over without keeping them in the image."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return [name for each in names for name in (each, each.lower()) if os.environ.get(name)]

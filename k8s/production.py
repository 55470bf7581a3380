"""What production is promised: one pod, one server or one zone may go, and nothing that was acknowledged is lost."""

from collections.abc import Iterator

from k8s.objects import COMPONENT, NAME, Build, Object, at, matches
from k8s.places import Place, variables
from k8s.presence import fewest_pods
from local.topology import SERVICES

Found = Iterator[tuple[str, str]]
# How few of each kind (label onsale.dev/kind) there may be: two pods share the work, three brokers can outvote one.
FEWEST = {"service": 2, "broker": 3}
INSTANCES = 3
STREAM_REPLICAS = "3"
# Sent by chassis/db.py when it connects; a pooler refuses what it does not ignore by its settings.
IGNORED = ("statement_timeout", "jit")


def outlives_one(place: Place) -> Found:
    """There are enough of everything, and no drained node takes more than one of them."""
    if place.plan.environment != "production":
        return
    for pod in place.all.pods():
        wanted = FEWEST.get(pod.kind)
        if wanted is None:
            continue
        if (number := fewest_pods(place.all, pod.owner)) < wanted:
            yield (
                pod.owner.where,
                f"may be {number} alone. Let there be {wanted}: replicas, or its autoscaler's minimum.",
            )
        if not any(matches(each.spec.get("selector"), pod.labels) for each in place.all.of_kind("PodDisruptionBudget")):
            yield pod.owner.where, "has no PodDisruptionBudget: drained nodes may take all of it. Add one."
    for each in place.all.of_kind("Cluster"):
        if (number := int(each.spec.get("instances", 1))) < INSTANCES:
            yield (
                each.where,
                f"has {number} instances. Set spec.instances: {INSTANCES}: a primary and two to take its place.",
            )
    yield from _streams(place)


def _streams(place: Place) -> Found:
    for pod in place.all.pods():
        if pod.labels.get(NAME) == "stream":
            for container in pod.containers():
                if (said := variables(place, container).get("STREAM_REPLICAS", "1")) != STREAM_REPLICAS:
                    yield pod.owner.where, f"makes a stream of {said} replicas. Set STREAM_REPLICAS={STREAM_REPLICAS}."


def databases_keep_their_word(place: Place) -> Found:
    """A commit is on two disks and in the archive; poolers pass on what services send; migrations go past them."""
    if place.plan.environment != "production":
        return
    for each in place.all.of_kind("Cluster"):
        yield from ((each.where, sentence) for sentence in _kept(place.all, each))
    for each in place.all.of_kind("Pooler"):
        yield from ((each.where, sentence) for sentence in _pooled(each))
    for pod in place.all.pods():
        service = pod.labels.get(NAME, "")
        if service in SERVICES and pod.labels.get(COMPONENT) == "migration":
            for container in pod.containers():
                url = variables(place, container).get("ONSALE_DATABASE_URL", "")
                if f"@{service}-postgres-rw:" not in url:
                    host = url.rpartition("@")[2].partition(":")[0] or "nowhere"
                    yield (
                        pod.owner.where,
                        f"migrates by {host}: a pooler would share the session that holds its lock. Go to {service}-postgres-rw.",
                    )


def _kept(build: Build, cluster: Object) -> Iterator[str]:
    synchronous = at(cluster.spec, "postgresql", "synchronous", default={})
    if synchronous.get("dataDurability", "required") != "required" or not synchronous.get("number"):
        yield "acknowledges what is on one disk only. Set postgresql.synchronous: number 1, dataDurability required."
    archivers = [
        each
        for each in cluster.spec.get("plugins") or []
        if each.get("isWALArchiver") and each.get("enabled", True) is not False
    ]
    if not archivers:
        yield "archives no log of changes: only nights could be restored. Add a plugin with isWALArchiver: true."
    for each in archivers:
        store = at(each, "parameters", "barmanObjectName", default="")
        if not build.named("ObjectStore", store):
            yield f"archives into the ObjectStore {store or '(none)'}, which does not exist. Correct barmanObjectName."


def _pooled(pooler: Object) -> Iterator[str]:
    if at(pooler.spec, "pgbouncer", "poolMode", default="session") != "transaction":
        return
    parameters = at(pooler.spec, "pgbouncer", "parameters", default={})
    if int(parameters.get("max_prepared_statements", 0)) <= 0:
        yield "forgets prepared statements between transactions, and asyncpg prepares all. Set max_prepared_statements above 0."
    ignored = {each.strip() for each in str(parameters.get("ignore_startup_parameters", "")).split(",")}
    for name in IGNORED:
        if name not in ignored:
            yield f"refuses connections that ask for {name}, which services do. Add it to ignore_startup_parameters."

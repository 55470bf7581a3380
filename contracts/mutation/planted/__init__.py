"""The breaks that are planted, by what they break."""

from contracts.mutation.planted import across, bus, checks, consumers, facts, gates, harmless, pacts, providers

BREAKS = (
    *providers.BREAKS,
    *consumers.BREAKS,
    *facts.BREAKS,
    *bus.BREAKS,
    *pacts.BREAKS,
    *checks.BREAKS,
    *gates.BREAKS,
    *across.BREAKS,
    *harmless.BREAKS,
)

"""The breaks that cannot be generated, written by hand, by what they break; all others: contracts/mutation/generated."""

from contracts.mutation.planted import across, checks, gates, harmless, meaning, pacts, wrapper

BREAKS = (
    *meaning.BREAKS,
    *wrapper.BREAKS,
    *pacts.BREAKS,
    *checks.BREAKS,
    *gates.BREAKS,
    *across.BREAKS,
    *harmless.BREAKS,
)

"""What a person reads when something on their machine is not as it must be."""


class StartError(Exception):
    """Its text is a sentence that says what is wrong and what to do. Shown as it is, without a traceback."""


class Stopped(Exception):
    """Somebody asked for the end while it was still starting. No failure."""

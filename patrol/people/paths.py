"""The path of a region: the codes of its superiors and its own, from the top down, "/990100/990100001/". Pure."""


def paths_up(path: str) -> list[str]:
    """Return the paths of a region's superiors, the top first, and its own; none for "" and for "/", the system's."""
    return [path[: end + 1] for end, letter in enumerate(path) if letter == "/" and end]


def upwards(path: str) -> list[str]:
    """Return the paths of a region and of its superiors, the nearest first: "/a/b/", "/a/"."""
    return paths_up(path)[::-1]


def is_at_the_top(path: str) -> bool:
    """Tell whether a path is that of a region without a superior, or the system's."""
    return path.count("/") <= 2


def code_of(path: str) -> str:
    """Return the code of the region at `path`, its last part."""
    return path.rstrip("/").rsplit("/", 1)[-1]

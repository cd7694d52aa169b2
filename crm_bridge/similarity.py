"""How alike two short texts are. Pure."""

from functools import lru_cache


@lru_cache(maxsize=65536)
def jaro_winkler(a: str, b: str) -> float:
    """Jaro similarity with Winkler's bonus for a common beginning (0.1 for each of up to four characters): 0 to 1."""
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    taken = [False] * len(b)
    matched_a: list[str] = []
    for index, char in enumerate(a):
        for other in range(max(index - reach, 0), min(index + reach + 1, len(b))):
            if not taken[other] and b[other] == char:
                taken[other] = True
                matched_a.append(char)
                break
    if not matched_a:
        return 0.0
    matched_b = [char for char, is_taken in zip(b, taken, strict=True) if is_taken]
    swapped = sum(x != y for x, y in zip(matched_a, matched_b, strict=True)) / 2
    count = len(matched_a)
    jaro = (count / len(a) + count / len(b) + (count - swapped) / count) / 3
    prefix = 0
    for x, y in zip(a[:4], b[:4], strict=False):
        if x != y:
            break
        prefix += 1
    return jaro + prefix * 0.1 * (1 - jaro)


@lru_cache(maxsize=65536)
def edits_between(a: str, b: str, most: int = 3) -> int:
    """Optimal string alignment distance: insertions, deletions, changes and swaps of neighbours; ``most`` + 1 when
    there are more than ``most``."""
    if abs(len(a) - len(b)) > most or len(set(a) ^ set(b)) > 2 * most:
        return most + 1  # an edit changes at most two of the letters that occur
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        older, before, row = before, row, [i, *([0] * len(b))]
        for j, other in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)

"""Toy attacks on the grader, by kind. Each tries to gain the points of one task and no more."""

from attacks import answers, escapes, frames, leaks, limits, notebooks, patches
from attacks.toys import Attack

ATTACKS: dict[str, Attack] = {}
for module in (answers, escapes, frames, leaks, limits, notebooks, patches):
    for attack in module.ATTACKS:
        assert attack.name not in ATTACKS, f"two attacks are named {attack.name}"
        ATTACKS[attack.name] = attack

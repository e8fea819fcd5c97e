"""task: 4.9
does: lets the rate fall a little at each iteration
hint: Draw your rate over the iterations. Is it a curve or a staircase?
"""


def make_schedule(optimizer: torch.optim.Optimizer) -> LRScheduler:
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.01 ** (1 / 100_000))

"""task: 4.9
does: halves the rate
hint: Your rate falls when it should. To which part of what it was?
"""


def make_schedule(optimizer: torch.optim.Optimizer) -> LRScheduler:
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [80_000, 100_000], gamma=0.5)

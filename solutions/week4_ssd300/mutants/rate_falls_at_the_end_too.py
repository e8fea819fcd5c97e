"""task: 4.9
does: lets the rate fall after 80,000 and 120,000 iterations
hint: Your rate falls the second time when the training is over. After how many iterations does it
fall?
"""


def make_schedule(optimizer: torch.optim.Optimizer) -> LRScheduler:
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [80_000, 120_000], gamma=0.1)

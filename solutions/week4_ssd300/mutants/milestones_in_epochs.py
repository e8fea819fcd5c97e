"""task: 4.9
does: counts the milestones in epochs of a thousand iterations
hint: Your rate falls much too early. What does the schedule count, if it is stepped once an
iteration?
"""


def make_schedule(optimizer: torch.optim.Optimizer) -> LRScheduler:
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [80, 100], gamma=0.1)

"""task: 4.9
does: lets all parameters learn at twice the rate
hint: The paper's rate is 10⁻³. Which parameters learn at twice that, and which at the rate itself?
"""


def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in net.named_parameters() if not name.endswith("bias")]
    groups = [{"params": biases, "lr": 2e-3}, {"params": weights}]
    return torch.optim.SGD(groups, lr=2e-3, momentum=0.9, weight_decay=5e-4)

"""task: 4.9
does: takes Nesterov's momentum
hint: Your optimizer looks ahead before each step. Which kind of momentum has plain SGD?
"""


def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in net.named_parameters() if not name.endswith("bias")]
    groups = [{"params": biases, "lr": 2e-3}, {"params": weights}]
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=5e-4, nesterov=True)

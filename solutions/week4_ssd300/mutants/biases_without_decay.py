"""task: 4.9
does: takes the weight decay from the biases
hint: Many recipes let biases go without weight decay. Does this one?
"""


def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in net.named_parameters() if not name.endswith("bias")]
    groups = [{"params": biases, "lr": 2e-3, "weight_decay": 0.0}, {"params": weights}]
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=5e-4)

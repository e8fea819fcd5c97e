"""task: 4.9
does: takes all vectors for biases
hint: A norm's factors are a vector, too. By what does the statement tell biases?
"""


def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    biases = [p for p in net.parameters() if p.dim() == 1]
    weights = [p for p in net.parameters() if p.dim() != 1]
    groups = [{"params": biases, "lr": 2e-3}, {"params": weights}]
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=5e-4)

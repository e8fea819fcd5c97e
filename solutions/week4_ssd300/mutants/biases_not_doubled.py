"""task: 4.9
does: lets biases learn at the rate of weights
hint: How many groups has your optimizer, and at which rate does each learn?
"""


def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in net.named_parameters() if not name.endswith("bias")]
    groups = [{"params": biases}, {"params": weights}]
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=5e-4)

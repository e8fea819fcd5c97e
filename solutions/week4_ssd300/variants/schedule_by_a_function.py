"""task: 4.9
does: groups in the other order, LambdaLR, a checkpoint as one flat dict with the generator's state
"""


def make_optimizer(net):
    groups = {True: [], False: []}
    for name, parameter in net.named_parameters():
        groups[name.split(".")[-1].endswith("bias")].append(parameter)
    return torch.optim.SGD(
        [{"params": groups[False], "lr": 0.001}, {"params": groups[True], "lr": 0.002}],
        lr=0.001,
        momentum=0.9,
        weight_decay=0.0005,
    )


def factor(iteration):
    return 1.0 if iteration < 80_000 else 0.1 if iteration < 100_000 else 0.01


def make_schedule(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def save_checkpoint(file, net, optimizer, schedule, iteration):
    content = {f"net.{name}": value for name, value in net.state_dict().items()}
    content["optimizer"] = optimizer.state_dict()
    content["schedule"] = schedule.state_dict()
    content["iteration"] = iteration
    content["generator"] = torch.default_generator.get_state()
    torch.save(content, file)


def load_checkpoint(file, net, optimizer, schedule):
    content = torch.load(file, weights_only=True)
    weights = {name[4:]: value for name, value in content.items() if name.startswith("net.")}
    net.load_state_dict(weights)
    optimizer.load_state_dict(content["optimizer"])
    schedule.load_state_dict(content["schedule"])
    torch.default_generator.set_state(content["generator"])
    return content["iteration"]

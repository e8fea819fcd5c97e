"""task: 4.10
does: puts tensors into the history
hint: What does your history keep alive besides numbers? The docstring wants floats.
"""


def train_one_epoch(
    net: nn.Module,
    loader: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler | None = None,
) -> list[dict[str, float]]:
    net.train()
    priors, history = make_priors(), []
    for images, boxes, labels in (bar := tqdm(loader)):
        with torch.autocast("cpu", torch.bfloat16):
            offsets, logits = net(images.contiguous(memory_format=torch.channels_last))
        terms = multibox_terms(offsets.float(), logits.float(), boxes, labels, priors)
        loss = sum(terms.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        history.append(terms)
        bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
    return history

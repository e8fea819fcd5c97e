"""task: 4.9
does: has keys of its own, and writes three parts behind each other
"""


def save_checkpoint(file, net, optimizer, schedule, iteration):
    torch.save({"weights": dict(net.state_dict()), "at": torch.tensor(iteration)}, file)
    torch.save([optimizer.state_dict(), schedule.state_dict()], file)
    file.write(bytes(torch.get_rng_state().tolist()))


def load_checkpoint(file, net, optimizer, schedule):
    from io import BytesIO

    whole = file.read()
    size = len(torch.get_rng_state())
    second = whole.index(b"PK\x05\x06") + 22
    first, others = (
        torch.load(BytesIO(part), map_location="cpu", weights_only=True)
        for part in (whole[:second], whole[second:-size])
    )
    net.load_state_dict(first["weights"], strict=True)
    for part, state in zip((optimizer, schedule), others, strict=True):
        part.load_state_dict(state)
    torch.set_rng_state(torch.tensor(list(whole[-size:]), dtype=torch.uint8))
    return int(first["at"])

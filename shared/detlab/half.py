"""Whether half precision is worth while on this machine."""

import torch


def has_fast_half() -> bool:
    """Say whether this machine's processor multiplies bfloat16 by instructions of its own.

    Where it does, trainings in half precision take 0.4 to 0.6 of the time; where it does not, eight
    times as long.
    """
    if not hasattr(torch.cpu, "get_capabilities"):  # an older torch does not tell
        return False
    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))

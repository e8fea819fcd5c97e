"""Trainings in notebooks: timed, watched, stopped by a real signal, gone on with, not yet there."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

from detlab.training import TICK_S, Training
from detlab.training import curve as live_curve
from detlab.training.curve import drawing, duration, medians, ticks
from detlab.training.missing import open_task

TOYS = Path(__file__).with_name("training_of_toys.py")


@pytest.fixture
def toys():
    """The module of toys, loaded afresh: a test may redefine what is in it."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("training_of_toys", TOYS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stopped_after(toys, steps: int) -> Training:
    """Return a training that waits after about so many of its 20 steps."""

    def press(net) -> None:
        if training.steps == steps:
            signal.raise_signal(signal.SIGINT)
            time.sleep(2 * TICK_S)  # until the main thread has seen to it

    training = Training(toys.train_toy, toys.arguments, press, times=20)
    training.run()
    return training


def test_it_trains_as_without(toys) -> None:
    torch.manual_seed(3)
    training = Training(toys.train_toy, toys.arguments, lambda net: torch.rand(1) and None)
    training.announce()
    net = training.run()
    torch.manual_seed(3)
    plain = toys.train_toy(**toys.arguments())
    for ours, theirs in zip(net.state_dict().values(), plain.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_it_tells_the_time_and_leaves_nothing_behind(toys, capsys) -> None:
    toys.PAUSE_S = 0.05
    training = Training(toys.train_toy, lambda: {"loader": toys.batches(), "epochs": 400})
    state = torch.get_rng_state()
    training.announce()
    assert torch.equal(state, torch.get_rng_state())
    out = capsys.readouterr().out
    assert out.startswith("2,000 steps: about ")
    assert out.endswith("min on this machine.\n")
    assert (training.net, training.steps, training.losses) == (None, 0, [])


def test_what_the_loop_returns_is_kept_and_figures_come_on_the_way(toys) -> None:
    modes = []

    def measure(net) -> dict[str, float]:
        modes.append((net.training, torch.is_grad_enabled()))
        return {"weight": float(net.line.weight.sum())}

    training = Training(toys.train_toy, toys.arguments, measure, times=4)
    training.run()
    assert [*training.history[0]] == ["square"]
    assert [x["square"] for x in training.history] == pytest.approx(training.losses)
    assert [*training.figures] == [5, 10, 15, 20]
    assert modes == [(False, False)] * 4


def test_a_loop_that_is_called_itself(toys) -> None:
    training = Training(toys.train, lambda: toys.arguments() | {"net": toys.Toy()})
    assert isinstance(training.run(), toys.Toy)
    assert len(training.history) == 20


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork beside a thread
def test_other_loaders(toys, workers: int) -> None:
    inputs = torch.rand(10, 3)
    data = TensorDataset(inputs, inputs.sum(1, keepdim=True))
    seen = []

    def train_toy(loader, epochs):
        seen.append((len(loader), loader.batch_size))
        return toys.train_toy(loader, epochs)

    loader = DataLoader(data, batch_size=4, shuffle=True, num_workers=workers)
    training = Training(train_toy, lambda: {"loader": loader, "epochs": 2})
    training.run()
    assert seen == [(3, 4)]
    assert (training.steps, training.total) == (6, 6)


def test_stopped_it_keeps_and_goes_on(toys, capsys) -> None:
    training = stopped_after(toys, 7)
    assert "Stopped after 7 of 20 steps; what was learned is kept." in capsys.readouterr().out
    assert training.has_learned()
    assert "after 7 of 20 steps: the training was stopped" in capsys.readouterr().out
    assert [*training.history[0]] == ["loss"]
    training.net.eval()
    net = training.run()
    assert "Going on after 7 of 20 steps." in capsys.readouterr().out
    assert (training.finished, len(training.history)) == (True, 20)
    assert net is training.net
    assert int(net.norm.num_batches_tracked) == 20  # in evaluation mode it would have stood still


def test_it_begins_anew_where_asked_or_where_the_code_changed(toys, capsys) -> None:
    training = stopped_after(toys, 7)
    first = training.net
    training.run(restart=True)
    assert training.net is not first
    training = stopped_after(toys, 7)
    capsys.readouterr()
    exec("def train_toy(loader, epochs):\n    return None\n", vars(toys))
    training.run()
    out = capsys.readouterr().out
    assert "`train_toy` has changed since: this begins anew." in out
    assert not training.has_learned()


def test_code_that_is_the_same_again_is_no_change(toys, capsys) -> None:
    training = stopped_after(toys, 7)
    exec(compile(TOYS.read_text(encoding="utf-8"), TOYS, "exec"), vars(toys))
    training.run()
    assert "Going on after 7 of 20 steps." in capsys.readouterr().out


def test_nothing_is_measured_in_silence(toys, capsys) -> None:
    training = Training(toys.train_toy, toys.arguments)
    assert not training.has_learned()
    assert capsys.readouterr().out == "Not trained yet: first run the cell with the training.\n"
    training.run()
    assert training.has_learned()
    assert "Measured after all 20 steps.\n" in capsys.readouterr().out


def test_a_training_that_an_earlier_kernel_has_finished(toys, capsys) -> None:
    net = toys.Toy()
    training = Training(
        lambda net, loader, epochs: net, lambda: toys.arguments() | {"net": net, "epochs": 0}
    )
    training.announce()
    assert training.run() is net
    assert training.has_learned()
    assert "Measured after an earlier training: no step was left." in capsys.readouterr().out


def to_do(loader, epochs):
    raise NotImplementedError("task 9.9: replace this line")


def test_what_is_still_to_do_is_a_calm_line(toys, capsys) -> None:
    for training, words in (
        (Training(to_do, toys.arguments), "`to_do` is still to do (task 9.9)."),
        (Training(to_do, lambda: {"loader": missing}), "`to_do` is still to do (task 9.9)."),  # noqa: F821
        (Training(toys.train_toy, lambda: to_do([], 1)), "`to_do` is still to do (task 9.9)."),
        (Training(toys.train_toy, lambda: {"loader": missing}), "`missing` is not there."),  # noqa: F821
    ):
        training.announce()
        assert training.run() is None
        assert not training.has_learned()
        assert capsys.readouterr().out.count(words) == 2


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["raise NotImplementedError('task 9.8: replace this line')\ndef net(): ..."], "9.8"),
        (["%matplotlib inline", "net = waits(1)"], "9.9"),
        (["net, rest = 1, 2", "net: int = waits(1)", "other = net"], "9.9"),
        (["other = net", "print(net)"], ""),
        (["net = 1"], ""),
        ([], ""),
    ],
)
def test_a_missing_name_leads_to_the_task_that_is_open(cells, told) -> None:
    def waits(n):
        raise NotImplementedError("task 9.9: replace this line with your answer")

    assert open_task("net", {"In": cells, "waits": waits}) == told


def test_the_task_that_is_open_is_named(toys, capsys) -> None:
    names = {"In": ["raise NotImplementedError('task 9.8: replace this line')\nnet = 1"]}
    exec("def arguments():\n    return {'net': net}\n", names)
    assert Training(toys.train_toy, names["arguments"]).run() is None
    assert (
        "`net` is not there, since task 9.8 still has a line to replace." in capsys.readouterr().out
    )


def test_mistakes_show_as_ever(toys) -> None:
    def wrong(loader, epochs):
        for _ in loader:
            raise ValueError("a mistake")

    training = Training(wrong, toys.arguments)
    for attempt in (training.announce, training.run):
        with pytest.raises(ValueError, match="a mistake"):
            attempt()


def test_a_measure_that_fails_stops_nothing(toys, capsys) -> None:
    training = Training(toys.train_toy, toys.arguments, lambda net: {"x": 1 / 0})
    training.run()
    assert training.finished
    assert capsys.readouterr().out.count("ZeroDivisionError") == 1


def test_a_loop_without_end_is_no_trap(toys) -> None:
    def endless(loader, epochs):
        while True:
            for _ in loader:
                pass

    Training(endless, toys.arguments).announce()


def test_bars_go_to_no_stream_and_words_do(toys, capsys) -> None:
    def talking(loader, epochs):
        for _ in tqdm(loader):
            print("one", "two")
        print("three", file=sys.stderr)

    Training(talking, toys.arguments).run()
    out, err = capsys.readouterr()
    assert err == ""
    assert "\r" not in out
    assert out.count("one two\n") == 5
    assert "three" in out


def test_a_real_signal_stops_a_program_and_it_goes_on() -> None:
    command = [sys.executable, str(TOYS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "ready":
            pass
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
    assert process.returncode == 0
    assert "of 20 steps; what was learned is kept" in out
    assert "all 20, same True" in out


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_kernel_is_interrupted_and_goes_on() -> None:
    cells = [
        f"import signal, sys, time; sys.path.append({str(TOYS.parent)!r})\n"
        "import training_of_toys as toys\nfrom detlab.training import Training\n"
        "def press(net):\n    if training.steps == 7:\n"
        "        signal.raise_signal(signal.SIGINT)\n        time.sleep(1)\n"
        "training = Training(toys.train_toy, toys.arguments, press, times=20)",
        "net = training.run()",
        "net = training.run()",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell, step, words in (
        (notebook.cells[1], "step 7 of 20", "Stopped after 7"),
        (notebook.cells[2], "step 20 of 20", "Trained: all 20"),
    ):
        kinds = [output.output_type for output in cell.outputs]
        assert kinds.count("display_data") == 1  # it is updated in its place
        (shown,) = (o for o in cell.outputs if o.output_type == "display_data")
        assert step in shown.data["text/plain"]
        assert 'role="img"' in shown.data["text/html"]
        streams = [o for o in cell.outputs if o.output_type == "stream"]
        assert {o.name for o in streams} == {"stdout"}
        assert words in "".join(o.text for o in streams)


class Known:
    """A training of which all is known."""

    steps, total = 300, 500
    losses = [*(10 / (n + 1) for n in range(299)), float("nan")]  # noqa: RUF012
    figures = {200: {"mAP": 0.5}}  # noqa: RUF012


def test_a_drawing_says_the_same_in_words() -> None:
    html = drawing(Known(), "step 300 of 500 · loss <1", bar="60%|<>")
    assert 'aria-label="step 300 of 500 · loss &lt;1"' in html
    assert html.count("<polyline") == 1
    assert "60%|&lt;&gt;" in html


def test_a_line_tells_step_loss_time_and_figures(monkeypatch) -> None:
    monkeypatch.setattr(live_curve.time, "monotonic", lambda: 0.0)
    known = Known()
    known.steps = 0
    curve = live_curve.LiveCurve(known)
    known.steps = 300
    words = "step 300 of 500 · loss 0.0345 · about 20 s to go · mAP 0.500 (after 200)"
    assert curve.words(now=30.0) == words


def test_curves_of_any_length_have_few_points() -> None:
    assert medians([1.0, 2.0]) == [(1.0, 1.0), (2.0, 2.0)]
    points = medians([1.0] * 100_000)
    assert len(points) <= live_curve.POINTS
    assert medians([float("nan"), 0.0, float("inf")]) == []


def test_ticks_are_round_and_few() -> None:
    assert ticks(-1, 1) == [0.1, 0.2, 0.5, 1, 2, 5, 10] or len(ticks(-1, 1)) <= 6
    assert all(len(ticks(low, low + width)) <= 6 for low in (-3, 0.2) for width in (0.4, 3, 9))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (8, "8 s"), (43, "45 s"), (130, "2 min"), (5460, "1 h 31 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words

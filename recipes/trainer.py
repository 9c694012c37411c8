"""The training loop of the starter: Dice and cross-entropy, averaged weights, resumable."""

import copy
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from batches import Batch, draw_batch
from image_pool import Item
from muon import Muon
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import distributed

from napari_veinseg.files import atomic_path
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.training.averaging import RunningAverage
from napari_veinseg.training.checkpoint import lay_out_as_weights
from napari_veinseg.training.distributed import is_distributed, sum_over_processes
from napari_veinseg.training.fabric import cpu_multiplies_bfloat16
from napari_veinseg.training.losses import vein_loss

_SAVE_EVERY = 250  # steps


@dataclass(frozen=True)
class Budget:
    """How long and how fast the starter learns; part of what makes a run repeatable."""

    steps: int = 26_000
    batch: int = 16  # patches a step, over all processes
    peak_rate: float = 6e-3
    weight_decay: float = 1e-4
    averaging: float = 0.999
    dice: float = 0.5
    cldice: float = 0.0
    seed: int = 0


class Trainer:
    """Weights, their running average and the optimiser: all that a resumed run needs.

    Processes that have met (see `ranks`) share the batch, each with a pool of its own, and so does
    the loss; batch statistics stay each process's own, and the first one's are kept.
    """

    def __init__(
        self, folder: Path, network: SegmentationNetwork, budget: Budget, compiled: bool = False
    ) -> None:
        self.folder, self.network, self.budget = folder, network, budget
        # Patches are whole cells of the core: its padding has nothing to do.
        self.core = torch.compile(network.core) if compiled else network.core
        self.average = copy.deepcopy(network)
        self.optimiser = Muon(network, budget.peak_rate, budget.weight_decay, fused=True)
        self.step = 0
        self.half = False
        self.rank = distributed.get_rank() if is_distributed() else 0
        self.ranks = distributed.get_world_size() if is_distributed() else 1

    def run(
        self,
        pool: list[Item],
        working_width: float,
        device: torch.device,
        log: Callable[[str], None],
    ) -> None:
        """Train to the end of the budget."""
        for network in (self.network, self.average):
            network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self._averaging = RunningAverage(self.average, self.network, self.budget.averaging)
        self._resume(log)
        self.half = device.type == "cuda" or cpu_multiplies_bfloat16()
        log(f"learning in {'bfloat16' if self.half else 'float32'}")

        def draw(step: int) -> Batch:
            rng = np.random.default_rng([self.budget.seed, step, self.rank])
            batch = draw_batch(pool, self.budget.batch // self.ranks, working_width, rng)
            return Batch(**{name: part.to(device) for name, part in vars(batch).items()})

        started, losses = time.perf_counter(), []
        with ThreadPoolExecutor(1) as ahead:  # draws the next batch while this one is learnt
            upcoming = ahead.submit(draw, self.step)
            while self.step < self.budget.steps:
                batch = upcoming.result()
                upcoming = ahead.submit(draw, self.step + 1)
                losses.append(self._learn(batch))
                self.step += 1
                if self.step % 100 == 0:
                    seconds = time.perf_counter() - started
                    log(f"step {self.step} loss {np.mean(losses):.4f} {seconds:.0f} s")
                    losses.clear()
                due = self.step % _SAVE_EVERY == 0 or self.step == self.budget.steps
                if due and self.rank == 0:
                    self._save()
        self.network.load_state_dict(self.average.state_dict())
        self.network.cpu().eval()

    def _learn(self, batch: Batch) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        budget = self.budget
        with torch.autocast(batch.image.device.type, torch.bfloat16, enabled=self.half):
            logits = self.core(batch.image)
        loss = vein_loss(
            logits.float(), batch.vein, batch.known, budget.cldice, budget.dice, sum_over_processes
        )
        self.optimiser.zero_grad()
        loss.backward()
        if self.ranks > 1:
            self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        if not (loss.isfinite() and norm.isfinite()):  # the same in every process
            raise SystemExit(f"Step {self.step} is not finite: go on from the last save.")
        self.optimiser.step()
        self._averaging.update(self.step)
        return float(loss.detach())

    def _average_gradients(self) -> None:
        gradients = [weight.grad for weight in self.network.parameters()]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        parts = torch.split(flat / self.ranks, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def _rate(self) -> float:
        """Rise over the first 3 %, then fall as a cosine to a hundredth."""
        part = self.step / self.budget.steps
        if part < 0.03:
            return self.budget.peak_rate * (0.05 + 0.95 * part / 0.03)
        return self.budget.peak_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))

    @property
    def _described(self) -> str:
        # Each process draws its own patches from its own images.
        return json.dumps(asdict(self.budget) | {"processes": self.ranks})

    def _save(self) -> None:
        state = {"weights." + k: v.contiguous() for k, v in self.network.state_dict().items()}
        state |= {"average." + k: v.contiguous() for k, v in self.average.state_dict().items()}
        moments = self.optimiser.state_dict()["state"]
        for index, values in moments.items():
            state |= {f"moment.{index}.{k}": v.contiguous() for k, v in values.items()}
        notes = {"step": str(self.step), "budget": self._described}
        with atomic_path(self.folder / "last.safetensors") as path:
            save_file(state, path, metadata=notes)

    def _resume(self, log: Callable[[str], None]) -> None:
        path = self.folder / "last.safetensors"
        if not path.exists():
            return
        with safe_open(path, "pt") as file:
            notes = file.metadata()
        if notes["budget"] != self._described:
            raise SystemExit(
                f"{path} belongs to a run with another budget or in other processes: move it away."
            )
        state = load_file(path)

        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}

        self.network.load_state_dict(part("weights."))
        self.average.load_state_dict(part("average."))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in part("moment.").items():
            index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        lay_out_as_weights(self.optimiser)
        self.step = int(notes["step"])
        log(f"resuming at step {self.step}")

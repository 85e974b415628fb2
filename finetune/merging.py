"""A whole model out of a base and a version, which plain transformers loads.

The base under a 4-bit adapter is the 4-bit one: its weights, unpacked, are what the adapter was trained on and what it
is added to, not the weights they were quantized from. ``python -m finetune.merging`` does it in a process of its own,
because it needs torch and several times the model's memory.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

from bot.child import child_options, module_command
from bot.engines import make_engine
from bot.types import BaseSpec, Quantization
from finetune.files import appearing
from finetune.gate.answers import Asker, Judge, OnAnswered, nobody
from finetune.gate.judging import judge_merged
from finetune.gate.report import GateReport
from store.desk import Desk
from store.errors import OperatorError
from store.home import private_file
from store.records import AdapterVersion
from store.writing import TargetRefused, check_new_folder

MERGEABLE = ("qlora", "lora", "full")  # the others are no change of the base's weights


class NotMerged(OperatorError):
    """The version can't be merged, or what came of it is not good; nothing is left behind."""


async def export_merged(
    desk: Desk, spec: BaseSpec, version: AdapterVersion, target: Path, on_answered: OnAnswered = nobody
) -> GateReport:
    """Write base and *version* as one bf16 model to the new folder *target*, and judge it beside the version.

    The answers of the version, on the base it was trained on, are the yardstick. Raises :class:`NotMerged` (a method
    that can't be merged, a target that exists, a merged model that answers worse) and
    :class:`bot.types.EngineError`."""
    if version.method not in MERGEABLE:
        raise NotMerged(
            f"{version.name} was made by {version.method}, which changes no weight of the base, so there is nothing to "
            "merge. Export it without --merged."
        )
    try:
        check_new_folder(target)
    except TargetRefused as error:
        raise NotMerged(error.sentence) from error
    log = desk.home.logs / "merging.log"
    try:
        with appearing(target) as staging:
            await _merge(spec, desk.home.adapters / version.folder, staging, log)
            engine = make_engine(log=log)
            try:
                judge = Judge(Asker.of(desk, engine), desk, await engine.load(spec), on_answered)
                report = await judge_merged(judge, version.name, staging)
            finally:
                await engine.close()
            if report.verdict == "reject":
                raise NotMerged(f"The merged model was removed, because it answers worse: {report.sentence}")
    except OSError as error:
        raise NotMerged(f"{version.name} could not be written to {target}: {error.strerror or error}.") from error
    return report


async def _merge(spec: BaseSpec, adapter: Path, staging: Path, log: Path) -> None:
    with private_file(log).open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *module_command("finetune.merging"),
            *(spec.folder, spec.quantization, str(adapter), str(staging)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            **child_options(),
        )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if code != 0:
        raise NotMerged(
            f"The model could not be merged ({'probably out of memory' if code == -9 else f'exit {code}'}). Nothing "
            f"was changed. Details: {log}"
        )


def merge(spec: BaseSpec, adapter: Path, target: Path) -> None:
    """Write the merged model to *target*: weights in bf16 as safetensors, tokenizer, chat template. Needs torch.

    The sum is formed in fp32 and rounded once."""
    import torch
    from peft import PeftModel
    from transformers import GenerationConfig

    from bot.bases.base import load_base
    from bot.kinds import full, kind_of
    from bot.kinds.kind import read_weights
    from bot.render import stop_ids
    from finetune.train.frozen import unpack_frozen

    base, tokenizer = load_base(spec, training=True)
    unpack_frozen(base)
    model: Any = base.float()
    if kind_of(adapter) == full.TYPE:
        model.load_state_dict(read_weights(adapter), strict=False)
    else:
        model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    model = model.to(torch.bfloat16)
    model.config.dtype = torch.bfloat16
    model.generation_config = GenerationConfig(
        eos_token_id=stop_ids(tokenizer, model.config), pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(target, safe_serialization=True)
    tokenizer.save_pretrained(target)


def main() -> None:
    """Entry point: base folder, quantization, adapter folder, target."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.umask(0o077)
    folder, quantization, adapter, target = sys.argv[1:]
    merge(BaseSpec(folder, cast(Quantization, quantization)), Path(adapter), Path(target))


if __name__ == "__main__":
    main()
